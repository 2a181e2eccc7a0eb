"""The token of a virtual card: five minutes, one use, never shown; and what follows it through both services."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

import pytest

from nhirx.card.base import CardOrder
from nhirx.card.gateway import VirtualGateway
from nhirx.card.virtual import Token, VirtualCard, now
from nhirx.errors import AnswerMalformed, ControlSoftwareDown, SettingInvalid, SettingMissing, TokenRefused, WrongCard
from nhirx.settings import ControlSettings, ServiceSettings, Settings
from nhirx.sim.people import PEOPLE
from tests.card.benches import LING, MING, Gateway, GatewayBench

SCANNED = datetime(2026, 11, 20, 1, 0, tzinfo=UTC)


@pytest.fixture
def gateway():
    running = Gateway()
    yield running
    running.close()


def at_gateway(gateway, **settings):
    service = ServiceSettings(url=gateway.url, timeout=5, **settings)
    return VirtualGateway(Settings(control=ControlSettings(gateway=service)), Token("token-1", now()))


def test_a_token_shows_nothing():
    """Neither its words nor its error hold the text."""
    token = Token("opaque-text", SCANNED)

    assert "opaque" not in repr(token)
    with pytest.raises(TokenRefused) as caught:
        token.for_use(SCANNED + timedelta(minutes=6))
    assert "opaque" not in str(caught.value.as_json())


@pytest.mark.parametrize(("minutes", "good"), [(0, True), (5, True), (5.01, False)])
def test_a_token_lives_five_minutes(minutes, good):
    """After that the patient makes a new one, and no service is asked."""
    token = Token("opaque-text", SCANNED)

    if good:
        assert token.for_use(SCANNED + timedelta(minutes=minutes)) == "opaque-text"
    else:
        with pytest.raises(TokenRefused):
            token.for_use(SCANNED + timedelta(minutes=minutes))


def test_an_old_token_is_not_sent(sim):
    """The clock decides before the network is used."""
    control = VirtualCard(sim.settings(), Token(sim.virtual_card_token(), now()), clock=lambda: now() + timedelta(minutes=6))

    with pytest.raises(TokenRefused):
        control.read_holder()
    control.close()


def test_peeking_spends_nothing(sim):
    """Who it is can be seen twice before the token is used."""
    control = VirtualCard(sim.settings(), Token(sim.virtual_card_token(LING), now()))

    assert control.peek().national_id == control.peek().national_id == LING.national_id
    assert control.read_holder().national_id == LING.national_id
    control.close()


def test_a_used_token_is_refused(sim):
    """One code, one visit: a second counter with the same code hears so."""
    text = sim.virtual_card_token()
    first, second = (VirtualCard(sim.settings(), Token(text, now())) for _ in range(2))
    first.read_holder()

    with pytest.raises(TokenRefused):
        second.read_holder()
    first.close()
    second.close()


def test_the_plastic_card_in_the_reader_never_signs_for_the_phone(sim):
    """After the lines are written the virtual card is gone; what lies in the reader does not take its place."""
    sim.insert_card(PEOPLE[2])
    control = VirtualCard(sim.settings(), Token(sim.virtual_card_token(MING), now()))
    holder, reading = control.read_holder(), control.visit_number(visit_category="AF")

    assert holder.national_id == MING.national_id
    assert len(control.write_orders(reading, holder, [CardOrder("1", "A1")])) == 1
    with pytest.raises(TokenRefused):
        control.visit_number(visit_category="AF")
    control.close()


def test_a_visit_number_without_a_read_before_it(sim):
    """The first call that needs the card presents it, whichever it is."""
    sim.insert_card(PEOPLE[2])
    control = VirtualCard(sim.settings(), Token(sim.virtual_card_token(MING), now()))

    assert control.visit_number(visit_category="AF").card_number == MING.card_number
    control.close()


def test_tokens_stay_out_of_the_log(sim, caplog):
    """Not even at the lowest level."""
    caplog.set_level(1)
    text = sim.virtual_card_token()
    control = VirtualCard(sim.settings(), Token(text, now()))
    control.read_holder()
    control.close()

    assert text not in caplog.text
    assert logging.getLevelName(1)


# ── the gateway ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("spelling", ["ERRORCODE", "errorCode", "statusCode"])
def test_three_spellings_of_the_code(gateway, spelling):
    """Public programs read all three; as number and as text."""
    gateway.spelling = spelling
    control = at_gateway(gateway)

    assert control.read_holder().national_id == MING.national_id

    gateway.codes["VHChisGetBasicData"] = [1021]
    with pytest.raises(TokenRefused):
        control.read_holder()
    control.close()


@pytest.mark.parametrize("name", ["王堃", "歐陽思遠", "NGUYEN VAN AN", "龘"])
def test_names_do_not_move_what_follows(gateway, name):
    """The buffer is counted in Big5 bytes: a rare character keeps its two places."""
    import dataclasses

    gateway.person = dataclasses.replace(MING, name=name)
    control = at_gateway(gateway)

    holder = control.read_holder()

    assert (holder.name, holder.national_id) == (name, MING.national_id)
    control.close()


def test_texts_carry_a_blank_where_the_library_wants_its_nul(gateway):
    """All but the lines themselves and the make-up mark."""
    control = at_gateway(gateway)
    holder, reading = control.read_holder(), control.visit_number(visit_category="AF", make_up=True)
    control.write_orders(reading, holder, [CardOrder("1", "A1", days=3, total=9)])
    control.close()

    bodies = dict(zip(gateway.seen, gateway.bodies, strict=True))

    assert bodies["VHChisGetSeqNumber256N1"] == {"cTreatItem": "AF ", "cBabyTreat": "  ", "cTreatAfterCheck": "2"}
    assert bodies["VHChisWriteMultiPrescriptSign"] == {
        "pDateTime": "1151120090013 ",
        "pPatientID": "A123456789 ",
        "pPatientBirthDate": "0501231 ",
        "pDataWrite": "1151120090013" + "1" + "A1".ljust(12) + " " * 6 + " " * 18 + "03" + "00009.0" + "  ",
    }


def test_the_gateway_is_not_running(gateway):
    """Nobody listens: start it."""
    control = at_gateway(gateway)
    gateway.close()

    assert control.status().problems == ("control-software-down",)
    with pytest.raises(ControlSoftwareDown):
        control.read_holder()


def test_answers_that_are_none(gateway):
    """No code, or no buffer, is no answer."""
    control = at_gateway(gateway)
    gateway.do = lambda name, body: (0, "")

    with pytest.raises(AnswerMalformed):
        control.read_holder()
    gateway.answer = lambda name, body: {"pBuffer": "x"}
    with pytest.raises(AnswerMalformed):
        control.read_holder()
    control.close()


def test_plain_http_is_for_this_machine_only():
    """Patient data never leave the machine without TLS."""
    service = ServiceSettings(url="http://192.168.1.20:3033")

    with pytest.raises(SettingInvalid, match="gateway"):
        VirtualGateway(Settings(control=ControlSettings(gateway=service)), Token("x", now()))


def test_without_a_companion_there_is_no_upload_signature(gateway):
    """The gateway signs no uploads; the word is what to set."""
    control = at_gateway(gateway)

    with pytest.raises(SettingMissing):
        control.upload_signature()
    with pytest.raises(SettingMissing):
        control.no_card_id("A123456789")
    control.close()


def test_the_companion_signs_uploads(tmp_path):
    """The pharmacy's own control software stands behind the gateway."""
    bench = GatewayBench(tmp_path)

    assert bench.control.upload_signature().sam_id == "SAM000000001"
    bench.close()


def test_another_phone_stops_the_writing(gateway):
    """The gateway shows another person than the number was taken for."""
    control = at_gateway(gateway)
    holder, reading = control.read_holder(), control.visit_number(visit_category="AF")
    gateway.person = LING

    with pytest.raises(WrongCard):
        control.write_orders(reading, holder, [CardOrder("1", "A1")])
    control.close()

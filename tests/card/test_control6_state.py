"""Control software 6.0 when something is amiss: its state, the card of somebody else, services out of reach. Real TLS, the simulator."""

from __future__ import annotations

import pytest

from nhirx.card.base import CardOrder
from nhirx.errors import (
    AnswerMalformed,
    CardAbsent,
    ControlSoftwareDown,
    DataCentreDown,
    PinRequired,
    ProfessionalCardError,
    SecurityModuleError,
    ServiceTimeout,
    ServiceUnreachable,
    TlsRefused,
)
from nhirx.settings import ControlSettings, ServiceSettings, Settings
from nhirx.sim.people import PEOPLE

SIGN = "/api/hc/v1/Signature/Hc"


def orders(count: int) -> list[CardOrder]:
    return [CardOrder(order_class="1", code=f"A{number:09d}", usage="QD", days=7, total=7.0) for number in range(count)]


def test_status_tells_what_is_wrong(sim, control):
    """Each part that is not ready is named by the code of the error it would cause."""
    sim.remove_card()

    assert control.status().problems == ("control-software-down", "security-module", "card-absent")

    control.initial()
    control.verify_sam()
    sim.insert_card()
    status = control.status()

    assert (status.reachable, status.initialised, status.sam_ready, status.card_present) == (True, True, True, True)
    assert status.problems == ()


def test_starting_twice_is_no_error(sim, control):
    """An earlier start is ended first."""
    control.initial()
    control.initial()

    assert control.status().initialised


def test_a_restart_of_the_control_software_is_mended(sim, control):
    """Somebody restarted it at noon: the next call starts and verifies it again."""
    sim.insert_card()
    control.read_holder()
    sim.world.initialised = sim.world.sam_verified = False

    assert control.read_holder().national_id == "A123456789"


def test_a_security_module_that_fails_is_named(sim, control):
    """When verification fails the word is about the security module, and it proposes its serial."""
    sim.insert_card()
    sim.fail("/api/sam/v1/Verification", "status-code", code=4051, times=2)

    with pytest.raises(SecurityModuleError) as caught:
        control.read_holder()
    assert caught.value.detail["serials_before"] == ["A030"]


def test_pins(sim, control):
    """The holder's PIN and the pharmacist's are verified by the control software; a wrong one says so."""
    sim.insert_card(pin="1234")

    control.verify_card_pin("1234")
    with pytest.raises(PinRequired):
        control.verify_card_pin("9999")
    control.verify_professional_pin()
    with pytest.raises(ProfessionalCardError):
        control.verify_professional_pin("999999")


def test_the_lines_on_the_card(sim, control, monkeypatch):
    """Earlier lines can be read once the pharmacist's card is verified; a line with a broken time is still a line."""
    line = {
        "treatmentDateTime": "1151120090013",
        "treatmentItem": "2",
        "treatmentItemCode": "A000000001 ",
        "usage": " QD",
        "days": 28,
    }
    key = ("POST", "/api/v1/Prescription/Query")
    handler = sim._server.routes[key]
    monkeypatch.setitem(
        sim._server.routes,
        key,
        lambda body: handler(body) | {"outpatientPrescriptions": [line, line | {"treatmentDateTime": "?"}]},
    )
    sim.insert_card()
    control.verify_professional_pin()

    first, second = control.read_prescriptions()

    assert (first.code, first.usage, first.days, first.order_class) == ("A000000001", "QD", "28", "2")
    assert first.visited_at is not None
    assert second.visited_at is None


@pytest.mark.parametrize("kind", ["refuse", "reset", "html", "half-json", "http500", "missing-keys"])
@pytest.mark.parametrize("path", [SIGN, "/api/v1/BasicData/Query"])
def test_a_failed_read_gives_nobody(sim, control, path, kind):
    """After one patient was read a read that fails gives an error and never the earlier patient."""
    sim.insert_card(PEOPLE[0])
    control.read_holder()
    sim.insert_card(PEOPLE[1])
    sim.fail(path, kind)

    with pytest.raises((AnswerMalformed, ServiceUnreachable, ControlSoftwareDown)) as caught:
        control.read_holder()

    assert "A123456789" not in repr(caught.value.detail)
    assert control.read_holder().national_id == PEOPLE[1].national_id


def test_the_data_of_another_card_are_refused(sim, control, monkeypatch):
    """An answer that was meant for another request is noticed, because the card that signed says whose it is."""
    sim.insert_card(PEOPLE[1])
    key = ("POST", "/api/v1/BasicData/Query")
    handler = sim._server.routes[key]
    monkeypatch.setitem(sim._server.routes, key, lambda body: handler(body) | {"idCardNum": "A123456789"})

    with pytest.raises(AnswerMalformed) as caught:
        control.read_holder()
    assert "A123456789" not in str(caught.value.as_json())


@pytest.mark.parametrize("shown", [None, "", "0F3A9C"])
def test_a_signature_that_shows_no_person_stops_nothing(sim, control, monkeypatch, shown):
    """What the member holds is known from one source: where it is no ID number there is nothing to compare."""
    sim.insert_card()
    key = ("POST", SIGN)
    handler = sim._server.routes[key]
    whole = sim.world.signer.use
    monkeypatch.setattr(
        sim.world.signer, "use", lambda kind, purpose, body: whole(kind, purpose, body | {"hcIdNo": "A123456789"})
    )
    monkeypatch.setitem(sim._server.routes, key, lambda body: handler(body) | {"hcIdNo": shown})

    holder, reading = control.read_holder(), control.visit_number(visit_category="AF")

    assert len(control.write_orders(reading, holder, orders(2))) == 2


def test_no_card(sim, control):
    """An empty reader is an empty reader."""
    sim.insert_card()
    control.read_holder()
    sim.remove_card()

    with pytest.raises(CardAbsent):
        control.read_holder()


@pytest.mark.parametrize("code", ["1700", 4061])
def test_the_data_centre_out_of_reach(sim, control, code):
    """The control software answers, the NHIA does not."""
    sim.insert_card()
    sim.fail("/api/v1/BasicData/Query", "status-code", code=code)

    with pytest.raises(DataCentreDown):
        control.read_holder()


def test_codes_may_be_text(sim, control):
    """Success written as text is success."""
    sim.insert_card()
    sim.fail("*", "string-code", times=50)

    assert control.visit_number(visit_category="AF").visit_id


def test_the_control_software_is_not_running(free_port):
    """Nothing listens on the local port: that is the control software, not the network."""
    from nhirx.card.control6 import Control6

    nobody = ServiceSettings(url=f"https://127.0.0.1:{free_port}", timeout=2)
    control = Control6(Settings(control=ControlSettings(local=nobody, data_centre=nobody)))

    assert control.status().reachable is False
    assert control.status().problems == ("control-software-down",)
    with pytest.raises(ControlSoftwareDown):
        control.read_holder()


def test_a_certificate_nobody_named_is_refused(sim):
    """There is no way around naming the certificate, and the refusal says what to do."""
    from nhirx.card.control6 import Control6

    stranger = ServiceSettings(url=sim.url)
    control = Control6(Settings(control=ControlSettings(local=stranger, data_centre=stranger)))

    with pytest.raises(TlsRefused):
        control.read_holder()
    assert control.status().problems == ("tls-refused",)


def test_a_pinned_certificate_is_enough(sim):
    """The fingerprint of the vendor's self-signed certificate opens both services."""
    from nhirx.card.control6 import Control6

    pinned = ServiceSettings(url=sim.url, fingerprint=sim.fingerprint.upper())
    control = Control6(Settings(control=ControlSettings(local=pinned, data_centre=pinned)))
    sim.insert_card()

    assert control.read_holder().national_id == "A123456789"
    control.close()


def test_a_slow_answer_ends_at_the_limit(sim):
    """The time limit of the settings holds, and the word is the time-out's."""
    from nhirx.card.control6 import Control6

    quick = ServiceSettings(url=sim.url, ca_file=sim.ca_file, timeout=0.3)
    control = Control6(Settings(control=ControlSettings(local=quick, data_centre=quick)))
    sim.insert_card()
    control.read_holder()
    sim.fail("/api/v1/BasicData/Query", "slow", seconds=5)

    with pytest.raises(ServiceTimeout):
        control.read_holder()
    control.close()

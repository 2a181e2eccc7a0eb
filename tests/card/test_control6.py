"""Control software 6.0 and the data centre, over real TLS against the simulator: one dispensing, call by call."""

from __future__ import annotations

import pytest

from nhirx.card.base import CardOrder
from nhirx.errors import (
    AnswerMalformed,
    CardExpired,
    SignatureUsed,
    WrongCard,
)
from nhirx.identifiers import VisitId
from nhirx.sim.people import PEOPLE

NEXT = "/api/v1/SequelNumber/Next"
UPDATE = "/api/v1/HcContent/Update"
BY_CARD = "/api/v1/TreatmentNumber/Card"
SIGN = "/api/hc/v1/Signature/Hc"


def orders(count: int) -> list[CardOrder]:
    return [CardOrder(order_class="1", code=f"A{number:09d}", usage="QD", days=7, total=7.0) for number in range(count)]


@pytest.fixture
def asked(sim, monkeypatch):
    """The paths that were asked, in order."""
    seen: list[str] = []
    server = sim._server
    for key, handler in list(server.routes.items()):
        monkeypatch.setitem(server.routes, key, lambda body, key=key, handler=handler: (seen.append(key[1]), handler(body))[1])
    return seen


def test_one_dispensing(sim, control):
    """Holder, number with ID, signatures of the lines and of the upload: all there, and all of the same visit."""
    person = sim.insert_card()

    holder = control.read_holder()
    reading = control.visit_number(visit_category="AF")
    signatures = control.write_orders(reading, holder, orders(3))
    upload = control.upload_signature()

    assert (person.national_id, person.card_number, person.birth_date) == (
        holder.national_id,
        holder.card_number,
        holder.birth_date,
    )
    assert reading.made_by == "card"
    assert reading.card_number == person.card_number
    assert reading.visit_serial is None
    assert reading.notices == ()
    assert VisitId.parse(reading.visit_id or "").belongs_to(person.national_id)
    assert len(set(signatures)) == 3
    assert all(len(signature) == 40 for signature in signatures)
    assert (reading.sam_id, reading.institution) == (upload.sam_id, upload.institution)


def test_every_call_has_a_signature_of_its_own(sim, control, asked):
    """The data centre refuses a second use, so there are as many signatures as calls."""
    sim.insert_card()

    holder = control.read_holder()
    control.write_orders(control.visit_number(visit_category="AF"), holder, orders(1))

    assert asked.count(SIGN) == sum(path.startswith("/api/v1/") for path in asked)


def test_a_used_signature_is_replaced_once(sim, control):
    """One refusal is mended with a new signature; a second one is an error."""
    sim.insert_card()
    sim.fail(NEXT, "status-code", code=3245)

    assert control.visit_number(visit_category="AF").visit_id

    sim.fail(NEXT, "status-code", code=3245, times=2)
    with pytest.raises(SignatureUsed):
        control.visit_number(visit_category="AF")


def test_an_expired_card_is_updated_once(sim, control, asked):
    """The card is brought up to date and the number asked for again."""
    sim.insert_card(expired=True)

    assert control.visit_number(visit_category="AF").visit_id
    assert asked.count(UPDATE) == 1
    assert asked.count(NEXT) == 2


@pytest.mark.parametrize("code", [3201, 5003, "5003"])
def test_a_card_that_stays_expired_ends(sim, control, asked, code):
    """There is no loop: one update, one more try, then the word for a person."""
    sim.insert_card()
    sim.fail(NEXT, "status-code", code=code, times=2)

    with pytest.raises(CardExpired):
        control.visit_number(visit_category="AF")
    assert asked.count(UPDATE) == 1


@pytest.fixture
def next_answers(sim, monkeypatch):
    """Change the answer to the next visit number after it was issued."""

    def change(**changes):
        key = ("POST", NEXT)
        handler = sim._server.routes[key]
        monkeypatch.setitem(sim._server.routes, key, lambda body: handler(body) | changes)

    return change


def test_5010_is_a_notice(sim, control, next_answers):
    """A second department on the same day stops nothing and is kept to be shown."""
    sim.insert_card()
    next_answers(statusCode=5010)

    reading = control.visit_number(visit_category="AF")

    assert reading.notices == (5010,)
    assert reading.visit_id


def test_5174_fetches_the_id_afterwards(sim, control, next_answers, asked):
    """The number was taken, only its ID was not made: it is asked for by the time of the visit."""
    sim.insert_card()
    next_answers(statusCode="5174", treatmentNumber=None)

    reading = control.visit_number(visit_category="AF")

    assert VisitId.is_valid(reading.visit_id or "")
    assert reading.notices == (5174,)
    assert asked.count(BY_CARD) == 1


@pytest.mark.parametrize("kind", ["refuse", "html", "http500", "missing-keys"])
def test_5174_keeps_the_number_when_the_id_cannot_be_had(sim, control, next_answers, kind):
    """A number once taken is never lost, with or without an ID."""
    sim.insert_card()
    next_answers(statusCode=5174, treatmentNumber="")
    sim.fail(BY_CARD, kind)

    reading = control.visit_number(visit_category="AF")

    assert reading.visit_id is None
    assert reading.notices == (5174,)
    assert reading.security_signature


def test_5174_without_a_number_is_an_error(sim, control):
    """The bare code is no reading."""
    sim.insert_card()
    sim.fail(NEXT, "status-code", code=5174)

    with pytest.raises(Exception, match="visit-id-not-made"):
        control.visit_number(visit_category="AF")


def test_a_number_whose_proof_is_missing_names_its_time(sim, control, next_answers):
    """The host can still find the number that was taken."""
    sim.insert_card()
    next_answers(signature=None)

    with pytest.raises(AnswerMalformed) as caught:
        control.visit_number(visit_category="AF")

    assert "signature" == caught.value.detail["member"]
    assert len(caught.value.detail["numbered_at"]) == 13


def test_no_card_id(sim, control):
    """Without the card an ID can be had with the security module alone."""
    reading = control.no_card_id("A123456789")

    assert reading.made_by == "no-card"
    assert VisitId.parse(reading.visit_id or "").belongs_to("A123456789")
    assert (reading.security_signature, reading.sam_id, reading.visit_serial) == (None, None, None)


def test_many_lines_are_written_in_parts(sim, control, asked):
    """Sixty lines fit into one call; the signatures stay in the order of the lines."""
    sim.insert_card()
    holder = control.read_holder()
    reading = control.visit_number(visit_category="AF")

    signatures = control.write_orders(reading, holder, orders(61))

    assert asked.count("/api/v1/Prescription/Write") == 2
    assert len(signatures) == 61
    assert signatures == control.write_orders(reading, holder, orders(60)) + control.write_orders(
        reading, holder, orders(61)[60:]
    )


def test_another_card_is_noticed_before_anything_is_written(sim, control, asked):
    """Between number and writing the patients must not have changed places."""
    sim.insert_card()
    holder = control.read_holder()
    reading = control.visit_number(visit_category="AF")
    sim.insert_card(PEOPLE[1])

    with pytest.raises(WrongCard):
        control.write_orders(reading, holder, orders(1))
    assert "/api/v1/Prescription/Write" not in asked


@pytest.mark.parametrize("changes", [{"hexSignatureItems": ["AA"]}, {"hexSignatureItems": []}, {"hexSignatureItems": ["X" * 40]}])
def test_signatures_that_do_not_match_the_lines_are_refused(sim, control, monkeypatch, changes):
    """A signature too few, or one of another form, is no signature."""
    sim.insert_card()
    holder = control.read_holder()
    reading = control.visit_number(visit_category="AF")
    key = ("POST", "/api/v1/Prescription/Write")
    handler = sim._server.routes[key]
    monkeypatch.setitem(sim._server.routes, key, lambda body: handler(body) | changes)

    with pytest.raises(AnswerMalformed):
        control.write_orders(reading, holder, orders(1))


def test_the_base64_form_will_do(sim, control, monkeypatch):
    """Where the hex form is not sent the same bytes are read from the other."""
    sim.insert_card()
    holder = control.read_holder()
    reading = control.visit_number(visit_category="AF")
    expected = control.write_orders(reading, holder, orders(2))
    key = ("POST", "/api/v1/Prescription/Write")
    handler = sim._server.routes[key]
    monkeypatch.setitem(sim._server.routes, key, lambda body: handler(body) | {"hexSignatureItems": None})

    assert expected == control.write_orders(reading, holder, orders(2))


def test_roll_back_where_the_rules_allow_it(sim, control):
    """A number of the year goes back once; a pharmacy's visit has none to give back."""
    sim.insert_card()
    of_the_year = control.visit_number(visit_category="01")

    assert control.roll_back(of_the_year) is True
    assert control.roll_back(of_the_year) is False

    of_a_pharmacy = control.visit_number(visit_category="AF")

    assert control.roll_back(of_a_pharmacy) is False
    assert control.roll_back(control.no_card_id("A123456789")) is False

"""One list of scenarios for every way to the card: 6.0 over TLS, 5.x through the helper, the virtual card by both services."""

from __future__ import annotations

import time

import pytest

from nhirx.card.base import CardOrder, ControlSoftware
from nhirx.errors import (
    CardError,
    CardExpired,
    DataCentreDown,
    InvalidValue,
    NhirxError,
    TransportError,
    VisitIdNotMade,
    WrongCard,
)
from nhirx.identifiers import VisitId
from nhirx.tables import reader_codes
from tests.card.benches import LING, MING, Control6Bench, CshisBench, GatewayBench, VirtualBench, built_library


@pytest.fixture(scope="session")
def library(tmp_path_factory):
    return built_library(tmp_path_factory.mktemp("library"))


@pytest.fixture(params=["control6", "cshis", "virtual", "gateway"])
def bench(request, tmp_path, monkeypatch, library):
    monkeypatch.setenv("CSHIS_STUB", "")
    made = {
        "control6": lambda: Control6Bench(tmp_path),
        "cshis": lambda: CshisBench(tmp_path, library),
        "virtual": lambda: VirtualBench(tmp_path),
        "gateway": lambda: GatewayBench(tmp_path),
    }[request.param]()
    yield made
    made.close()


def orders(count):
    return [
        CardOrder(order_class="1", code=f"A{number:09d}", usage="TIDPC", days=7, total=21.0, delivery_mark="02")
        for number in range(count)
    ]


def number(bench):
    return bench.control.visit_number(visit_category="AF")


def test_one_dispensing(bench):
    """Holder, number with ID, a signature for each line: the same values whichever way they came."""
    bench.insert(MING)

    holder = bench.control.read_holder()
    reading = number(bench)
    signatures = bench.control.write_orders(reading, holder, orders(10))

    assert isinstance(bench.control, ControlSoftware)
    assert (holder.name, holder.national_id, holder.birth_date, holder.card_number) == (
        MING.name,
        MING.national_id,
        MING.birth_date,
        MING.card_number,
    )
    assert reading.made_by == bench.made_by
    assert VisitId.is_valid(reading.visit_id)
    assert reading.visited_at.utcoffset().total_seconds() == 8 * 3600
    assert reading.institution == "5901234567"
    assert reading.sam_id == "SAM000000001"
    assert reading.card_number == MING.card_number
    assert len(reading.security_signature) == 256
    assert (reading.same_day, reading.notices) == (False, ())
    assert len(signatures) == len(set(signatures)) == 10
    assert all(len(signature) == 40 and signature == signature.upper() for signature in signatures)


def test_more_lines_than_fit_into_a_call(bench):
    """Sixty-one lines take two calls and give sixty-one signatures in order."""
    bench.insert(MING)
    holder, reading = bench.control.read_holder(), number(bench)

    signatures = bench.control.write_orders(reading, holder, orders(61))

    assert len(signatures) == len(set(signatures)) == 61
    assert bench.asked("write") == 2


def test_no_card(bench):
    """Without a card there is an error, and nothing of the patient before."""
    bench.insert(MING)
    bench.control.read_holder()
    bench.remove()

    for call in (bench.control.read_holder, lambda: number(bench)):
        with pytest.raises(CardError) as caught:
            call()
        assert MING.national_id not in str(caught.value.as_json())
    assert bench.asked("write") == 0


def test_the_next_patient_is_the_next_patient(bench):
    """Every read asks anew."""
    bench.insert(MING)
    bench.control.read_holder()
    bench.insert(LING)

    assert bench.control.read_holder().national_id == LING.national_id


def test_cards_changed_in_between_stop_the_writing(bench):
    """The number is of one card, the lines would go to another: nothing is written."""
    bench.insert(MING)
    holder, reading = bench.control.read_holder(), number(bench)
    bench.insert(LING)

    with pytest.raises(WrongCard):
        bench.control.write_orders(reading, holder, orders(1))
    assert bench.asked("write") == 0


def test_an_expired_card_is_updated_once_and_asked_once_more(bench):
    """5003 and 3201 mend themselves where the way can update a card; the gateway has no such call and says what is wrong."""
    bench.expire()

    if bench.name == "gateway":
        with pytest.raises(CardExpired):
            number(bench)
        return
    assert VisitId.is_valid(number(bench).visit_id)
    assert (bench.asked("update"), bench.asked("number")) == (1, 2)


def test_a_card_that_stays_expired_ends(bench):
    """Never a loop."""
    bench.expire(for_ever=True)

    with pytest.raises(CardExpired):
        number(bench)
    assert bench.asked("number") <= 2
    assert bench.asked("update") <= 1


def test_5010_is_a_notice(bench):
    """A second department on one day is told and stops nothing."""
    bench.insert(MING)
    bench.number_answers(5010)

    reading = number(bench)

    assert reading.notices == (5010,)
    assert VisitId.is_valid(reading.visit_id)


def test_5174_keeps_the_number(bench):
    """The number stands; its ID is fetched where that can be done, and is never what the buffer happens to hold."""
    bench.insert(MING)
    bench.number_answers(5174)

    reading = number(bench)

    assert reading.notices == (5174,)
    assert reading.security_signature
    assert reading.visit_id is None if bench.name == "gateway" else VisitId.is_valid(reading.visit_id)
    assert bench.asked("number") == 1


def test_5174_keeps_the_number_when_asking_for_the_id_hangs(bench):
    """The second call fails in the worst way, and the number of the first is still handed back."""
    if bench.name == "cshis":
        bench.control._helper._limit = 1.0
    bench.insert(MING)
    bench.number_answers(5174)
    bench.hang("id")

    reading = number(bench)

    assert (reading.visit_id, reading.notices) == (None, (5174,))
    assert bench.asked("id") == (0 if bench.name == "gateway" else 1)


def test_5174_without_a_number_is_an_error(bench):
    """The bare code gives nothing to keep."""
    bench.insert(MING)
    bench.number_answers(5174, with_number=False)

    with pytest.raises(VisitIdNotMade):
        number(bench)


def test_the_data_centre_out_of_reach(bench):
    """The word is about the network, and serials for before and after a number are proposed."""
    bench.insert(MING)
    bench.cut_network()

    with pytest.raises(DataCentreDown) as caught:
        number(bench)
    assert "A020" in reader_codes.abnormal_serials(caught.value)
    assert "A021" in reader_codes.abnormal_serials(caught.value, numbered=True)


@pytest.mark.parametrize("what", ["read", "number", "write"])
def test_a_call_that_hangs_ends_and_the_next_one_works(bench, what):
    """The limit holds, the error says so, and the counter goes on."""
    if bench.name == "cshis":
        bench.control._helper._limit = 1.0
    bench.insert(MING)
    holder, reading = (bench.control.read_holder(), number(bench)) if what == "write" else (None, None)
    calls = {
        "read": bench.control.read_holder,
        "number": lambda: number(bench),
        "write": lambda: bench.control.write_orders(reading, holder, orders(1)),
    }
    bench.hang(what)
    began = time.monotonic()

    # None of the CardErrors: those say that nothing was done, and here nobody knows.
    with pytest.raises(TransportError):
        calls[what]()
    assert time.monotonic() - began < 5

    if bench.name == "cshis":
        bench.set(hang="")
    bench.insert(MING)
    assert bench.control.read_holder().national_id == MING.national_id


def test_an_id_without_a_card(bench):
    """API 1.54 needs no card; the reading says that it was made without one."""
    reading = bench.control.no_card_id(MING.national_id)

    assert reading.made_by == "no-card"
    assert VisitId.is_valid(reading.visit_id)
    assert (reading.security_signature, reading.card_number, reading.visit_serial) == (None, None, None)


@pytest.mark.parametrize("text", ["", "A12345678", "王小明", "A123456789\x00"])
def test_an_id_number_that_is_none_asks_nobody(bench, text):
    """A slip of the pen is an error of the input, before any service hears of it."""
    with pytest.raises(InvalidValue):
        bench.control.no_card_id(text)


def test_a_pharmacys_number_is_not_given_back(bench):
    """The category has no number of the year, so the answer is no and not an error."""
    bench.insert(MING)
    bench.control.read_holder()

    assert bench.control.roll_back(number(bench)) is False
    assert bench.control.roll_back(bench.control.no_card_id(MING.national_id)) is False


def test_status_never_raises(bench):
    """Whatever is down is said in the status."""
    assert bench.control.status().reachable is True
    bench.remove()
    bench.cut_network()
    bench.control.status()


def test_no_error_names_a_person(bench):
    """Every failure above, looked at once more for what it must not hold."""
    bench.insert(MING)
    bench.control.read_holder()
    reached = []
    for trouble in (lambda: bench.number_answers(5012), lambda: bench.number_answers(9999), bench.cut_network, bench.remove):
        trouble()
        try:
            number(bench)
        except NhirxError as error:
            reached.append(error)
            told = f"{error} {error.as_json()}"
            assert MING.national_id not in told
            assert MING.name not in told
    assert reached

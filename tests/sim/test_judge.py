"""Every check of the simulated NHIA, each shown by one change to a record that is otherwise accepted."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from nhirx.roc import TAIPEI, format_datetime
from nhirx.sim.book import book

_ORDER = "orders"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"H00": "9"}, "H00:01"),
        ({"H01": "X"}, "H01:02"),
        ({"H01": "C"}, "H01:D053"),
        ({"H01": "E"}, "H01:D053"),
        ({"M01": None}, "M01:AA"),
        ({"M04": "05O1231"}, "M04:AB"),
        ({"M04": "050123"}, "M04:AC"),
        ({"M04": "0501331"}, "M04:AD"),
        ({"M99": "1"}, "M99:AE"),
        ({"M46": "1"}, "M46:AF"),
        ({"M07": "01"}, "M07:AD23"),
        ({"M13": "A010"}, "M13:AD14"),
        ({"M13": "0001"}, "M13:AD14"),
        ({"M12": "7"}, "M12:AD"),
        ({"M14": "0" * 256}, "M14:04"),
        ({"M14": None}, "M14:AA"),
        ({"M02": "000012345679"}, "M03:05"),
        ({"M16": None}, "M16:AA"),
        ({"M35": None}, "M35:AA"),
        ({"M15": "0USE4FA11RP4J370WR4K"}, "M15:D002"),
        ({"M15": "F" * 20}, "M15:D002"),
        ({"M16": "MISS" + "0" * 16}, "M16:D002"),
        ({"M16": "0USE4FA11RP4J370WR4I"}, "M16:D002"),
        ({"M03": "A223456781"}, "M15:D003"),
        ({"M19": "1990101000000"}, "M19:D007"),
        ({"M18": "ICND"}, "M16:D067"),
        ({"M49": "1130305093000"}, "M49:AF"),
        ({"M23": "E"}, "M23:D011"),
        ({"M23": "1", "M20": "0"}, "M23:D056"),
        ({"M20": "7"}, "D09[1]:D041"),
        ({"M21": "50", "M26": "2"}, "M21:D008"),
        ({"M21": "84"}, "M26:D014"),
        ({"M26": "3"}, "M26:D015"),
        ({"M22": "84"}, "M29:D017"),
        ({"M29": "3"}, "M29:D018"),
        ({"M20": "2", "M21": "6", "M26": "3"}, "M21:D009"),
        ({"M20": "2", "M22": "6", "M29": "3"}, "M22:D010"),
        ({"M21": "84", "M26": "3", "M33": "4"}, "M33:D019"),
        ({"M24": None}, "M24:D064"),
        ({_ORDER: []}, "MB2:Y012"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_one_change_one_code(ready: Any, records: Any, changes: dict[str, Any], code: str) -> None:
    """The change is reported under its field with its code, and the record is rejected."""
    record = records.normal(**changes)
    assert code in ready.codes(record)
    assert ready.sim.ledger.records()[record["M15"]]["state"] == "rejected"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"D01": "1130305093000"}, "D01[1]:BE"),
        ({"D02": "M"}, "D02[1]:D027"),
        ({"D03": None}, "D03[1]:AA"),
        ({"D03": "1"}, "D03[1]:AC"),
        ({"D05": None}, "D05[1]:D029"),
        ({"D08": None}, "D08[1]:D029"),
        ({"D09": "0"}, "D09[1]:D040"),
        ({"D10": "28.0.0"}, "D10[1]:AB"),
        ({"D10": "000028.0"}, "D10[1]:AC"),
        ({"D99": "1"}, "D99[1]:AE"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_one_change_to_an_order(ready: Any, records: Any, changes: dict[str, Any], code: str) -> None:
    """Order lines are named by their 1-based place."""
    record = records.normal()
    record[_ORDER] = [record[_ORDER][0] | changes]
    assert code in ready.codes(record)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"M13": None}, "M13:AA"),
        ({"M13": "0001"}, "M13:AD02"),
        ({"M01": "SAM000000001"}, "M01:AF"),
        ({"M14": "A" * 256}, "M14:AF"),
        ({"M13": "G000", "M12": "2"}, "M12:D020"),
        ({"M15": "F" * 20}, "M15:D002"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_one_change_to_an_abnormal_record(ready: Any, records: Any, changes: dict[str, Any], code: str) -> None:
    """Without a card other fields are needed and others are forbidden."""
    assert code in ready.codes(records.abnormal(**changes))


def test_ids_of_the_wrong_service(ready: Any, records: Any) -> None:
    """A card-made ID does not go into an abnormal record, one made without card not into a normal one."""
    normal, abnormal = records.normal(), records.abnormal()
    assert "M15:D069" in ready.codes(normal | {"M15": abnormal["M15"]})
    assert "M15:D070" in ready.codes(abnormal | {"M15": normal["M15"]})


def test_the_time_inside_the_id(ready: Any, records: Any) -> None:
    """M11 of a card visit is the second inside the ID."""
    record = records.normal()
    other = format_datetime(datetime.now(TAIPEI) - timedelta(hours=1))
    line = record[_ORDER][0] | {"D01": other}
    assert "M15:D005" in ready.codes(record | {"M11": other, _ORDER: [line]})


def test_the_institution_inside_the_id(ready: Any, records: Any, sim: Any) -> None:
    """An ID that was made for another institution."""
    record = records.normal()
    visit_id, _ = sim.world.visit_ids.make("card", "3502060427", "A123456789", datetime.now(TAIPEI))
    assert "M15:D004" in ready.codes(record | {"M15": visit_id})


def test_no_origin_at_all(ready: Any, records: Any) -> None:
    """With the serial of a delivery without NHI status the origin is empty, and is not missed."""
    gone = {"M16": None, "M17": None, "M19": None}
    assert ready.codes(records.normal(M18="ICND", **gone)) == []


def test_too_late_and_too_early(ready: Any, records: Any) -> None:
    """Not before the visit, and not after the window has closed."""
    record = records.normal()
    ready.post("/sim/clock", advance=-3600)
    assert "M11:BD" in ready.codes(record)
    ready.post("/sim/clock", advance=3600 + 93 * 86400)
    assert "M11:BH" in ready.codes(record)


def test_before_birth(ready: Any, records: Any) -> None:
    """Nobody is treated before being born."""
    assert "M11:BG" in ready.codes(records.normal(M04="1990101"))


def test_no_identity(ready: Any, records: Any) -> None:
    """Twenty Fs with a serial for people without NHI status."""
    assert ready.codes(records.abnormal(M13="IC09", M15="F" * 20)) == []


@pytest.mark.parametrize("origin", ["9" * 20, "C000" + "0" * 16, "A031" + "0" * 16, "G000" + "0" * 16, "0USE4FA11RP4J370WR4K"])
def test_origins_that_are_taken(ready: Any, records: Any, origin: str) -> None:
    """A printed ID, twenty 9s, and the codes of the newer rule."""
    assert ready.codes(records.normal(M16=origin)) == []


def test_repeated_line_numbers(ready: Any, records: Any) -> None:
    """The second line with the same number is named."""
    record = records.normal()
    assert "D03[2]:D028" in ready.codes(record | {_ORDER: record[_ORDER] * 2})


def test_order_signature_is_only_a_warning(ready: Any, records: Any) -> None:
    """A missing one and a wrong one: the record stays accepted."""
    for signature in (None, "0" * 40, "0"):
        record = records.normal()
        record[_ORDER] = [record[_ORDER][0] | {"D11": signature}]
        assert ready.codes(record) == ["D11[1]:16"]
        assert ready.sim.ledger.records()[record["M15"]]["state"] == "accepted"


def _make_up(records: Any, **changes: Any) -> dict[str, Any]:
    """A patient without card in the morning who came back: the first ID goes to M52."""
    records.client.post("/sim/clock", advance=-7200)
    first = records.client.no_card_id()
    records.client.post("/sim/clock", reset=True)
    made: dict[str, Any] = records.normal(M12="2", M49=first["treatmentDateTime"], M52=first["treatmentNumber"])
    return made | changes


def test_a_make_up(ready: Any, records: Any) -> None:
    """Actual time and actual ID beside the new ones."""
    assert ready.codes(_make_up(records)) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"M49": None}, "M49:AA"),
        ({"M52": None}, "M52:AA"),
        ({"M49": "1990101000000"}, "M49:D060"),
        ({"M12": "4"}, "M52:D054"),
        ({"M12": "3"}, "M49:D055"),
        ({"M12": "1"}, "M52:AF"),
        ({"M52": "0USE4FA11RP4J370WR4K"}, "M52:D002"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_wrong_make_up(ready: Any, records: Any, changes: dict[str, Any], code: str) -> None:
    """What each make-up mark asks for."""
    assert code in ready.codes(_make_up(records, **changes))


def test_a_make_up_without_first_id(ready: Any, records: Any) -> None:
    """The report-form case with its special value."""
    assert ready.codes(_make_up(records, M12="4", M52="MISS" + "0" * 16)) == []


def test_a_card_id_as_the_actual_one(ready: Any, records: Any) -> None:
    """The ID of the actual visit was made without card, and for this person."""
    assert "M52:D072" in ready.codes(_make_up(records, M52=records.normal()["M15"]))
    other = ready.no_card_id("A223456781")["treatmentNumber"]
    assert "M52:D003" in ready.codes(_make_up(records, M52=other))


def _file_code(ready: Any, data: str | bytes) -> str:
    result = ready.result(ready.upload(data))
    return str(result["recs"][0]["errors"][0]["code"])


def test_whole_files(ready: Any, records: Any) -> None:
    """What rejects a file with all its records."""
    good = records.xml(records.normal())
    assert _file_code(ready, good + "<RECS></RECS>") == "Y015"
    assert _file_code(ready, good.replace("</RECS>", "")) == "Y007"
    assert _file_code(ready, good.replace("</REC>", "")) == "Y006"
    assert _file_code(ready, good.replace("<MSH>", "<MSX>").replace("</MSH>", "</MSX>")) == "Y002"
    assert _file_code(ready, good.replace("<M20>", "<M20")) == "Y003"
    assert _file_code(ready, good.replace("<MB1>", "<MB3>").replace("</MB1>", "</MB3>")) == "Y005"
    assert _file_code(ready, b"\xff\xfe\x81" + good.encode()) == "Y014"
    assert _file_code(ready, good.replace("<M05>5901234567", "<M05>3502060427")) == "07"


def test_entities_are_not_resolved(ready: Any, records: Any) -> None:
    """A document type with an entity is refused, not expanded."""
    bomb = records.xml(records.normal()).replace("<RECS>", '<!DOCTYPE RECS [<!ENTITY a "aaaaaaaaaa">]><RECS>', 1)
    assert _file_code(ready, bomb.replace("<M35>I10", "<M35>&a;")) == "Y003"


def test_too_many_orders(ready: Any, records: Any) -> None:
    """AG: five hundred lines are the limit."""
    record = records.normal()
    lines = [record[_ORDER][0] | {"D03": f"{number:03d}"} for number in range(1, 502)]
    assert "MB2:AG" in ready.codes(record | {_ORDER: lines})


def test_an_action_that_does_not_exist_stops_the_other_checks(ready: Any, records: Any) -> None:
    """Y008: without it the rest cannot be judged."""
    assert ready.codes(records.normal(H01="X", M07="01")) == ["H01:02", "H01:Y008"]


def test_an_id_from_the_future(ready: Any, records: Any) -> None:
    """D075: a no-card ID whose second has not come yet."""
    record = records.abnormal()
    earlier = format_datetime(datetime.now(TAIPEI) - timedelta(hours=3))
    line = record[_ORDER][0] | {"D01": earlier}
    ready.post("/sim/clock", advance=-3600)
    assert "M15:D075" in ready.codes(record | {"M11": earlier, _ORDER: [line]})


def test_every_check_has_a_test(repository: Any) -> None:
    """No code of the data file without an example here or in the tests of the Web API."""
    text = "".join((repository / "tests" / "sim" / name).read_text("utf-8") for name in ("test_judge.py", "test_web_api.py"))
    shown = {
        check["code"] for check in book()["checks"].values() if f':{check["code"]}"' in text or f'== "{check["code"]}"' in text
    }
    assert {check["code"] for check in book()["checks"].values()} - shown == set()


# Only the NHIA can find these: signatures, its own list of cards and IDs, who is uploading.
_ONLY_THERE = {"04", "05", "07", "16", "D002", "D003"}
# Our check warns where the sources leave length or need open; the sandbox is strict there.
_SOFT = {"M51", "M56", "D03", "D09"}


@pytest.mark.parametrize("kind", ["normal", "abnormal"])
def test_what_our_own_check_passes_is_accepted(ready: Any, records: Any, sim: Any, kind: str) -> None:
    """The two were written apart from each other; a record that the sandbox rejects is stopped before sending."""
    from nhirx.model import UploadRecord
    from nhirx.records.check import check_record
    from nhirx.sim import inbox
    from nhirx.sim.bench import Bench
    from nhirx.sim.judge import code_of, judge

    good = getattr(records, kind)(M56="30")
    values = (None, "0", "1", "9", "A", "X", "AB", "A010", "50", "84", "-1", "1.5", "9" * 20, "MISS" + "0" * 16, "1130230000000")
    fields = [name for name in book()["shape"] if name[0] in "HM"]
    lines = [name for name in book()["shape"] if name[0] == "D"]
    changed = [good | {name: value} for name in fields for value in values]
    changed += [good | {_ORDER: [good[_ORDER][0] | {name: value}]} for name in lines for value in values]
    missed = []
    for record in changed:
        (verdict,) = judge(inbox.read(records.xml(record).encode("cp950")), Bench.of(sim.world))
        theirs = {(note.field, code_of(note)) for note in verdict.notes}
        serious = {(name, code) for name, code in theirs if code not in _ONLY_THERE and name not in _SOFT}
        sent = UploadRecord(
            fields={name: value for name, value in record.items() if name != _ORDER and value},
            orders=tuple({name: value for name, value in line.items() if value} for line in record[_ORDER]),
        )
        if serious and not any(found.severity == "error" for found in check_record(sent, today=datetime.now(TAIPEI).date())):
            missed.append(serious)
    assert missed == []

"""Who, where and when: times against each other, the visit ID against the record, the security signature against both."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from datetime import datetime

from nhirx import roc
from nhirx.identifiers import PlaceholderId, VisitId
from nhirx.sim.bench import Bench
from nhirx.sim.book import book
from nhirx.sim.inbox import Note, Sent


def times(record: Sent, bench: Bench, wrong: set[str]) -> Iterator[Note]:
    """M11 against today and the birth date, M19 and M49 against M11, the make-up rules."""
    visited = _time(record, "M11", wrong)
    if visited is None:
        return
    if visited > bench.now:
        yield Note("later-than-upload", "M11")
    if (bench.now - visited).days > book()["record"]["window-days"]:
        yield Note("too-old", "M11")
    if "M04" not in wrong and record.get("M04") and visited.date() < roc.parse_date(record.get("M04")):
        yield Note("before-birth", "M11")
    origin = _time(record, "M19", wrong)
    if origin is not None and origin >= visited:
        yield Note("origin-not-earlier", "M19")
    yield from _make_up(record, visited, _time(record, "M49", wrong), wrong)


def _make_up(record: Sent, visited: datetime, actual: datetime | None, wrong: set[str]) -> Iterator[Note]:
    rules, mark = book()["make-up"], record.get("M12")
    if mark == rules["none"]:
        for name in ("M49", "M52"):
            if record.get(name):
                yield Note("must-be-empty", name)
        return
    if mark not in rules["values"]:
        return
    if not record.get("M49"):
        yield Note("missing", "M49")
    elif actual is not None and actual >= visited:
        yield Note("real-time-not-earlier", "M49")
    if mark == rules["usual"] and not record.get("M52"):
        yield Note("missing", "M52")
    if mark == rules["without-id"] and record.get("M52") != book()["placeholder"]["missing"]:
        yield Note("make-up-needs-missing", "M52")
    if mark == rules["newborn"] and actual is not None and record.get("M04") and "M04" not in wrong:
        over, up_to = rules["newborn-days"]
        if not over < (actual.date() - roc.parse_date(record.get("M04"))).days <= up_to:
            yield Note("newborn-age", "M49")


def visit(record: Sent, bench: Bench, wrong: set[str]) -> Iterator[Note]:
    """M15, M16 and M52: made by the right service, for this person, here, at this time."""
    holders, marks = book()["placeholder"], book()["record"]
    text = record.get("M15")
    if text and "M15" not in wrong:
        if text == holders["effs"]:
            if record.get("H01") != marks["abnormal"] or record.get("M13") not in book()["serial"]["no-identity"]:
                yield Note("visit-id-invalid", "M15")
        elif text != holders["before-format2"]:  # until which day that one may be used differs by pharmacy: not judged
            yield from _own(record, bench, text, wrong)
    origin = record.get("M16")
    if origin and "M16" not in wrong and not _is_origin(origin):
        yield Note("visit-id-invalid", "M16")
    actual = record.get("M52")
    if actual and "M52" not in wrong and actual != holders["missing"]:
        made = bench.visit_ids.read(actual)
        if made is None:
            yield Note("visit-id-invalid", "M52")
        elif made.service != "no-card":
            yield Note("card-id-as-actual", "M52")
        elif (
            # A newborn's actual visit may carry the mother's number, so only other records are compared.
            made.holder_prefix != record.get("M03")[:9]
            and not record.get("M08")
            and record.get("M12") != book()["make-up"]["newborn"]
        ):
            yield Note("holder-in-id-differs", "M52")


def _own(record: Sent, bench: Bench, text: str, wrong: set[str]) -> Iterator[Note]:
    made = bench.visit_ids.read(text)
    if made is None:
        yield Note("visit-id-invalid", "M15")
        return
    abnormal = record.get("H01") == book()["record"]["abnormal"]
    if made.service == "no-card" and not abnormal:
        yield Note("no-card-id-in-normal", "M15")
    if made.service != "no-card" and abnormal:
        yield Note("card-id-in-abnormal", "M15")
    if made.holder_prefix != record.get("M03")[:9]:
        yield Note("holder-in-id-differs", "M15")
    if made.institution != record.get("M05"):
        yield Note("institution-in-id-differs", "M15")
    visited = _time(record, "M11", wrong)
    # How far an ID made after an outage may lie from the event is not published, so only card-made ones are compared.
    if visited is not None and not abnormal and made.made_at != visited:
        yield Note("time-in-id-differs", "M15")
    if visited is not None and abnormal and made.made_at is not None and made.made_at > bench.now:
        yield Note("id-time-implausible", "M15")


def _is_origin(text: str) -> bool:
    holders = book()["placeholder"]
    if text in (holders["nines"], holders["effs"]):
        return True
    if PlaceholderId.is_valid(text):
        return PlaceholderId.parse(text).code in holders["origin"]
    return VisitId.is_valid(text)


def signature(record: Sent, bench: Bench, wrong: set[str]) -> Iterator[Note]:
    """M14 over the fields it was made for, and the card against its holder."""
    if record.get("H01") != book()["record"]["normal"]:
        return
    person = bench.known(record.get("M02"))
    if record.get("M02") and person is not None:
        same = person.national_id == record.get("M03") and person.birthday == record.get("M04")
        if not same:
            yield Note("card-holder-differs", "M03")
    if record.get("M14") and "M14" not in wrong:
        expected = bench.signer.visit(
            sam=record.get("M01"),
            card=record.get("M02"),
            holder=record.get("M03"),
            institution=record.get("M05"),
            visited_at=record.get("M11"),
            visit_id=record.get("M15"),
        )
        if not hmac.compare_digest(expected.encode(), record.get("M14").upper().encode("utf-8", "replace")):
            yield Note("signature-wrong", "M14")


def deletion(record: Sent, bench: Bench, inside: dict[str, str]) -> Iterator[Note]:
    """Only what is there can be deleted."""
    visit_id = record.get("M15")
    if visit_id and inside.get(visit_id, bench.state_of(visit_id)) != "accepted":
        yield Note("delete-unknown", "M15")


def _time(record: Sent, name: str, wrong: set[str]) -> datetime | None:
    value = record.get(name)
    return roc.parse_datetime(value) if value and name not in wrong and roc.is_datetime(value) else None

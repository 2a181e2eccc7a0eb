"""Who, when, what and why: every upload, override, reveal and deletion at the counter leaves a line that says all four."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime

from nhirx.counter import kept
from nhirx.model import CheckError, CheckResult, Receipt
from nhirx.outbox import retention
from nhirx.roc import TAIPEI


def dispensed(shop, page, **more):
    header = {"Idempotency-Key": str(uuid.uuid4())}
    return page.ok("POST", "/dispensings", {"prescription": shop.prescription()} | more, headers=header)["dispensing"]


def note(shop, event, number):
    """The last line of ``event`` about ``number``, with its note as a tree."""
    line = [one for one in shop.host.outbox.trail(limit=1000) if (one.event, one.subject_id) == (event, number)][-1]
    return line.who, line.at.tzinfo, json.loads(line.note)


def test_what_a_person_takes_upon_themselves_has_its_reason(shop, page):
    """Confirmed by hand, looked at in full, corrected, withdrawn: the trail says so, without a value of the record."""
    page.ok("POST", "/worker", {"action": "pause"})
    made = dispensed(shop, page, confirmed=True)
    number, queue = made["record_id"], shop.host.outbox.queue
    page.ok("POST", f"/records/{number}/reveal", {"why": "病人詢問"})
    page.get(f"/api/v1/records/{number}/xml")
    page.ok("POST", "/card/read", {"reveal": True})
    queue.sent([number], Receipt(opcode=f"OP{number}", received_at=shop.host.clock()))
    wrong = CheckError(field="M18", code="D067", zh="", en="", severity="error")
    queue.rejected(number, CheckResult(accepted=False, errors=(wrong,)))
    new = page.ok("POST", f"/records/{number}/correction", {"fields": {"M18": None}})["id"]
    page.ok("POST", f"/records/{new}/withdraw", {"why": "改開紙本"})
    page.ok("POST", "/worker", {"action": "resume"})
    reveal = [one for one in shop.host.outbox.trail(limit=1000) if one.event == "card-reveal"][-1]

    assert ("counter", {"confirmed": True, "card": "present", "abnormal": None}) == note(shop, "dispense", made["id"])[::2]
    assert "A" == note(shop, "put", number)[2]["kind"]
    assert {"opcode": f"OP{number}", "place": 1} == note(shop, "receive", number)[2]
    assert ("counter", {"why": "病人詢問"}) == note(shop, "reveal", number)[::2]
    assert ("counter", {"why": "upload looked at"}) == note(shop, "xml", number)[::2]
    assert ("counter", {"why": "form"}) == (reveal.who, json.loads(reveal.note))
    assert ("counter", {"by_hand": ["M18"], "of": number, "why": ["M18:D067"]}) == note(shop, "correct", new)[::2]
    assert ("counter", TAIPEI, {"why": "改開紙本"}) == note(shop, "withdraw", new)


def test_what_is_closed_or_erased_has_its_reason(own):
    """A dispensing given up, what was finished erased: who, why, and up to which day."""
    with own(send=False) as shop, shop.page() as page:
        given_up = shop.host.outbox.journal.open({"n": 1}, None, {"patient": {"national_id": "A123456789"}})
        page.ok("POST", f"/dispensings/{given_up}/abandon", {"why": "A123456789 未取藥"})
        day = datetime(2099, 1, 1, tzinfo=UTC)

        assert 1 == retention.purge(shop.host.outbox, day, by="p1", why="outbox.keep_months 84")
        assert 0 == kept.purge(shop.server.options.folder, day)
        assert ("counter", {"why": "A1*******9 未取藥"}) == note(shop, "give-up", given_up)[::2]

        (line,) = [one for one in shop.host.outbox.trail(limit=100) if one.event == "purge"]
        told = {"first": given_up, "last": given_up, "count": 1, "before": day.isoformat(), "why": "outbox.keep_months 84"}

        assert ("p1", "dispensings", told) == (line.who, line.subject, json.loads(line.note))

"""Records: what became of them, looked at without names, put right, and never in full without a line in the audit trail."""

from __future__ import annotations

import uuid
from datetime import date

import pytest

from nhirx.model import CheckError, CheckResult, Receipt
from nhirx.sim import PEOPLE


def dispensed(shop, page, known=None, **more):
    header = {"Idempotency-Key": str(uuid.uuid4())}
    done = page.ok("POST", "/dispensings", {"prescription": known or shop.prescription()} | more, headers=header)
    return done["dispensing"]["record_id"]


def rejected_by_the_nhi(shop, page):
    """The card held an old birth date, which the NHIA has corrected since: only there can it be seen."""
    page.ok("POST", "/worker", {"action": "pause"})
    old = shop.sim.insert_card(PEOPLE[0], birth_date=date(1961, 12, 30))
    record = dispensed(shop, page, shop.prescription(old))
    shop.sim.insert_card(PEOPLE[0])
    page.ok("POST", "/worker", {"action": "resume"})
    return shop.settled(page, record)


def judged(shop, page, *errors):
    """A record that the NHI has rejected with these errors, whatever it holds."""
    page.ok("POST", "/worker", {"action": "pause"})
    record = dispensed(shop, page)
    queue = shop.host.outbox.queue
    item = queue.item(record)
    queue.sent([item.id], Receipt(opcode=f"OP{record}", received_at=shop.host.clock()))
    queue.rejected(item.id, CheckResult(accepted=False, errors=errors))
    page.ok("POST", "/worker", {"action": "resume"})
    return record


def test_the_list_of_a_day_is_masked_and_searched_by_what_is_no_identity(shop, page):
    """Last four, Opcode, the pharmacy system's own number, state, day, drug and prescriber."""
    known = shop.prescription()
    record = dispensed(shop, page, known)
    opcode = shop.settled(page, record)["opcode"]
    day = shop.host.clock().date().isoformat()
    queries = [
        f"day={day}",
        "state=accepted",
        f"q={known['reference']}",
        f"q={opcode}",
        f"q={known['sheet']['visit_id'][-4:]}",
        f"q={record}",
        f"q={day}",
        f"q={known['orders'][0]['code']}",
        f"q={known['sheet']['institution']}",
    ]
    found = [[one["id"] for one in page.ok("GET", f"/records?{query}")["items"]] for query in queries]
    nothing = [*page.ok("GET", "/records?q=ZZZZ")["items"], *page.ok("GET", f"/records?q={PEOPLE[0].card_number}")["items"]]
    listed = str(page.ok("GET", f"/records?day={day}"))

    assert [True] * len(queries) == [record in ids for ids in found]
    assert [] == nothing
    assert known["patient"]["national_id"] not in listed
    assert known["sheet"]["visit_id"] not in listed
    assert [] == page.ok("GET", "/records?day=1100101")["items"]


@pytest.mark.parametrize("query", ["day=nonsense", "day=99999999", "state=nonsense", "limit=0", "limit=x"])
def test_a_wrong_filter_is_said(page, query):
    assert (422, "request-invalid") == _code(page.call("GET", f"/records?{query}"))


def test_a_record_shows_fields_with_rules_and_its_story(shop, page):
    record = shop.settled(page, dispensed(shop, page))
    rows = {row["field"]: row for row in record["fields"] if row["order"] is None}

    assert "A12******9" == rows["M03"]["value_masked"]
    assert rows["M16"]["rule"]
    assert {1} == {row["order"] for row in record["fields"] if row["order"]}
    assert ["put", "receive", "accept"] == [line["event"] for line in record["history"]]
    assert (True, []) == (record["check"]["accepted"], [e for e in record["check"]["errors"] if e["severity"] == "error"])


def test_the_whole_record_and_its_xml_leave_a_line_in_the_audit_trail(shop, page):
    """Who looked, and why, without the person in the reason."""
    record = dispensed(shop, page)
    full = page.ok("POST", f"/records/{record}/reveal", {"why": "病人 A123456789 詢問"})
    xml = page.get(f"/api/v1/records/{record}/xml")
    lines = shop.host.outbox.trail(limit=20)

    assert {"field": "M03", "value": "A123456789"} in full["fields"]
    assert b"<M03>A123456789</M03>" in xml.content
    assert "application/xml" == xml.headers["content-type"].split(";")[0]
    assert {"reveal", "xml"} <= {line.event for line in lines if line.subject_id == record}
    assert "A123456789" not in "".join(line.note for line in lines)


def test_a_rejected_record_is_put_right_by_a_person_and_accepted(shop, page):
    """The page names field and remedy; the right value makes a new record that takes the place of the first."""
    refused = rejected_by_the_nhi(shop, page)
    number = refused["id"]
    errors = [one for one in refused["check"]["errors"] if one["severity"] == "error"]
    proposed = page.ok("GET", f"/records/{number}/correction")
    unknown = page.call("POST", f"/records/{number}/correction")
    new = page.ok("POST", f"/records/{number}/correction", {"fields": {"M04": "0501231"}})
    record = shop.settled(page, new["id"])

    assert "rejected" == refused["state"]
    assert all(one["field"] and one["zh"] and one["fix_zh"] and one["fix_en"] for one in errors)
    assert (False, []) == (proposed["possible"], proposed["changes"])
    assert [(one["field"], one["code"]) for one in errors] == [(one["field"], one["code"]) for one in proposed["open"]]
    assert ["M04"] == proposed["open"][0]["look_at"], "the remedy speaks of the birth date, too"
    assert (409, "correction-unknown") == _code(unknown)
    assert ("accepted", refused["visit_id_masked"]) == (record["state"], record["visit_id_masked"])
    assert "superseded" == page.ok("GET", f"/records/{number}")["state"]
    assert ("counter", "correct") in shop.trail()


def test_what_has_one_right_content_is_proposed_and_sent_as_it_is(shop, page):
    """A field that must be empty is emptied; before and after stand side by side."""
    number = judged(shop, page, CheckError(field="M18", code="D067"))
    proposed = page.ok("GET", f"/records/{number}/correction")
    [change] = proposed["changes"]
    new = page.ok("POST", f"/records/{number}/correction")

    assert (True, [], "M18", "0007", None) == (
        proposed["possible"],
        proposed["open"],
        change["field"],
        change["before_masked"],
        change["after_masked"],
    )
    assert shop.settled(page, new["id"])


def test_a_correction_that_our_own_checks_refuse_is_not_sent(shop, page):
    """With the field and the code that are still wrong."""
    number = judged(shop, page, CheckError(field="M19", code="AD09"))
    status, answer = page.call("POST", f"/records/{number}/correction", {"fields": {"M19": "nonsense"}})
    line = page.call("POST", f"/records/{number}/correction", {"orders": {"99": {"D03": "x"}}})

    assert (409, "check-failed") == (status, answer["error"]["code"])
    assert "M19" in {one["field"] for one in answer["error"]["detail"]["errors"]}
    assert (422, "request-invalid") == _code(line)


def test_a_rejected_record_is_sent_again_or_withdrawn(shop, page):
    first, second = (judged(shop, page, CheckError(field="M19", code="AD09")) for _ in range(2))
    again = page.ok("POST", f"/records/{first}/retry")
    settled = shop.settled(page, first)
    out = page.ok("POST", f"/records/{second}/withdraw", {"why": "重複"})

    # The background upload may take it before the answer is made.
    assert again["state"] in {"built", "sending", "sent", "accepted"}
    assert ("accepted", "withdrawn") == (settled["state"], out["state"])
    assert (409, "transition-refused") == _code(page.call("POST", f"/records/{first}/retry"))


@pytest.mark.parametrize("act", ["", "/xml", "/reveal", "/retry", "/correction", "/withdraw"])
def test_a_record_that_does_not_exist_is_404(page, act):
    method = "GET" if act in ("", "/xml") else "POST"
    body = {"why": "x"} if act in ("/reveal", "/withdraw") else None

    assert (404, "not-found") == _code(page.call(method, f"/records/999999{act}", body))


def test_the_upload_is_paused_and_goes_on(shop, page):
    """What is paused waits; the word of a person is enough to go on."""
    paused = page.ok("POST", "/worker", {"action": "pause"})
    record = dispensed(shop, page)
    waiting = page.ok("GET", f"/records/{record}")["state"]
    page.ok("POST", "/worker", {"action": "send-now"})

    assert ("paused", "built") == (paused["state"], waiting)
    assert "accepted" == shop.settled(page, record)["state"]


def test_a_service_that_is_down_is_said_and_what_waits_is_sent_at_a_word(own):
    """VPN down: the record waits, the state says why, and send-now does not wait for the pause to end."""
    with own() as shop, shop.page() as page:
        shop.sim.fail("/V2000/VNHI_Upload", "reset", times=1000)
        record = dispensed(shop, page)
        down = _until(page, lambda state: state["worker"]["breaker"] == "open")
        shop.sim.faults.clear()
        page.ok("POST", "/worker", {"action": "send-now"})
        settled = shop.settled(page, record)

    assert down["worker"]["reason_zh"]
    assert down["worker"]["code"]
    assert "accepted" == settled["state"]


def test_the_list_of_the_day_is_printed_masked_in_both_languages(shop, page):
    known = shop.prescription()
    dispensed(shop, page, known)
    zh, en = (page.get(f"/api/v1/print/today?format=html&lang={lang}") for lang in ("zh", "en"))
    style = page.get("/api/v1/print/style.css")

    assert "A12******9" in zh.text
    assert "病人" in zh.text
    assert "patient" in en.text
    assert "style=" not in zh.text
    assert known["patient"]["national_id"] not in zh.text + en.text
    assert "text/css" == style.headers["content-type"].split(";")[0]
    assert (422, "request-invalid") == _code(page.call("GET", "/print/today?day=x"))


def _until(page, fits):
    from tests.counter.conftest import wait_for

    def look():
        state = page.ok("GET", "/state")
        return state if fits(state) else None

    return wait_for(look, "the state")


def _code(answer):
    return answer[0], answer[1]["error"]["code"]

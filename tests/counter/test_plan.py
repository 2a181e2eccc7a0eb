"""The plan before the card: every field with its rule, the arithmetic of the next fill, findings as cards."""

from __future__ import annotations

from nhirx.model import Refill
from nhirx.sim import PEOPLE


def test_every_field_comes_with_its_rule_and_persons_are_masked(shop, page):
    """What the page shows on hover; nothing of it names the patient in full."""
    known = shop.prescription()
    plan = page.ok("POST", "/plan", {"prescription": known})
    rows = {row["field"]: row for row in plan["explained"]}

    assert (True, "upload", "1.53") == (plan["ok"], plan["action"], plan["call"])
    assert rows["M03"]["value_masked"] == "A12******9"
    assert rows["M16"]["value_masked"] == known["sheet"]["visit_id"][:4] + "*" * 14 + known["sheet"]["visit_id"][-2:]
    assert all(row["rule"] and row["source"] and row["why_zh"] and row["why_en"] for row in rows.values())
    assert {"M11", "M15"} <= {name for name, row in rows.items() if row["from_card"]}


def test_all_that_will_be_sent_is_shown_before_the_card_is_asked(shop, page):
    """Fields of the visit and of every line, as they are in the record that is sent, but what the card gives; the XML masked."""
    known = shop.prescription()
    plan = page.ok("POST", "/plan", {"prescription": known})
    told = {(row["order"], row["field"]): row for row in plan["record"]}
    done = page.ok("POST", "/dispensings", {"prescription": known})["dispensing"]
    sent = {(row["order"], row["field"]): row for row in page.ok("GET", f"/records/{done['record_id']}")["fields"]}
    mine = {place: row["value_masked"] for place, row in told.items() if not row["from_card"]}

    assert set(sent) == set(told)
    assert {place: sent[place]["value_masked"] for place in mine} == mine
    assert {(None, "M11"), (None, "M15"), (1, "D01"), (1, "D11")} <= {place for place, row in told.items() if row["from_card"]}
    assert all(row["source"] and row["why_zh"] for place, row in told.items() if place[1] in {"D02", "D04", "D05", "M24"})
    assert {(1, "D06"), (None, "M44")} <= set(mine)
    assert f"<D06>{known['orders'][0]['code']}</D06>" in plan["xml"].replace("\n", "")
    assert known["patient"]["national_id"] not in plan["xml"]
    assert known["sheet"]["visit_id"] not in plan["xml"]


def test_where_nothing_is_sent_there_is_no_record_to_show(shop, page):
    """A held card: the plan stands, without a record."""
    plan = page.ok("POST", "/plan", {"prescription": shop.prescription(), "card": {"state": "absent"}})

    assert (None, None) == (plan["record"], plan["xml"])


def test_the_next_fill_is_counted_before_the_eyes(shop, page):
    """Ten days before the supply runs out, in words of both languages."""
    known = shop.prescription()
    known["sheet"]["refill"] = Refill(number=1, of=3, days=28, total_days=84).model_dump()
    plan = page.ok("POST", "/plan", {"prescription": known, "dispensed_at": "2026-11-20T09:00:13+08:00"} | _visited(known))
    refill = plan["refill"]

    assert (1, 3, "2026-12-08") == (refill["number"], refill["of"], refill["next_from"])
    assert "屆滿" in refill["zh"]
    assert "run out" in refill["en"]
    assert {"refill-window", "upload"} <= {window["id"] for window in plan["windows"]}


def test_findings_are_cards_with_a_source(shop, page):
    """Too early for the second fill: said with the rule it comes from."""
    known = shop.prescription()
    known["sheet"]["refill"] = Refill(number=2, of=3, days=28, total_days=84).model_dump()
    plan = page.ok("POST", "/plan", {"prescription": known})

    assert plan["findings"]
    assert all({"severity", "code", "zh", "en", "source"} <= set(one) for one in plan["findings"])
    assert plan["refill"]["earliest"]["first"]


def test_no_card_means_hold(shop, page):
    plan = page.ok("POST", "/plan", {"prescription": shop.prescription(), "card": {"state": "absent"}})

    assert ("hold", "1.54") == (plan["action"], plan["call"])


def test_an_id_that_differs_from_the_scanned_sheet_is_refused(shop, page, rendered):
    """One of the two belongs to another visit, and only a person can tell which."""
    data = (rendered / "demo-sheet.jpg").read_bytes()
    ref = page.request("POST", "/api/v1/scans", content=data).json()["scans"][0]["ref"]
    status, answer = page.call("POST", "/plan", {"prescription": shop.prescription(), "scan_ref": ref})

    assert (409, "wrong-sheet") == (status, answer["error"]["code"])


def test_the_card_is_compared_with_the_patient_of_the_last_plan(shop, page):
    """The reader is watched while the sheet is on the screen."""
    before = page.ok("GET", "/card")
    page.ok("POST", "/plan", {"prescription": shop.prescription()})
    same = page.ok("GET", "/card")
    shop.sim.insert_card(PEOPLE[1])
    other = page.ok("GET", "/card")

    assert [None, True, False] == [one["matches"] for one in (before, same, other)]
    assert {"name": "陳○玲", "national_id": "A22******1", "birth_date": "1988-**-**", "sex": "F"} == other["holder"]


def test_the_identity_for_a_form_is_given_in_full_and_written_down(shop, page):
    """Only on the explicit wish, and the audit trail tells who asked."""
    refused = page.call("POST", "/card/read", {"reveal": False})
    identity = page.ok("POST", "/card/read", {"reveal": True})

    assert 422 == refused[0]
    assert {"national_id": "A123456789", "birth_date": "1961-12-31", "name": "王小明"} == identity
    assert ("counter", "card-reveal") in shop.trail()


def test_an_empty_reader_is_an_error_with_words(shop, page):
    shop.sim.remove_card()
    status, answer = page.call("GET", "/card")

    assert (409, "card-absent") == (status, answer["error"]["code"])


def test_the_state_tells_reader_upload_counts_and_what_is_missing(shop, page):
    state = page.ok("GET", "/state")

    assert {"running", "closed"} == {state["worker"]["state"], state["worker"]["breaker"]}
    assert {"unfinished", "held"} == set(state["counts"]["journal"])
    assert ([], "B20******2", [{"name": "known", "state": "loaded", "zh": None, "en": None}]) == (
        state["settings_missing"],
        state["pharmacy"]["pharmacist"],
        state["plugins"],
    )


def _visited(known):
    known["sheet"]["visited_at"] = "2026-11-18T09:30:00+08:00"
    return {}

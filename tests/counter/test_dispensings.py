"""Dispensing over the API: the whole way, every way it can stop, and never twice."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from nhirx import hookimpl
from nhirx.model import Finding
from nhirx.sim import PEOPLE
from tests.counter.conftest import wait_for

NUMBER = "/api/v1/SequelNumber/Next"
WRITE = "/api/v1/Prescription/Write"


def key():
    return {"Idempotency-Key": str(uuid.uuid4())}


def issued(shop):
    return len(list(shop.sim.ledger.issued()))


def test_a_sheet_goes_to_accepted_and_stands_in_the_lists(shop, page):
    """From one request; the record is on its way when it answers."""
    known = shop.prescription()
    done = page.ok("POST", "/dispensings", {"prescription": known}, headers=key())["dispensing"]
    record = shop.settled(page, done["record_id"])
    listed = page.ok("GET", f"/dispensings?state=today&q={known['reference']}")["items"]

    assert ("queued", "accepted") == (done["state"], record["state"])
    assert [(done["id"], "filled", [])] == [(one["id"], one["state"], one["allowed"]) for one in listed]
    assert record["opcode"]
    assert ("counter", "dispense") in shop.trail()


def test_the_same_key_never_dispenses_twice(shop, page):
    """Sent again after a lost answer it gives the same answer; with another content it is refused."""
    body, header, before = {"prescription": shop.prescription()}, key(), issued(shop)
    first = page.ok("POST", "/dispensings", body, headers=header)["dispensing"]
    again = page.ok("POST", "/dispensings", body, headers=header)["dispensing"]
    other = page.call("POST", "/dispensings", {"prescription": shop.prescription()}, headers=header)

    assert (first["id"], first["record_id"], "queued") == (again["id"], again["record_id"], again["state"])
    assert before + 1 == issued(shop)
    assert (422, "request-invalid") == (other[0], other[1]["error"]["code"])


def test_a_double_click_dispenses_once(shop):
    """Two requests of one key at the same moment: the second waits and gets the answer of the first."""
    known, header, before = shop.prescription(), key(), issued(shop)
    with shop.page() as one, shop.page() as two, ThreadPoolExecutor(2) as pool:
        both = threading.Barrier(2)

        def click(page):
            both.wait(30)
            return page.ok("POST", "/dispensings", {"prescription": known}, headers=header)["dispensing"]["id"]

        first, second = pool.map(click, (one, two))

    assert first == second
    assert before + 1 == issued(shop)


def test_the_key_outlives_a_restart(own):
    """The page sends the same request again when the program is back."""
    header = key()
    with own() as shop, shop.page() as page:
        known = shop.prescription()
        first = page.ok("POST", "/dispensings", {"prescription": known}, headers=header)["dispensing"]
        taken = issued(shop)
    with own() as again, again.page() as page:
        second = page.ok("POST", "/dispensings", {"prescription": known}, headers=header)["dispensing"]

        assert (first["id"], taken) == (second["id"], issued(again))


def test_a_dispensing_that_stopped_is_named_by_its_key_and_resumed(own):
    """The number is taken, the orders are not written, the program ends: nothing is lost and nothing happens twice."""
    header = key()
    with own() as shop, shop.page() as page:
        known = shop.prescription()
        shop.sim.fail(WRITE, "reset", times=3)
        status, stopped = page.call("POST", "/dispensings", {"prescription": known}, headers=header)
        assert status in (409, 503)
    with own() as again, again.page() as page:
        again.sim.faults.clear()
        status, told = page.call("POST", "/dispensings", {"prescription": known}, headers=header)
        [open_one] = page.ok("GET", "/dispensings?state=unfinished")["items"]
        number = open_one["id"]
        undecided = page.call("POST", f"/dispensings/{number}/resume")
        done = page.ok("POST", f"/dispensings/{number}/resume", {"write_again": True})["dispensing"]
        record = again.settled(page, done["record_id"])
        repeated = page.ok("POST", "/dispensings", {"prescription": known}, headers=header)["dispensing"]

    assert (409, "dispensing-unfinished", number) == (status, told["error"]["code"], told["error"]["detail"]["id"])
    assert number == stopped["error"]["detail"]["dispensing"]
    assert ("writing", ["resume", "give-back", "abandon"]) == (open_one["state"], open_one["allowed"])
    assert (409, "transition-refused") == (undecided[0], undecided[1]["error"]["code"])
    assert ("accepted", number) == (record["state"], repeated["id"])


def test_another_persons_card_takes_nothing(shop, page):
    before = issued(shop)
    shop.sim.insert_card(PEOPLE[1])
    status, answer = page.call("POST", "/dispensings", {"prescription": shop.prescription()}, headers=key())

    assert (409, "wrong-card", before) == (status, answer["error"]["code"], issued(shop))
    assert "confirmable" not in answer["error"]["detail"]
    assert "A2" not in str(answer)


def test_a_person_inside_the_visit_id_who_is_another_may_be_confirmed(shop, page):
    """Card and prescription agree; what the ID says is derived, so a pharmacist who compared the papers goes on."""
    known = shop.prescription()
    known["sheet"]["visit_id"] = shop.prescription(PEOPLE[1])["sheet"]["visit_id"]
    status, answer = page.call("POST", "/dispensings", {"prescription": known}, headers=key())

    assert (409, "wrong-card", True) == (status, answer["error"]["code"], answer["error"]["detail"]["confirmable"])


def test_an_empty_reader_takes_nothing_and_the_same_key_goes_on_with_the_card(shop, page):
    """What took nothing may be asked again."""
    body, header = {"prescription": shop.prescription()}, key()
    shop.sim.remove_card()
    status, answer = page.call("POST", "/dispensings", body, headers=header)
    shop.sim.insert_card(PEOPLE[0])

    assert (409, "card-absent") == (status, answer["error"]["code"])
    assert "queued" == page.ok("POST", "/dispensings", body, headers=header)["dispensing"]["state"]


class Veto:
    """The pharmacy's own rule."""

    @hookimpl
    def nhirx_check(self):
        return Finding(code="house-rule", severity="block", zh="本店規定", en="house rule")


def test_a_plan_that_is_blocked_tells_its_findings(own):
    """Each with its words, and nothing was taken."""
    with own(Veto()) as shop, shop.page() as page:
        status, answer = page.call("POST", "/dispensings", {"prescription": shop.prescription()}, headers=key())

    assert (409, "plan-blocked") == (status, answer["error"]["code"])
    told = [(one["severity"], one["code"], one["zh"]) for one in answer["error"]["detail"]["findings"]]
    assert ("block", "house-rule", "本店規定") in told


def test_a_record_that_could_not_pass_says_which_field_and_what_to_do(shop, page):
    """Judged before the card is asked."""
    known = shop.prescription()
    known["orders"][0]["days"] = 400
    status, answer = page.call("POST", "/dispensings", {"prescription": known}, headers=key())
    errors = answer["error"]["detail"]["errors"]

    assert (409, "check-failed") == (status, answer["error"]["code"])
    assert all(error[name] for error in errors for name in ("field", "code", "zh", "en", "fix_zh", "fix_en"))


def test_a_card_that_fails_asks_for_a_reason_that_fits(shop, page):
    """Only the serials of this failure, each with words; the share of abnormal records beside them."""
    body = {"prescription": shop.prescription()}
    shop.sim.fail(NUMBER, "status-code", code=4050)
    status, answer = page.call("POST", "/dispensings", body, headers=key())
    detail = answer["error"]["detail"]
    offered = {one["code"]: one for one in detail["candidates"]}
    chosen = {"card": {"state": "failed", "abnormal_serial": "A030"}}
    done = page.ok("POST", "/dispensings", body | chosen, headers=key())["dispensing"]
    record = shop.settled(page, done["record_id"])
    state = page.ok("GET", "/state")
    share = state["b_share"]

    assert (409, "abnormal-reason-needed") == (status, answer["error"]["code"])
    assert "A030" in offered
    assert all(one["suggested"] and one["zh"] and one["en"] and one["source"] for one in offered.values())
    assert {"b", "all"} == set(detail["b_share"])
    assert ("accepted", "B") == (record["state"], record["operation"])
    assert 1 <= share["b"] <= share["all"]
    assert state["b_line"] is None, "no published rule names a line"


def test_a_person_may_say_that_the_card_fails_and_gets_the_fitting_reasons_first(shop, page):
    """The card is asked, so that what is suggested follows from what is wrong with it."""
    works = page.call("POST", "/dispensings", {"prescription": shop.prescription(), "card": {"state": "failed"}}, headers=key())
    candidates = works[1]["error"]["detail"]["candidates"]

    assert (409, "abnormal-reason-needed", "card-works") == (
        works[0],
        works[1]["error"]["code"],
        works[1]["error"]["detail"]["cause"],
    )
    assert {"A030", "C001"} <= {one["code"] for one in candidates}
    assert not any(one["suggested"] for one in candidates)


def test_no_card_is_held_and_made_up_when_the_patient_brings_it(shop, page):
    """The list of what is owed leads to the make-up, and the held one is settled by it."""
    known = shop.prescription()
    shop.sim.remove_card()
    held = page.ok("POST", "/dispensings", {"prescription": known, "card": {"state": "absent"}}, headers=key())["dispensing"]
    [line] = page.ok("GET", f"/dispensings?state=held&q={known['reference']}")["items"]
    shop.sim.insert_card(PEOPLE[0])
    given = page.ok("POST", f"/dispensings/{held['id']}/make-up")
    then = datetime.fromisoformat(given["make_up"]["actual_visited_at"])
    wait_for(lambda: shop.host.clock() > then + timedelta(seconds=1), "a later second: a make-up comes after")
    body = {name: given[name] for name in ("prescription", "make_up", "settles")}
    plan = page.ok("POST", "/plan", {name: body[name] for name in ("prescription", "make_up")})
    done = page.ok("POST", "/dispensings", body, headers=key())["dispensing"]
    record = shop.settled(page, done["record_id"])

    assert ("held", None, ["make-up", "abandon"]) == (held["state"], held["record_id"], line["allowed"])
    assert "2" == plan["fields"]["M12"]
    assert ("accepted", held["id"]) == (record["state"], done["settles"])
    assert "settled" == page.ok("GET", f"/dispensings/{held['id']}")["dispensing"]["state"]
    assert (409, "transition-refused") == _code(page.call("POST", f"/dispensings/{held['id']}/make-up"))


def test_a_virtual_card_takes_the_place_of_the_card(shop, page):
    shop.sim.remove_card()
    token = shop.sim.virtual_card_token()
    done = page.ok("POST", "/dispensings", {"prescription": shop.prescription(), "virtual_token": token}, headers=key())[
        "dispensing"
    ]

    assert "accepted" == shop.settled(page, done["record_id"])["state"]


def test_an_illegible_sheet_is_a_declared_act_whose_picture_is_kept_sealed(shop, page, rendered):
    """Cause, note and picture for an audit, by the name of who declared it; nothing of it in clear on disk."""
    picture = (rendered / "conflict.jpg").read_bytes()
    ref = page.request("POST", "/api/v1/scans", content=picture).json()["scans"][0]["ref"]
    known = shop.prescription()
    known["sheet"] |= {"visit_id": None, "visit_id_state": "illegible"}
    body = {"prescription": known, "scan_ref": ref, "illegible": {"cause": "blurred", "note": "受潮"}}
    done = page.ok("POST", "/dispensings", body, headers=key())["dispensing"]
    declared = page.ok("GET", f"/dispensings/{done['id']}")["dispensing"]["illegible"]
    seen = page.get(f"/api/v1/dispensings/{done['id']}/picture.jpg")
    files = list((shop.folder / "counter" / "kept").glob(f"{done['id']}-*.sealed"))

    assert ("blurred", "受潮", "counter", True) == (declared["cause"], declared["note"], declared["by"], declared["picture"])
    assert seen.content.startswith(b"\xff\xd8\xff")
    # Forty bytes of the picture: its first three alone turn up in sealed bytes by chance.
    assert [False] == [seen.content[:40] in file.read_bytes() or "受潮".encode() in file.read_bytes() for file in files]
    assert {("counter", "illegible"), ("counter", "picture")} <= set(shop.trail())
    assert (404, "not-found") == _code(page.call("GET", "/dispensings/999999/picture.jpg"))


def test_a_stopped_dispensing_is_closed_by_a_person_with_a_reason(shop, page):
    """The number was taken and the patient has gone."""
    shop.sim.fail(WRITE, "reset", times=3)
    _, stopped = page.call("POST", "/dispensings", {"prescription": shop.prescription()}, headers=key())
    shop.sim.faults.clear()
    number = stopped["error"]["detail"]["dispensing"]
    given = page.ok("POST", f"/dispensings/{number}/give-back")
    closed = page.ok("POST", f"/dispensings/{number}/abandon", {"why": "病人離開"})["dispensing"]

    assert (False, "abandoned") == (given["given_back"], closed["state"])
    assert number not in [one["id"] for one in page.ok("GET", "/dispensings?state=unfinished")["items"]]
    assert (409, "transition-refused") == _code(page.call("POST", f"/dispensings/{number}/abandon", {"why": "x"}))


@pytest.mark.parametrize("act", ["", "/resume", "/give-back", "/abandon", "/make-up"])
def test_a_dispensing_that_does_not_exist_is_404(page, act):
    method, body = ("POST", {"why": "x"}) if act == "/abandon" else ("POST", None) if act else ("GET", None)

    assert (404, "not-found") == _code(page.call(method, f"/dispensings/999999{act}", body))


def test_the_card_is_used_by_one_at_a_time(own):
    """A second dispensing waits its turn, and says so when that takes too long; looking at the card does not wait."""
    with own(card_patience=0.2) as shop, shop.page() as page:
        body = {"prescription": shop.prescription()}
        with shop.server.app.state.desk.at_card():
            looked = page.ok("GET", "/card")
            second = page.call("POST", "/dispensings", body, headers=key())
        done = page.ok("POST", "/dispensings", body, headers=key())["dispensing"]

    assert {"holder": None, "matches": None, "busy": True} == looked
    assert (409, "card-busy") == _code(second)
    assert "queued" == done["state"]


def test_only_the_last_characters_of_an_identity_are_searched_for(shop, page):
    """A whole number in an address would stand in histories and logs."""
    known = shop.prescription()
    done = page.ok("POST", "/dispensings", {"prescription": known}, headers=key())["dispensing"]
    last = page.ok("GET", f"/dispensings?state=all&q={known['sheet']['visit_id'][-5:]}")["items"]

    assert done["id"] in [one["id"] for one in last]
    for whole in ("A123456789", known["sheet"]["visit_id"]):
        assert (422, "request-invalid") == _code(page.call("GET", f"/dispensings?state=all&q={whole}"))
        assert (422, "request-invalid") == _code(page.call("GET", f"/records?q={whole}"))


def _code(answer):
    return answer[0], answer[1]["error"]["code"]

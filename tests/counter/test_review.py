"""The review list over the API: pages, pictures, decisions; the same doors as everything else."""

from __future__ import annotations

import json

import pytest

from nhirx.sim import PEOPLE

NONE, TWO = "0000001-unreadable", "0000002-several"


@pytest.fixture
def batch(tmp_path, rendered, sim):
    """The output of a batch with one page that was not read and one with two sheets; ``ids`` for typing."""
    ids = [sim.world.visit_ids.make("card", "3502060427", PEOPLE[0].national_id, sim.world.clock())[0] for _ in range(3)]
    out = tmp_path / "nhirx-out"
    (out / "review").mkdir(parents=True)
    (out / "review" / f"{NONE}.jpg").write_bytes((rendered / "nothing.jpg").read_bytes())
    shared = {"codes": [], "evidence": [], "same_visit_id_as": None, "same_picture_as": None, "page": 1}
    lines = [
        shared
        | {"path": "/pile/a\udce9.jpg", "status": "unreadable", "visit_id": None, "visit_ids": [], "confidence": None}
        | {"reasons": ["blur"], "review": {"why": "unreadable", "name": NONE}},
        shared
        | {"path": str(rendered / "two-sheets.jpg"), "status": "several", "visit_id": ids[0], "visit_ids": ids[:2]}
        | {"confidence": "checked", "reasons": [], "review": None},
    ]
    (out / "results.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return out, ids


def test_from_the_list_to_the_kept_decision(own, batch, caplog):
    """Listed, looked at, keyed in, kept with who; the trail names the page and never the ID."""
    out, ids = batch
    with own(review=out, send=False) as shop, shop.page() as page:
        listed = page.ok("GET", "/review")
        assert [NONE, TWO] == [item["name"] for item in listed["items"]]
        assert (2, "nhirx-out") == (listed["open"], listed["folder"])
        seen = page.ok("GET", f"/review/{NONE}")
        assert ("unreadable", ["blur"]) == (seen["why"], seen["scan"]["reasons"])
        assert seen["tried"]
        kept = page.ok("POST", f"/review/{NONE}", {"decision": "visit-id", "visit_ids": [ids[1].lower()]})
        assert [ids[1]] == kept["decision"]["visit_ids"]
        assert [{"path": lines_path(out, 1), "page": 1}] == kept["same"]
        assert 1 == kept["open"]
        assert ids[1] in (out / "decisions.jsonl").read_text("utf-8")
        note = shop.host.outbox.trail(limit=5)[-1]
        assert ("review", NONE) == (note.event, json.loads(note.note)["page"])
        assert ids[1] not in note.model_dump_json()
        assert page.ok("GET", "/state")["review"]
        assert "off" == page.ok("GET", "/state")["worker"]["state"]

    assert not [line for line in caplog.messages if ids[1] in line]


def lines_path(out, number):
    return json.loads((out / "results.jsonl").read_text().splitlines()[number])["path"]


def test_pictures(own, batch, rendered):
    """As the batch kept it; drawn from the file for a page of several sheets; 404 where neither is there."""
    out, _ = batch
    with own(review=out, send=False) as shop, shop.page() as page:
        kept = page.get(f"/api/v1/review/{NONE}/picture")
        drawn = page.get(f"/api/v1/review/{TWO}/picture")
        (out / "review" / f"{NONE}.jpg").unlink()
        gone = page.get(f"/api/v1/review/{NONE}/picture")

    assert (rendered / "nothing.jpg").read_bytes() == kept.content
    assert (200, "image/jpeg", b"\xff\xd8") == (drawn.status_code, drawn.headers["content-type"], drawn.content[:2])
    assert "no-store" == kept.headers["cache-control"]
    assert (404, "not-found") == (gone.status_code, gone.json()["error"]["code"])


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        (NONE, {"decision": "visit-id", "visit_ids": ["12345"]}, 422, "invalid-value"),
        (NONE, {"decision": "illegible"}, 422, "invalid-value"),
        (NONE, {"decision": "maybe"}, 422, "request-invalid"),
        ("0000009-none", {"decision": "later"}, 404, "not-found"),
        ("..%2F..%2Fetc", {"decision": "later"}, 404, "not-found"),
    ],
)
def test_what_is_refused_is_not_kept(own, batch, name, body, status, code):
    out, _ = batch
    with own(review=out, send=False) as shop, shop.page() as page:
        answered, told = page.call("POST", f"/review/{name}", body)

    assert (status, code) == (answered, told["error"]["code"])
    assert not (out / "decisions.jsonl").exists()


def test_the_operator_signs_and_a_lock_shuts_it(own, batch):
    """The name of who is signed in stands in the decision; a locked page shows nothing of the batch."""
    out, _ = batch
    with own(review=out, send=False) as shop, shop.page() as page:
        page.ok("POST", "/operators", {"name": "陳藥師", "pin": "2468"})
        assert (423, 423, 423) == tuple(
            page.get(f"/api/v1/review{path}").status_code for path in ("", f"/{NONE}", f"/{NONE}/picture")
        )
        page.ok("POST", "/session/unlock", {"operator": "陳藥師", "pin": "2468"})
        kept = page.ok("POST", f"/review/{NONE}", {"decision": "illegible", "cause": "faint"})

    assert ("陳藥師", "faint") == (kept["decision"]["by"], kept["decision"]["cause"])


def test_a_counter_without_a_batch_has_no_list(page):
    status, told = page.call("GET", "/review")

    assert (404, "not-found") == (status, told["error"]["code"])
    assert not page.ok("GET", "/state")["review"]

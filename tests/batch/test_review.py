"""What people decide about the pages of a batch: kept at once, never lost, put together with the results."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from nhirx.batch.review import FILE, Review
from nhirx.batch.reviewed import write
from nhirx.cli import main
from nhirx.errors import FileMissing, InvalidValue, StoreDamaged, ThingMissing
from nhirx.roc import TAIPEI

AT = datetime(2026, 11, 20, 9, 30, tzinfo=TAIPEI)
LOOKED = ["0000002-unreadable", "0000003-ocr", "0000004-several", "0000005-error"]


@pytest.fixture
def done(tmp_path: Path, draw: SimpleNamespace) -> SimpleNamespace:
    """Five pages as a batch leaves them: found, unreadable, read from text, two sheets, broken. ``ids`` are those it read."""
    ids = [draw.visit_id(seed) for seed in range(6)]

    def scan(number, status, found=(), review=True, confidence=None):
        why = confidence if confidence in ("ocr", "single") else status
        return {
            "path": f"/pile/{number}.png", "page": 1, "status": status, "visit_id": found[0] if found else None,
            "visit_ids": list(found), "codes": [], "evidence": [], "confidence": confidence, "reasons": [],
            "same_visit_id_as": None, "same_picture_as": None,
            "review": {"why": why, "name": f"{number:07d}-{why}"} if review else None,
        }  # fmt: skip

    lines = [
        scan(1, "found", ids[:1], False, "checked"),
        scan(2, "unreadable"),
        scan(3, "found", ids[1:2], True, "ocr"),
        scan(4, "several", ids[2:4], False, "checked"),
        scan(5, "error") | {"error": {"code": "file-damaged", "zh": "壞了", "en": "broken"}},
    ]
    text = "".join(json.dumps(one) + "\n" for one in lines)
    (tmp_path / "results.jsonl").write_text(text, "utf-8")
    return SimpleNamespace(out=tmp_path, ids=ids, before=text, typed=draw.visit_id(99))


def decide(out, name, decision, **more):
    return Review(out).decide(name, decision, by="陳藥師", at=AT, **more)


def test_the_list_is_what_a_person_must_see(done):
    """Pages that are certain are left out; a page with two sheets is on it, though each ID is certain."""
    review = Review(done.out)

    assert LOOKED == [item.name for item in review.items()]
    assert {"out": str(done.out), "pages": 5, "review": 4, "open": 4, "by_decision": {}} == review.state()


def test_a_typed_id_is_repaired_and_the_last_decision_holds(done):
    """Groups, small letters and O for 0 do not matter; the results stay as they were."""
    decide(done.out, LOOKED[0], "illegible", cause="faint")
    as_typed = " ".join(done.typed[at : at + 4] for at in range(0, 20, 4)).lower().replace("0", "o")
    told = decide(done.out, LOOKED[0], "visit-id", visit_ids=[as_typed])

    assert [done.typed] == told["visit_ids"]
    assert ("陳藥師", "2026-11-20T09:30:00+08:00") == (told["by"], told["at"])
    assert told == Review(done.out).decision(LOOKED[0])
    assert {"visit-id": 1} == Review(done.out).state()["by_decision"]
    assert done.before == (done.out / "results.jsonl").read_text("utf-8")
    assert 2 == len((done.out / FILE).read_text("utf-8").splitlines())


def test_another_program_sees_what_is_decided(done):
    """A list that is open hears of decisions made beside it."""
    review = Review(done.out)
    decide(done.out, LOOKED[1], "later")
    assert "later" == review.decision(LOOKED[1])["decision"]
    assert 4 == review.state()["open"]
    decide(done.out, LOOKED[1], "no-id")

    assert 3 == review.state()["open"]


@pytest.mark.parametrize(
    ("decision", "more"),
    [
        ("visit-id", {"visit_ids": ["12345"]}),
        ("visit-id", {}),
        ("no-id", {"visit_ids": ["12345"]}),
        ("illegible", {}),
        ("illegible", {"cause": "bored"}),
        ("later", {"cause": "faint"}),
        ("perhaps", {}),
    ],
)
def test_what_makes_no_sense_is_refused_and_not_kept(done, decision, more):
    with pytest.raises(InvalidValue):
        decide(done.out, LOOKED[0], decision, **more)

    assert not (done.out / FILE).exists()


def test_pages_and_folders_that_are_not_there(done, tmp_path):
    with pytest.raises(ThingMissing):
        decide(done.out, "0000001-unreadable", "later")
    with pytest.raises(FileMissing):
        Review(tmp_path / "nowhere")


def test_a_line_that_was_cut_off_is_taken_away_by_the_next(done):
    decide(done.out, LOOKED[0], "no-id")
    with (done.out / FILE).open("ab") as file:
        file.write(b'{"name": "0000003-ocr", "path": "/pi')
    assert Review(done.out).decision(LOOKED[1]) is None
    decide(done.out, LOOKED[1], "later")

    assert ["no-id", "later"] == [json.loads(line)["decision"] for line in (done.out / FILE).read_text("utf-8").splitlines()]


def test_a_damaged_file_is_said_and_not_written_over(done):
    (done.out / FILE).write_bytes(b"nonsense\n")
    with pytest.raises(StoreDamaged):
        Review(done.out)

    assert b"nonsense\n" == (done.out / FILE).read_bytes()


def test_a_decision_about_another_page_of_that_name_does_not_count(done):
    """The folder was used for another batch: nothing lands on a page that nobody has seen."""
    decide(done.out, LOOKED[0], "no-id")
    (done.out / "results.jsonl").write_text(done.before.replace("/pile/", "/other/"), "utf-8")

    assert Review(done.out).decision(LOOKED[0]) is None


_WRITER = """
import sys
from datetime import datetime, timezone
from pathlib import Path
from nhirx.batch.review import Review
review = Review(Path(sys.argv[1]))
print("ready", flush=True)
for number in range(1_000_000):
    review.decide("0000002-unreadable", "later", by=str(number), at=datetime.now(timezone.utc))
    print(number, flush=True)
"""


def test_kill_9_loses_nothing_that_was_answered(done):
    """Two programs write at once and are killed: every answered decision is there, and every line is whole."""
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(done.out)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    last = []
    for one in writers:
        assert "ready\n" == one.stdout.readline()
        for _ in range(20):
            one.stdout.readline()
    for one in writers:
        one.send_signal(signal.SIGKILL)
        answered = [line for line in one.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
        last.append(int(answered[-1]) if answered else 19)
        one.wait()
        one.stdout.close()
    decide(done.out, LOOKED[0], "no-id")
    by = [json.loads(line)["by"] for line in (done.out / FILE).read_text("utf-8").splitlines()]

    assert all(sum(name == str(number) for name in by) == 2 for number in range(min(last) + 1))
    assert "陳藥師" == by[-1]


def test_the_same_id_elsewhere_is_named(done):
    """On a page that was read, on one that was decided; not where it was decided away."""
    decide(done.out, LOOKED[0], "visit-id", visit_ids=[done.ids[0]])
    decide(done.out, LOOKED[3], "visit-id", visit_ids=[done.ids[0]])
    decide(done.out, LOOKED[1], "not-prescription")
    review = Review(done.out)

    assert [{"path": "/pile/1.png", "page": 1}, {"path": "/pile/5.png", "page": 1}] == review.same(LOOKED[0], [done.ids[0]])
    assert [] == review.same(LOOKED[0], [done.ids[1]])
    assert [{"path": "/pile/4.png", "page": 1}] == review.same(LOOKED[0], [done.ids[3]])


def test_results_and_decisions_put_together(done):
    """Final IDs: as read where nobody has to look, as decided, and null where nobody has decided."""
    decide(done.out, LOOKED[0], "visit-id", visit_ids=[done.typed])
    decide(done.out, LOOKED[1], "illegible", cause="damaged", note="折痕")
    decide(done.out, LOOKED[2], "visit-id", visit_ids=done.ids[2:4])
    told = write(Review(done.out))
    lines = [json.loads(line) for line in (done.out / "reviewed.jsonl").read_text("utf-8").splitlines()]
    rows = list(csv.reader((done.out / "reviewed.csv").read_text("utf-8-sig").splitlines()))

    assert [[done.ids[0]], [done.typed], [], done.ids[2:4], None] == [line["visit_ids_final"] for line in lines]
    assert {"found": 3, "without": 1, "open": 1} == {name: told[name] for name in ("found", "without", "open")}
    assert told == json.loads((done.out / "reviewed.json").read_text("utf-8"))
    assert ["認定無法辨識", "", "damaged：折痕", "陳藥師", "2026-11-20T09:30:00+08:00"] == rows[3][-5:]
    assert 6 == len(rows)


def call(capfd, *given):
    with pytest.raises(SystemExit) as caught:
        main(["batch", "review", *map(str, given)])
    return caught.value.code, capfd.readouterr().out


def test_the_command_lists_decides_and_writes(done, capfd):
    """Exit code 1 while a page is open; a real decision of the command line carries its name."""
    code, out = call(capfd, done.out, "--list", "--json")
    assert (1, 4, LOOKED) == (code, json.loads(out)["open"], [item["name"] for item in json.loads(out)["items"]])
    code, out = call(capfd, done.out, "--decide", LOOKED[0], "--visit-id", done.ids[0], "--by", "林", "--json")
    assert (0, "林") == (code, json.loads(out)["decision"]["by"])
    assert [{"path": "/pile/1.png", "page": 1}] == json.loads(out)["same"]
    for name in LOOKED[1:]:
        assert 0 == call(capfd, done.out, "--decide", name, "--no-id")[0]
    assert 0 == call(capfd, done.out, "--list")[0]
    code, out = call(capfd, done.out, "--write", "--json")

    assert (0, 0) == (code, json.loads(out)["open"])


@pytest.mark.parametrize("words", [["--decide", LOOKED[0]], ["--no-id"], ["--decide", LOOKED[0], "--no-id", "--later"]])
def test_a_wrong_call_of_the_command(done, capfd, words):
    code, out = call(capfd, done.out, *words, "--json")

    assert (2, "invalid-value") == (code, json.loads(out)["error"]["code"])


def test_a_folder_named_review_can_still_be_read(tmp_path, capfd, monkeypatch, draw):
    (tmp_path / "review").mkdir()
    (tmp_path / "review" / "a.png").write_bytes(draw.png(draw.page(draw.visit_id(1))))
    monkeypatch.chdir(tmp_path)
    code, out = call(capfd, "--out", tmp_path / "out", "--workers", 1, "--json")

    assert (0, 1) == (code, json.loads(out)["found"])

"""A batch from end to end in this process, with real worker processes: everything is accounted for, whatever the files are."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import threading

import pytest
from PIL import Image

from nhirx.batch.journal import Journal
from nhirx.errors import BatchExists, FileMissing, StoreDamaged, StoreReadOnly

pytestmark = pytest.mark.usefixtures("odd_scanners")


def told(lines):
    """(file name, page, status or code of the error)."""
    return [
        (line["path"].replace("\\", "/").rsplit("/", 1)[-1], line["page"], line.get("error", line["status"])) for line in lines
    ]


def codes(lines):
    return [(name, page, said["code"] if isinstance(said, dict) else said) for name, page, said in told(lines)]


def test_pages_are_found_and_in_order(pile, batch, draw):
    """Two processes finish in any order; the lines are in that of the files."""
    done = batch(pile(6), workers=2)

    expected = [draw.visit_id(number) for number in (0, 3, 1, 4, 2, 5)]
    assert expected == [line["visit_id"] for line in done.lines]
    assert (6, 6, 0, 0) == tuple(done.summary[name] for name in ("seen", "found", "failed", "skipped"))


def test_line_is_the_object_of_the_scan(pile, batch):
    """Member by member what ``nhirx scan`` prints but for the time, which would differ from run to run."""
    from nhirx_scanner import Scanner

    folder = pile(1)
    (line,) = batch(folder).lines
    scan = Scanner().scan_file(next(folder.rglob("*.png")))[0].as_json()
    del scan["ms"]

    assert scan == {name: line[name] for name in scan}
    assert {"same_visit_id_as", "same_picture_as", "review"} == set(line) - set(scan)


@pytest.fixture
def broken(tmp_path, draw, zipped):
    """One of everything that goes wrong, and two pages that do not."""
    folder = tmp_path / "broken"
    folder.mkdir()
    good = draw.png(draw.page(draw.visit_id(1)))
    files = {
        "01-good.png": good,
        "02-empty.jpg": b"",
        "03-cut.png": good[: len(good) // 2],
        "04-text.png": b"this is no picture",
        "05-cut.jpg": b"\xff\xd8\xff\xe0\x00\x10JFIF" + bytes(40),
        "06-broken.pdf": b"%PDF-1.7\nnothing",
        "07-huge.png": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (100_000).to_bytes(4, "big") * 2 + bytes(1000),
        "08-notes.txt": b"notes",
        "09-cut.tif": b"II*\0\x08\0\0\0\xff\xff",
        "10-bad.zip": b"PK\x03\x04 no archive",
        "11-good.zip": zipped(
            "good.zip", {"許.png": draw.png(draw.page(draw.visit_id(2))), "empty.png": b""}, "cp950"
        ).read_bytes(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def test_every_broken_file_is_accounted_for(broken, batch):
    done = batch(broken)

    assert [
        ("01-good.png", 1, "found"),
        ("02-empty.jpg", 1, "file-empty"),
        ("03-cut.png", 1, "file-damaged"),
        ("04-text.png", 1, "file-kind-unknown"),
        ("05-cut.jpg", 1, "file-damaged"),
        ("06-broken.pdf", 1, "file-damaged"),
        ("07-huge.png", 1, "file-too-large"),
        ("09-cut.tif", 1, "file-damaged"),
        ("10-bad.zip", 1, "archive-refused"),
        ("許.png", 1, "found"),
        ("empty.png", 1, "file-empty"),
    ] == codes(done.lines)
    summary = done.summary
    assert (12, 2, 9, 1) == tuple(summary[name] for name in ("seen", "found", "failed", "skipped"))
    assert summary["seen"] == summary["found"] + summary["failed"] + summary["skipped"]
    assert {"not-a-picture": 1} == summary["skipped_why"]
    assert {"seen": 12, "found": 2, "failed": 9, "skipped": 1} == summary["files"]


def test_errors_name_the_member_and_not_the_file_of_the_moment(broken, batch):
    line = batch(broken).lines[-1]

    assert line["path"].endswith("11-good.zip!/empty.png")
    assert f"The file {line['path']} is empty. Scan or export it again." == line["error"]["en"]


def test_page_that_hangs_and_page_that_crashes_are_set_aside(tmp_path, draw, batch):
    """The others are read; a page that ended its process once gets a second chance."""
    folder = tmp_path / "odd"
    folder.mkdir()
    for number, name in enumerate(("a", "crash", "crash-once", "hang", "z")):
        (folder / f"{name}.png").write_bytes(draw.png(draw.page(draw.visit_id(number))))

    done = batch(folder, scanner="Odd", page_seconds=3.0, workers=2)

    assert [
        ("a.png", 1, "found"),
        ("crash-once.png", 1, "found"),
        ("crash.png", 1, "page-crashed"),
        ("hang.png", 1, "page-timeout"),
        ("z.png", 1, "found"),
    ] == codes(done.lines)


def test_pages_around_a_lost_page_are_read(tmp_path, draw, batch):
    """Page 2 of a TIFF ends its process: pages 1 and 3 stand."""
    pages = [Image.fromarray(draw.page(draw.visit_id(number))) for number in range(3)]
    path = tmp_path / "crash.tiff"
    pages[0].save(path, save_all=True, append_images=pages[1:])

    done = batch(path, scanner="Odd")

    assert [("crash.tiff", 1, "found"), ("crash.tiff", 2, "page-crashed"), ("crash.tiff", 3, "found")] == codes(done.lines)


def test_long_file_is_read_by_several(tmp_path, draw, batch, monkeypatch):
    """More pages than one process reads in a row: all of them, once, in order, and the reading is shared."""
    monkeypatch.setenv("READ_PAGES", str(tmp_path / "read"))
    pages = [
        Image.fromarray(draw.page(draw.visit_id(number) if number in (0, 40, 69) else None)).resize((160, 120))
        for number in range(70)
    ]
    pages[0].save(tmp_path / "long.pdf", save_all=True, append_images=pages[1:])

    done = batch(tmp_path / "long.pdf", scanner="Counting", workers=2)

    assert list(range(1, 71)) == [line["page"] for line in done.lines]
    read = (tmp_path / "read").read_text().splitlines()
    assert 70 == len(read) == len(set(read))
    assert '"count": 70' in (done.out / "work" / "pages.jsonl").read_text()
    assert 70 == done.summary["seen"]
    assert {"seen": 1, "found": 0, "failed": 1, "skipped": 0} | {"found": 1, "failed": 0} == done.summary["files"]


def test_files_that_go_away_are_errors(pile, batch, monkeypatch):
    """The source changes after it was listed."""
    folder = pile(3)
    whole = Journal.write_plan

    def and_then_gone(journal, found):
        whole(journal, found)
        next(folder.rglob("scan 001.png")).unlink()

    monkeypatch.setattr(Journal, "write_plan", and_then_gone)

    assert [("scan 000.png", 1, "found"), ("scan 001.png", 1, "file-missing"), ("scan 002.png", 1, "found")] == codes(
        batch(folder).lines
    )


def test_resume_of_a_finished_batch_reads_nothing_again(pile, batch, tmp_path, monkeypatch):
    monkeypatch.setenv("READ_PAGES", str(tmp_path / "read"))
    folder = pile(3)
    first = batch(folder, scanner="Counting")
    before = {path.name: path.read_bytes() for path in first.out.glob("*.*") if path.name != "run.json"}

    again = batch(folder, scanner="Counting", resume=True)

    assert 3 == len((tmp_path / "read").read_text().splitlines())
    assert before == {path.name: path.read_bytes() for path in again.out.glob("*.*") if path.name != "run.json"}


def test_line_cut_short_is_read_again(pile, batch, tmp_path):
    """What a killed process had half written is taken away, and its page read again."""
    folder = pile(3)
    first = batch(folder)
    journal = first.out / "work" / "pages.jsonl"
    expected = (first.out / "results.jsonl").read_bytes()
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:2]) + lines[2][: len(lines[2]) // 2])

    assert expected == (batch(folder, resume=True).out / "results.jsonl").read_bytes()


def test_damaged_journal_is_told(pile, batch):
    folder = pile(2)
    journal = batch(folder).out / "work" / "pages.jsonl"
    journal.write_bytes(b"nonsense\n" + journal.read_bytes())

    with pytest.raises(StoreDamaged):
        batch(folder, resume=True)


def test_folder_with_a_batch_is_not_written_over(pile, batch):
    """Neither without ``resume`` nor with another source."""
    folder = pile(1)
    batch(folder)

    with pytest.raises(BatchExists):
        batch(folder)
    with pytest.raises(BatchExists):
        batch(pile(2, "other"), resume=True)


def test_two_runs_do_not_share_a_folder(pile, batch, tmp_path):
    journal = Journal(tmp_path / "out")
    journal.lock()

    with pytest.raises(BatchExists):
        batch(pile(1))
    journal.close()
    assert 1 == batch(pile(1), resume=True).summary["found"]


def test_source_that_is_not_there_leaves_nothing_behind(batch, tmp_path, pile):
    """The same folder can be used once the call is right."""
    with pytest.raises(FileMissing):
        batch(tmp_path / "nowhere")

    assert 1 == batch(pile(1)).summary["found"]


def test_full_disk_stops_and_resume_goes_on(pile, batch, monkeypatch):
    """The third record does not fit any more, and only half of it is written."""
    folder = pile(3)
    add = Journal.add
    records = []

    def full(journal, record):
        records.append(record)
        if len(records) == 3:
            os.write(journal._file.fileno(), b'{"n": 1, "pa')
            raise OSError(errno.ENOSPC, "No space left on device")
        add(journal, record)

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "add", full)
        with pytest.raises(OSError, match="No space"):
            batch(folder)

    assert 3 == batch(folder, resume=True).summary["found"]


def test_folder_that_cannot_be_written(pile, batch, monkeypatch):
    def refused(journal):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Journal, "lock", refused)

    with pytest.raises(StoreReadOnly):
        batch(pile(1))


def test_name_with_bytes_that_are_no_text(tmp_path, draw, batch):
    """Its page is read, and every table can be read as the UTF-8 that it is."""
    folder = tmp_path / "old"
    folder.mkdir()
    name = os.fsdecode(b"\xb3\\ \n.png")
    (folder / name).write_bytes(draw.png(draw.page(None)))

    done = batch(folder)

    assert [(str(folder / name), "none")] == [(line["path"], line["status"]) for line in done.lines]
    for table in ("results.jsonl", "results.csv", "summary.json", "report.html"):
        assert "old" in (done.out / table).read_text("utf-8")


def test_empty_folder(tmp_path, batch):
    (tmp_path / "empty").mkdir()
    done = batch(tmp_path / "empty")

    assert [] == done.lines
    assert 0 == done.summary["seen"]


def test_nothing_is_left_of_what_was_unpacked(broken, batch):
    done = batch(broken)

    assert [] == list((done.out / "work" / "tmp").glob("*"))


def test_times_stand_apart(pile, batch):
    """``run.json`` holds what differs from run to run."""
    done = batch(pile(2))
    told = json.loads((done.out / "run.json").read_text())

    assert {"workers": 1, "pages_read": 2, "pages_before": 0} == {
        name: told[name] for name in ("workers", "pages_read", "pages_before")
    }
    assert told["pages_per_second"] > 0


def test_pdf_of_ten_thousand_pages(tmp_path, batch, monkeypatch):
    """Every page is accounted for, and the memory of the run does not grow with them."""
    import tracemalloc

    import pypdfium2

    document = pypdfium2.PdfDocument.new()
    for _ in range(10_000):
        document.new_page(20, 20)
    document.save(tmp_path / "long.pdf")
    monkeypatch.setenv("READ_PAGES", str(tmp_path / "read"))
    tracemalloc.start()
    done = batch(tmp_path / "long.pdf", scanner="Blank", workers=2)
    _now, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (10_000, 10_000, 0) == tuple(done.summary[name] for name in ("seen", "found", "failed"))
    assert list(range(1, 10_001)) == [line["page"] for line in done.lines]
    # The lines that this test reads back are about 4 kB each; the run itself holds a few bytes a page.
    assert most < 80_000_000


def test_disk_that_takes_no_more(pile, tmp_path, command):
    """A real limit on what may be written: the batch ends with the code of a full disk, and goes on once there is room."""
    folder = pile(6)
    out = tmp_path / "out"
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (2500, resource.RLIM_INFINITY));"
        "from nhirx.cli import main; main(sys.argv[1:])"
    )
    words = ["batch", str(folder), "--out", str(out), "--workers", "1"]
    ended = subprocess.run([sys.executable, "-c", script, *words, "--json"], capture_output=True, check=False)

    assert 3 == ended.returncode
    assert b"Traceback" not in ended.stderr
    assert not (out / "summary.json").exists()
    process = command(folder, "--out", out, "--workers", "1", "--resume", "--json")
    answer, _said = process.communicate(timeout=100)
    assert 6 == json.loads(answer)["found"]


@pytest.mark.parametrize("stage", ["work/plan.new", "results.jsonl.new", "review/0000001-none.new", "summary.json.new"])
def test_disk_that_is_full_at_any_stage(tmp_path, draw, batch, stage):
    """The kernel itself says so. Nothing half stands under its name, and the batch goes on when there is room."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(draw.png(draw.page(None)))
    full = tmp_path / "out" / stage
    full.parent.mkdir(parents=True)
    full.symlink_to("/dev/full")

    with pytest.raises(OSError, match="No space left"):
        batch(tmp_path / "in")

    assert not full.with_suffix("").exists()
    assert not (tmp_path / "out" / "summary.json").exists()
    full.unlink()
    assert ["none"] == [line["status"] for line in batch(tmp_path / "in", resume=True).lines]
    assert ["0000001-none.png"] == [path.name for path in (tmp_path / "out" / "review").iterdir()]


def test_folder_that_changes_all_the_time(tmp_path, draw, batch):
    """Files come, go and change their names from the first look to the last page: what was met is accounted for, each page once."""
    folder = tmp_path / "busy"
    folder.mkdir()
    page = draw.png(draw.page(draw.visit_id(1)))
    for number in range(60):
        (folder / f"{number:03d}.png").write_bytes(page)
    over = threading.Event()

    def churn():
        turn = 0
        while not over.is_set():
            turn += 1
            old, new = folder / f"{turn % 60:03d}.png", folder / f"x{turn % 7}-{turn % 60:03d}.png"
            (old if old.exists() else new).replace(new if old.exists() else old) if old.exists() or new.exists() else None
            (folder / f"y{turn % 5}.png").write_bytes(page)
            (folder / f"y{(turn + 2) % 5}.png").unlink(missing_ok=True)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        done = batch(folder, scanner="Odd", workers=2)
    finally:
        over.set()
        thread.join()

    summary = done.summary
    assert summary["seen"] == summary["found"] + summary["failed"] + summary["skipped"]
    planned = [json.loads(line) for line in (done.out / "work" / "plan.jsonl").read_text("utf-8").splitlines()]
    assert [entry["path"] for entry in planned if entry["skipped"] is None] == [line["path"] for line in done.lines]
    assert summary["files"]["seen"] == len(planned) >= 1
    assert {"found", "file-missing", "file-empty", "file-unreadable", "file-damaged"} >= {
        said for _, _, said in codes(done.lines)
    }

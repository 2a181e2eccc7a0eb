"""Several machines: a real scheduler and worker processes, one of them killed; the results are those of one machine."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from nhirx.batch import dask_engine
from nhirx.batch.run import Options, run
from nhirx.batch.worker import Reading
from nhirx.errors import ComponentMissing, ServiceUnreachable

pytestmark = pytest.mark.usefixtures("odd_scanners")
RESULTS = ("results.jsonl", "results.csv", "summary.json", "report.html")


@pytest.fixture
def cluster(tmp_path, monkeypatch):
    """``start(workers)``: a scheduler and so many worker processes; answers its address and the processes of the workers."""
    started = []

    def process(module, *words):
        here = tmp_path / f"dask-{len(started)}"
        here.mkdir()
        log = (here / "log").open("wb")
        started.append(subprocess.Popen([sys.executable, "-m", module, *words], cwd=here, stdout=log, stderr=log))
        return started[-1]

    def start(workers):
        told = tmp_path / "scheduler.json"
        words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(told))
        process("distributed.cli.dask_scheduler", *words)
        wait_for(lambda: told.exists() and told.stat().st_size)
        address = json.loads(told.read_text())["address"]
        words = (address, "--host", "127.0.0.1", "--nthreads", "1", "--no-nanny", "--no-dashboard")
        return address, [process("distributed.cli.dask_worker", *words) for _ in range(workers)]

    yield start
    for each in started:
        each.kill()
        each.wait()


def wait_for(condition):
    until = time.monotonic() + 90
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_worker_killed_in_mid_batch_changes_nothing(pile, batch, draw, zipped, cluster, tmp_path, monkeypatch):
    """Every page is there once, byte for byte as one machine writes it; only what the lost worker held is read again."""
    folder = pile(24)
    (folder / "empty.png").write_bytes(b"")
    zipped("pile/more.zip", {"a.png": draw.png(draw.page(draw.visit_id(90))), "b.png": draw.png(draw.page(None))})
    monkeypatch.setenv("READ_PAGES", str(tmp_path / "read-local"))
    local = batch(folder, out="local", scanner="Counting").out
    monkeypatch.setenv("READ_PAGES", str(tmp_path / "read-dask"))
    monkeypatch.setattr(dask_engine, "CHUNK_PIECES", 2)
    address, workers = cluster(2)
    killed = []

    def tell(progress):
        if progress.stage == "read" and progress.pages >= 4 and not killed:
            killed.append(progress.pages)
            os.kill(workers[0].pid, signal.SIGKILL)

    out = tmp_path / "dask"
    reading = Reading("odd_scanners.Counting", low_priority=False)
    run(Options((str(folder),), out, 1, reading=reading, engine="dask", scheduler=address), tell)

    assert [(local / name).read_bytes() for name in RESULTS] == [(out / name).read_bytes() for name in RESULTS]
    assert 4 <= killed[0] < 20
    pages = (tmp_path / "read-local").read_text().splitlines()
    read = (tmp_path / "read-dask").read_text().splitlines()
    assert {len(pages)} <= set(range(len(read) - 2 * 2, len(read) + 1))
    assert workers[1].poll() is None


def test_page_that_ends_its_workers_is_set_aside(tmp_path, draw, batch, monkeypatch):
    """The pages that were on its worker with it are read, time after time; its own says why it was not."""
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(5):
        (folder / f"a{number}.png").write_bytes(draw.png(draw.page(draw.visit_id(number))))
    (folder / "kill.png").write_bytes(draw.png(draw.page(None)))
    (folder / "z.png").write_bytes(draw.png(draw.page(draw.visit_id(9))))

    done = batch(folder, scanner="KillsWorkers", engine="dask")

    assert [*["found"] * 5, "error", "found"] == [line["status"] for line in done.lines]
    assert "page-crashed" == done.lines[5]["error"]["code"]


def test_chunk_is_taken_apart_down_to_the_page(tmp_path, draw):
    """Several files, then a file of several pages, then a run of pages, then the page with others about it, then the page alone."""
    from PIL import Image

    pages = [Image.fromarray(draw.page(None)) for _ in range(3)]
    pages[0].save(tmp_path / "three.tiff", save_all=True, append_images=pages[1:])
    pool = object.__new__(dask_engine.DaskPool)
    pool._again, pool._suspects = dask_engine.deque(), dask_engine.deque()
    piece = dask_engine.Piece(0, "three.tiff", str(tmp_path / "three.tiff"))
    other = dask_engine.Piece(1, "a.png", "a.png")

    assert [] == list(pool._apart(dask_engine._Chunk((piece, other))))
    assert [(piece,), (other,)] == [chunk.pieces for chunk in pool._again]
    assert [(piece, ("count", 3))] == list(pool._apart(dask_engine._Chunk((piece,))))
    pool._again.clear()
    some = dask_engine.replace(piece, first=2, last=3)
    assert [] == list(pool._apart(dask_engine._Chunk((some,))))
    assert [(2, 2), (3, 3)] == [(chunk.pieces[0].first, chunk.pieces[0].last) for chunk in pool._again]
    page = dask_engine._Chunk((dask_engine.replace(piece, first=2, last=2),))
    assert [] == list(pool._apart(page))
    (suspect,) = pool._suspects
    ((_piece, message),) = pool._apart(suspect)
    assert "page-crashed" == message[1].code


def test_scheduler_that_is_not_there(pile, batch, monkeypatch):
    monkeypatch.setattr(dask_engine, "_CONNECT_SECONDS", 0.3)

    with pytest.raises(ServiceUnreachable, match="resume"):
        batch(pile(1), engine="dask", scheduler="tcp://127.0.0.1:9")


def test_without_the_extra(pile, batch, monkeypatch):
    """It says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(ComponentMissing, match="nhirx\\[dask\\]"):
        batch(pile(1), engine="dask")


def test_chunk_ends_by_size(monkeypatch):
    """Large files make small chunks, and a run of pages of a long file is one."""
    pool = object.__new__(dask_engine.DaskPool)
    pool._again = dask_engine.deque()
    sizes = [10_000_000, 10_000_000, 1, 1, 1]
    pieces = [dask_engine.Piece(number, "x", "x", size=size) for number, size in enumerate(sizes)]
    pieces.insert(3, dask_engine.Piece(9, "long.pdf", "long.pdf", first=1, last=32))
    several = iter(pieces)

    chunks = []
    while (chunk := pool._next(several)) is not None:
        chunks.append([piece.number for piece in chunk.pieces])

    assert [[0, 1], [2, 9], [3, 4]] == chunks

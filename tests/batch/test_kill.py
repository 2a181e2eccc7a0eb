"""Killed at any moment and resumed: the same bytes as a batch that nobody disturbed, and no finished page read again."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

_RUN = """
import sys
from pathlib import Path
from nhirx.batch.run import Options, run
from nhirx.batch.worker import Reading
if __name__ == "__main__":
    source, out = sys.argv[1:]
    run(Options((source,), Path(out), workers=2, resume=True, reading=Reading("odd_scanners.Counting")))
"""


def outcome(out: Path) -> dict[str, bytes]:
    """Every file of the results but for those that tell of the run itself."""
    return {
        str(path.relative_to(out)): path.read_bytes()
        for path in sorted(out.rglob("*"))
        if path.is_file() and path.name != "run.json" and "work" not in path.relative_to(out).parts
    }


def finished(journal: Path) -> int:
    return journal.read_bytes().count(b'"scan"') if journal.exists() else 0


@pytest.mark.usefixtures("odd_scanners")
def test_killed_five_times_and_resumed(pile, batch, draw, tmp_path, monkeypatch):
    folder = pile(58)
    (folder / "empty.png").write_bytes(b"")
    (folder / "nothing.png").write_bytes(draw.png(draw.page(None)))
    monkeypatch.setenv("READ_PAGES", str(tmp_path / "read-undisturbed"))
    undisturbed = batch(folder, out="undisturbed", scanner="Counting").out
    log, out = tmp_path / "read-killed", tmp_path / "killed"
    monkeypatch.setenv("READ_PAGES", str(log))
    script = tmp_path / "go.py"
    script.write_text(_RUN)
    chance = random.Random(5)
    kept = []

    for _ in range(5):
        process = subprocess.Popen([sys.executable, str(script), str(folder), str(out)], cwd=Path(__file__).parents[2])
        # After some more pages, at any moment of the next one.
        wanted = finished(out / "work" / "pages.jsonl") + chance.randrange(0, 5)
        until = time.monotonic() + 60
        while finished(out / "work" / "pages.jsonl") <= wanted and process.poll() is None:
            assert time.monotonic() < until
            time.sleep(0.002)
        time.sleep(chance.random() * 0.03)
        if process.poll() is not None:  # a quick machine was done before the kill
            break
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kept.append(finished(out / "work" / "pages.jsonl"))
    subprocess.run([sys.executable, str(script), str(folder), str(out)], check=True, cwd=Path(__file__).parents[2])

    assert len(kept) >= 3
    assert outcome(undisturbed) == outcome(out)
    assert kept == sorted(kept)
    # A page is read again only if it was in the hands of a process that died: at most one each of two, five times.
    read = log.read_text().splitlines()
    assert set((tmp_path / "read-undisturbed").read_text().splitlines()) == set(read)
    assert len(read) <= 60 + 2 * 5
    assert 60 == finished(out / "work" / "pages.jsonl")


def test_workers_end_with_the_run(pile, tmp_path, odd_scanners, draw):
    """Nobody is left behind reading a page that hangs when the run is killed."""
    folder = tmp_path / "hang"
    folder.mkdir()
    (folder / "hang.png").write_bytes(draw.png(draw.page(None)))
    script = tmp_path / "go.py"
    script.write_text(_RUN.replace("Counting", "Odd"))
    process = subprocess.Popen([sys.executable, str(script), str(folder), str(tmp_path / "out")], stdout=subprocess.PIPE)
    until = time.monotonic() + 60
    while not (children := _children(process.pid)):
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)

    # The pipe has no writer left only when all of them are gone.
    assert b"" == process.communicate(timeout=60)[0]
    assert children


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_interrupted_command_keeps_what_it_has(pile, tmp_path, command):
    """Ctrl-C ends it at once with its own exit code and says how to go on; what was read stays."""
    # Under load all of a few pages can be done before the signal is: then it is tried with more of them.
    for count in (40, 160, 640):
        folder, out = pile(count, f"pile-{count}"), tmp_path / f"out-{count}"
        process = command(folder, "--out", out, "--workers", "1")
        until = time.monotonic() + 60
        while finished(out / "work" / "pages.jsonl") < 2:
            assert time.monotonic() < until
            time.sleep(0.005)
        process.send_signal(signal.SIGINT)
        _out, said = process.communicate(timeout=60)
        if process.returncode != 0 or count == 640:
            break

    assert 130 == process.returncode
    assert "--resume" in said.decode()
    assert "Traceback" not in said.decode()

    process = command(folder, "--out", out, "--workers", "1", "--resume", "--json")
    answer, _said = process.communicate(timeout=100)

    assert 0 == process.returncode
    assert count == json.loads(answer)["found"]

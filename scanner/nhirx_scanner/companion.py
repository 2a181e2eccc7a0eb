"""A second process for the second thread: two thorough looks at once in one process wait for each other at the interpreter's lock.

A look that finds another one at work in this process is handed to a companion: a process of the same interpreter that holds the same
scanner. It is started beside the first such look and takes part from the next one on; it ends with this process, or after a minute
without work. Whatever happens to it, the look is done here instead, so an answer is never lost and never another one: a page takes a
counted number of tries wherever it is looked at.

Pictures go through a pipe and are written nowhere. ``NHIRX_COMPANIONS`` says how many there may be (0 for none; else one for every
further core). A program that is no Python itself (frozen, or with Python inside) has none.
"""

from __future__ import annotations

import atexit
import json
import os
import pickle
import struct
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Sequence

    from nhirx_scanner.engines import Polygon
    from nhirx_scanner.result import Scan
    from nhirx_scanner.scanner import Scanner

VARIABLE = "NHIRX_COMPANIONS"
_IDLE_SECONDS = 60.0
_STUCK_SECONDS = 30.0
"""Beyond the limit of a look; a companion that has not answered by then is ended, and the look done here."""
_BOOT = (
    "import json, sys; sys.path[:] = json.loads(sys.stdin.buffer.readline()); from nhirx_scanner.companion import serve; serve()"
)
_LENGTH = struct.Struct("<Q")


def look(gray: Any, scanner: Scanner, lines: Sequence[Polygon] = ()) -> Scan:
    """What ``stages.look`` answers, from here or from a companion. Raises what it raises."""
    companion = _crew.enter()
    try:
        if companion is not None and (answer := companion.ask(gray, scanner, lines)) is not None:
            if isinstance(answer, Exception):
                raise answer
            return answer
        from nhirx_scanner.stages import look as here

        return here(gray, scanner, lines)
    finally:
        _crew.leave(companion)


class Companion:
    """One such process. ``ask`` is for one thread at a time; ``process`` is None until ``start`` has seen it ready, and at its end."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self._asked = 0

    def start(self) -> bool:
        """Whether it is there; takes about a second."""
        import subprocess

        try:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", _BOOT],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # a traceback there could name a person
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            return False
        self.process = process
        pipe = _pipe(process.stdin)
        stuck = _later(_STUCK_SECONDS, process.kill)
        try:
            pipe.write(json.dumps([*map(str, map(Path.absolute, map(Path, sys.path)))]).encode() + b"\n")
            pipe.flush()
            alike = bool(_receive(_pipe(process.stdout)) == _nature())
        except Exception:  # whatever it said instead: work goes on without it
            alike = False
        finally:
            if stuck is not None:
                stuck.cancel()
        if not alike:
            self.end()
        return alike

    def ask(self, gray: Any, scanner: Scanner, lines: Sequence[Polygon] = ()) -> Scan | Exception | None:
        """Its answer, or None where it has none: then it is gone."""
        import numpy as np

        process = self.process
        if process is None:
            return None
        stuck = _later(_STUCK_SECONDS + 3 * (scanner.limit_ms or 0) / 1000, process.kill)
        self._asked += 1
        try:
            picture = np.ascontiguousarray(gray)
            _send(_pipe(process.stdin), (self._asked, scanner, lines, picture.shape, picture.dtype.str), picture.data)
            number, answer = _receive(_pipe(process.stdout))
            if number != self._asked:
                raise EOFError
            heard: Scan | Exception = answer
            return heard
        except Exception:
            # It died, was ended, or what it should say or hear cannot be said.
            self.end()
            return None
        except BaseException:
            # Left in the middle of it, such as by Ctrl-C: its answer would be taken for that of the next page.
            self.end()
            raise
        finally:
            if stuck is not None:
                stuck.cancel()

    def end(self) -> None:
        process, self.process = self.process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                _pipe(pipe).close()
        process.wait()


class _Crew:
    """Who is at work: at most one look here as long as a companion is free for the next."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._here = 0
        self._starting = False
        self._there: list[Companion] = []
        self._free: list[Companion] = []

    def enter(self) -> Companion | None:
        with self._lock:
            if self._here and self._free:
                return self._free.pop()
            if self._here and not self._starting and len(self._there) < most():
                self._starting = _begun(threading.Thread(target=self._hire, daemon=True))
            self._here += 1
            return None

    def leave(self, companion: Companion | None) -> None:
        with self._lock:
            if companion is None:
                self._here -= 1
            elif companion.process is not None:
                self._free.append(companion)
            else:
                self._there.remove(companion)

    def _hire(self) -> None:
        companion = Companion()
        ready = companion.start()
        with self._lock:
            self._starting = False
            if ready:
                self._there.append(companion)
                self._free.append(companion)

    def dismiss(self) -> None:
        """End those that are free; one that is asked just now ends with this process, by its closed pipe."""
        with self._lock:
            free, self._free = self._free, []
            self._there = [each for each in self._there if each not in free]
        for companion in free:
            companion.end()

    def forget(self) -> None:
        """In a fork: the companions are its parent's."""
        for companion in self._there:
            if companion.process is not None:
                for pipe in (companion.process.stdin, companion.process.stdout):
                    with suppress(OSError):
                        os.close(_pipe(pipe).fileno())
                companion.process = None
        self._reset()


def most() -> int:
    """How many companions there may be."""
    if getattr(sys, "frozen", False) or not Path(sys.executable or "").name.lower().startswith(("python", "pypy")):
        return 0
    try:
        return max(0, int(os.environ[VARIABLE]))
    except (KeyError, ValueError):
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return cores - 1


def dismiss() -> None:
    """End the companions that have nothing to do."""
    _crew.dismiss()


def serve() -> None:
    """The companion's own life, on stdin and stdout."""
    hear = os.fdopen(os.dup(0), "rb")
    say = os.fdopen(os.dup(1), "wb")
    # What a library prints must not get between the answers.
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(nowhere, 1)
    import numpy as np

    from nhirx_scanner import ocr
    from nhirx_scanner.cores import one_core
    from nhirx_scanner.stages import look as here

    one_core()
    if ocr.is_available():
        ocr.prepare()
    _send(say, _nature())
    while True:
        idle = threading.Timer(_IDLE_SECONDS, os._exit, (0,))
        idle.daemon = True
        idle.start()
        try:
            number, scanner, lines, shape, kind = _receive(hear)
            idle.cancel()
            picture = np.frombuffer(_exactly(hear, int(np.prod(shape)) * np.dtype(kind).itemsize), kind).reshape(shape)
            try:
                answer: Any = here(picture, scanner, lines)
            except Exception as error:  # it is the caller's
                answer = error
            _send(say, (number, answer))
        except (OSError, EOFError):
            os._exit(0)


def _later(seconds: float, act: Callable[[], object]) -> threading.Timer | None:
    timer = threading.Timer(seconds, act)
    timer.daemon = True
    return timer if _begun(timer) else None


def _begun(thread: threading.Thread) -> bool:
    """A machine that is full gives no thread; then there is no companion, and no answer is lost for it."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def _nature() -> tuple[str, str]:
    """What both must have in common: the interpreter, and this very file."""
    return sys.version, str(Path(__file__).resolve())


def _send(pipe: BinaryIO, value: Any, data: Any = b"") -> None:
    words = pickle.dumps(value)
    pipe.write(_LENGTH.pack(len(words)) + words)
    pipe.write(data)
    pipe.flush()


def _receive(pipe: BinaryIO) -> Any:
    return pickle.loads(_exactly(pipe, _LENGTH.unpack(_exactly(pipe, _LENGTH.size))[0]))  # noqa: S301 - our own process said it


def _exactly(pipe: BinaryIO, count: int) -> bytes:
    """Raises ``EOFError`` where the other end has closed."""
    data = pipe.read(count)
    if len(data) != count:
        raise EOFError
    return data


def _pipe(pipe: Any) -> BinaryIO:
    """Both were asked for, so they are there."""
    found: BinaryIO = pipe
    return found


_crew = _Crew()
atexit.register(_crew.dismiss)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_crew.forget)

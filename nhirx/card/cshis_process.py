"""The helper process of control software 5.x, seen from here: started when needed, ended when it hangs, started again.

The library is 32-bit, keeps global state, opens windows and sometimes takes its process down. So it lives in a process of
its own; all calls go through one lock, and a call that does not answer within its limit costs that process and no other.
"""

from __future__ import annotations

import contextlib
import json
import logging
import queue
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from nhirx.errors import AnswerLost, ComponentMissing, ServiceTimeout, TransportError
from nhirx.tables import layouts, reader_codes

_log = logging.getLogger(__name__)
_START_LIMIT = 20.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """One call: its name, the texts, numbers and counts in the order of its table row, and codes that do not stop."""

    name: str
    values: tuple[Any, ...] = ()
    lines: int = 1
    passing: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Result:
    code: int
    buffer: bytes
    shorts: tuple[int, ...]


class HelperProcess:
    """``run`` makes calls in the helper. Thread-safe; ``close`` ends the process."""

    def __init__(self, library: Path, *, python: Path | None = None, port: int = 0, limit: float | None = None) -> None:
        self._library = library
        self._python = str(python or sys.executable)
        self._port = port
        self._limit = limit
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()
        self._number = 0

    def run(self, *wanted: Wanted, connected: bool = True) -> list[Result]:
        """The results of the calls, in order; fewer than asked where one returned a code that stops.

        Raises what ``csOpenCom`` returned where the connection could not be opened; ``ServiceTimeout`` where the helper hung
        and ``AnswerLost`` where it crashed, both with the call in ``detail["asked"]``; ``ComponentMissing`` where the
        library or a function of it is not there.
        """
        with self._lock:
            self._number += 1
            request = {
                "id": self._number,
                "open": self._port if connected else None,
                "calls": [self._described(one) for one in wanted],
                "guard": layouts.guard(),
            }
            limit = self._limit or sum(layouts.calls()[one.name].limit for one in wanted)
            answer = self._exchange(request, limit, wanted[-1].name)
            if "error" in answer:
                raise ComponentMissing(
                    component=f"{self._library.name} ({answer.get('problem', '?')})",
                    how="請確認控制軟體的版本為 5.1.5.3 以上 / control software 5.1.5.3 or newer",
                )
            if answer.get("open", 0) != 0:
                raise reader_codes.error_for(answer["open"], call="csOpenCom")
            if answer.get("close", 0) != 0:
                _log.warning("csCloseCom returned %s", answer["close"])
            if any(result.get("overrun") for result in answer["results"]):
                # The guard took it, so the data are whole; but this library is not the one the table describes.
                _log.error("%s wrote past its buffer; its process is started anew", wanted[-1].name)
                self._end()
            return [
                Result(result["code"], bytes.fromhex(result.get("buffer", "")), tuple(result["shorts"]))
                for result in answer["results"]
            ]

    def close(self) -> None:
        with self._lock:
            self._end()

    def _described(self, wanted: Wanted) -> dict[str, Any]:
        call = layouts.calls()[wanted.name]
        size = call.size or call.size_each * wanted.lines
        values = iter(wanted.values)
        args: list[list[Any]] = []
        for kind in call.args:
            if kind in ("buffer", "length"):
                args.append([kind, size])
            elif kind == "text":
                args.append([kind, next(values).hex()])
            elif kind == "status":
                args.append([kind, 0])
            else:
                args.append([kind, next(values)])
        return {
            "name": call.name,
            "cdecl": self._library.name.lower() in call.cdecl_in,
            "args": args,
            "passing": list(wanted.passing),
        }

    # ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────

    def _exchange(self, request: dict[str, Any], limit: float, asked: str) -> dict[str, Any]:
        pipe = self._running()
        try:
            pipe.write(json.dumps(request) + "\n")
            pipe.flush()
        except OSError:
            self._end()
            raise self._lost(asked) from None
        while True:
            line = self._next_line(limit, asked)
            answer: dict[str, Any] = json.loads(line)
            if answer.get("id") == request["id"]:
                return answer

    def _next_line(self, limit: float, asked: str) -> str:
        try:
            line = self._lines.get(timeout=limit)
        except queue.Empty:
            self._end()
            raise self._lost(asked, limit) from None
        if line is None:
            self._end()
            raise self._lost(asked)
        return line

    def _running(self) -> IO[str]:
        """The way into the helper, which is started where it is not running."""
        if self._process is not None and self._process.poll() is None and self._process.stdin is not None:
            return self._process.stdin
        self._end()
        lines: queue.Queue[str | None] = queue.Queue()
        try:
            process = subprocess.Popen(
                [self._python, "-I", str(Path(__file__).with_name("cshis_helper.py")), str(self._library)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="ascii",
                # No console of its own on the counter's screen; windows the library opens are still shown.
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError as error:
            raise ComponentMissing(
                component=f"32-bit Python ({self._python}: {error.strerror})",
                how="請安裝 32 位元 Python 並設定 control.cshis.python / install it and set control.cshis.python",
            ) from None
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("pipes were asked for")
        threading.Thread(target=_collect, args=(process.stdout, lines), name="nhirx-cshis", daemon=True).start()
        self._process, self._lines = process, lines
        ready: dict[str, Any] = json.loads(self._next_line(_START_LIMIT, "start"))
        if "ready" not in ready:
            self._end()
            raise ComponentMissing(
                component=f"{self._library} ({ready.get('problem', '?')})",
                how="控制軟體 5.x 為 32 位元，請設定 32 位元的 control.cshis.python / the library is 32-bit: set control.cshis.python",
            )
        return process.stdin

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.wait()
        if process.stdin is not None:
            # What was not yet written would be written now, to nobody.
            with contextlib.suppress(OSError):
                process.stdin.close()

    def _lost(self, asked: str, limit: float | None = None) -> TransportError:
        """The call was made and nobody knows how it ended; no ``CardError``, because those say that nothing was done."""
        software = reader_codes.group("software")
        detail = {
            "url": self._library.name,
            "asked": asked,
            "reached": True,
            "serials_before": list(software.before),
            "serials_after": list(software.after),
        }
        if limit is not None:
            return ServiceTimeout(
                zh=f"讀卡機控制軟體在 {limit:.0f} 秒內沒有回應，已重新啟動讀卡程序。請看畫面上有無密碼視窗，再確認是否已取號。",
                en=f"The control software did not answer within {limit:.0f} s; its process was started anew. "
                "Look for a PIN window, and whether a number was taken.",
                **detail,
            )
        return AnswerLost(
            zh="讀卡機控制軟體的程序異常中止，已重新啟動。請確認是否已取號再試；一再發生請重新安裝控制軟體。",
            en="The control software's process died and is started anew. See whether a number was taken, then try again; "
            "if it keeps happening, reinstall it.",
            **detail,
        )


def _collect(pipe: IO[str], lines: queue.Queue[str | None]) -> None:
    """Lines of one process into its queue; None when it has ended."""
    with pipe:
        for line in pipe:
            lines.put(line)
    lines.put(None)

"""The vendor's program as a child process: one JSON object per line in, one per line out, UTF-8.

Ask: ``{"id": 7, "call": "read_holder", "arguments": {}}`` · answer: ``{"id": 7, "result": {…}}`` or
``{"id": 7, "error": {"code": "card-absent"}}`` or ``{"id": 7, "error": {"code": "control-software", "number": 5003}}``.
"""

from __future__ import annotations

import json
import queue
import subprocess
import threading
from collections.abc import Mapping
from typing import Any

from nhirx.errors import CardError, CardUnreadable, ControlSoftwareDown, ControlSoftwareError, NhirxError


class Peer:
    """Started with the first call, started again after it died. Thread-safe: one call at a time."""

    def __init__(self, command: tuple[str, ...], seconds: float = 20.0) -> None:
        self._command = command
        self._seconds = seconds
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._number = 0

    def call(self, name: str, **arguments: Any) -> Any:
        """The ``result`` of the answer. Raises the ``CardError`` that the answer names, ``ControlSoftwareDown`` when none comes."""
        with self._lock:
            process = self._running()
            self._number += 1
            try:
                assert process.stdin is not None  # noqa: S101 - opened below
                process.stdin.write(
                    json.dumps({"id": self._number, "call": name, "arguments": arguments}, ensure_ascii=False) + "\n"
                )
                process.stdin.flush()
                answer = self._answer(self._number)
            except (OSError, queue.Empty):
                self._stop()
                raise ControlSoftwareDown(url=self._command[0]) from None
        if error := answer.get("error"):
            raise _named(error)
        return answer.get("result")

    def close(self) -> None:
        with self._lock:
            self._stop()

    def _answer(self, number: int) -> Mapping[str, Any]:
        while True:
            line = self._lines.get(timeout=self._seconds)
            if line is None:
                raise OSError("the program ended")
            try:
                answer = json.loads(line)
            except ValueError:
                answer = None
            if not isinstance(answer, dict):
                raise CardUnreadable(problem="橋接程式的回覆不是 JSON 物件 / the bridge program answered no JSON object")
            # An answer that comes after its time limit belongs to nobody any more.
            if answer.get("id") == number:
                return answer

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None or self._process.poll() is not None:
            self._stop()
            try:
                self._process = subprocess.Popen(
                    self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
                )
            except OSError:
                raise ControlSoftwareDown(url=self._command[0]) from None
            self._lines = queue.SimpleQueue()
            threading.Thread(target=_pump, args=(self._process, self._lines), daemon=True).start()
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    try:
                        pipe.close()
                    except OSError:
                        continue
            self._process = None


def _pump(process: subprocess.Popen[str], lines: queue.SimpleQueue[str | None]) -> None:
    try:
        for line in process.stdout or ():
            lines.put(line)
    except (OSError, ValueError):
        pass
    lines.put(None)


def _named(error: Mapping[str, Any]) -> NhirxError:
    code = str(error.get("code", ""))
    known = {kind.code: kind for kind in _below(CardError)}
    number = error.get("number")
    words = str(error.get("words", ""))
    kind = known.get(code, ControlSoftwareError)
    return kind(number=number, meaning_zh=words, meaning_en=words, problem=words or code, reader="bridge", url="bridge")


def _below(kind: type[NhirxError]) -> list[type[NhirxError]]:
    return [kind, *(deeper for below in kind.__subclasses__() for deeper in _below(below))]

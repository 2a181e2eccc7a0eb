"""The process that loads the 32-bit library of control software 5.x, and nothing else: one file, standard library only.

It is run as ``python cshis_helper.py LIBRARY`` by a 32-bit Python (3.7 or newer), reads one JSON object per line and answers
each with one. It knows no function by name: each request says what to call, with which types. All bytes are hex.

    {"id": 1, "open": 0, "calls": [{"name": "csGetCardNo", "cdecl": false,
     "args": [["number", 2], ["buffer", 12], ["length", 12]]}], "guard": 256}
    {"id": 1, "open": 0, "close": 0, "results": [{"code": 0, "buffer": "…", "shorts": [12], "overrun": false}]}

``open`` is the port for csOpenCom: the connection is opened before the calls and closed after them, whatever they did; a
port of null leaves both out. When opening fails no call is made. Calls end with the first one that returns another code
than those in its ``passing`` (default: 0). A failure of the helper itself is ``{"id": 1, "error": "…"}``.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from pathlib import Path
from typing import Any

PATTERN = 0xA5


def load(path: str) -> tuple[Any, Any]:
    """Loaders for both calling conventions; outside Windows there is one."""
    if os.name == "nt":
        # It loads its other half by bare name, from the folder it lies in.
        os.chdir(Path(path).resolve().parent)
        return getattr(ctypes, "WinDLL")(path), ctypes.CDLL(path)  # noqa: B009 - the name exists on Windows only
    library = ctypes.CDLL(path)
    return library, library


class Arguments:
    """C values for one call, kept alive until its answer is read."""

    def __init__(self, given: Any, guard: int) -> None:
        self.guard = guard
        self.buffer: Any = None
        self.size = 0
        self.shorts: list[Any] = []
        self.values: list[Any] = []
        self.types: list[Any] = []
        for kind, value in given:
            getattr(self, "_" + kind)(value)

    def _add(self, kind: Any, value: Any) -> None:
        self.types.append(kind)
        self.values.append(value)

    def _text(self, value: str) -> None:
        # NUL behind it, and writable: some "input" texts are written to.
        self._add(ctypes.c_char_p, ctypes.cast(ctypes.create_string_buffer(bytes.fromhex(value)), ctypes.c_char_p))

    def _buffer(self, size: int) -> None:
        self.size = size
        self.buffer = ctypes.create_string_buffer(size + self.guard)
        ctypes.memset(self.buffer, 0x20, size)
        ctypes.memset(ctypes.addressof(self.buffer) + size, PATTERN, self.guard)
        self._add(ctypes.c_void_p, ctypes.addressof(self.buffer))

    def _short(self, value: int) -> None:
        # Four bytes of room behind a 16-bit pointer: a library that writes 32 bits harms nothing.
        room = (ctypes.c_short * 2)(value, 0)
        self.shorts.append(room)
        self._add(ctypes.POINTER(ctypes.c_short), ctypes.cast(room, ctypes.POINTER(ctypes.c_short)))

    _length = _count = _status = _short

    def _number(self, value: int) -> None:
        self._add(ctypes.c_int, value)

    def read(self) -> dict[str, Any]:
        """What the call left behind. Never ``.value`` of a buffer: nothing says where a NUL would be."""
        answer: dict[str, Any] = {"shorts": [room[0] for room in self.shorts]}
        if self.buffer is not None:
            answer["buffer"] = self.buffer.raw[: self.size].hex()
            answer["overrun"] = self.buffer.raw[self.size :] != bytes([PATTERN]) * self.guard
        return answer


def call(loaders: tuple[Any, Any], wanted: dict[str, Any], guard: int) -> dict[str, Any]:
    function = getattr(loaders[1 if wanted.get("cdecl") else 0], wanted["name"])
    arguments = Arguments(wanted.get("args", []), guard)
    function.restype = ctypes.c_int
    function.argtypes = arguments.types
    code = function(*arguments.values)
    answer = arguments.read()
    answer["code"] = code
    return answer


def handle(loaders: tuple[Any, Any], request: dict[str, Any]) -> dict[str, Any]:
    guard = request.get("guard", 64)
    port = request.get("open")
    answer: dict[str, Any] = {"id": request.get("id"), "results": []}
    if port is not None:
        answer["open"] = call(loaders, {"name": "csOpenCom", "args": [["number", port]]}, guard)["code"]
        if answer["open"] != 0:
            return answer
    try:
        for wanted in request["calls"]:
            result = call(loaders, wanted, guard)
            answer["results"].append(result)
            if result["code"] not in wanted.get("passing", [0]):
                break
    finally:
        if port is not None:
            answer["close"] = call(loaders, {"name": "csCloseCom"}, guard)["code"]
    return answer


def main() -> int:
    # The library may print: the pipe is moved away, and what it prints goes nowhere.
    pipe = os.fdopen(os.dup(1), "w", encoding="ascii", newline="\n")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        loaders = load(sys.argv[1])
    except (OSError, IndexError) as error:
        pipe.write(json.dumps({"error": "load", "problem": str(error)}) + "\n")
        pipe.flush()
        return 3
    pipe.write(json.dumps({"ready": 8 * ctypes.sizeof(ctypes.c_void_p)}) + "\n")
    pipe.flush()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = handle(loaders, request)
        except AttributeError as error:
            answer = {"id": request.get("id"), "error": "missing", "problem": str(error)}
        except Exception as error:
            answer = {"id": request.get("id"), "error": "failed", "problem": type(error).__name__}
        pipe.write(json.dumps(answer) + "\n")
        pipe.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())

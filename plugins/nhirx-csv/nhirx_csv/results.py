"""What became of each record, as lines at the end of a CSV file that Excel opens as it is.

A line is on disk before the call returns. While Excel holds the file (Windows then refuses writing), lines wait in a second
file beside it and move over with the next result.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

_BOM = "\ufeff"
HEADER = ("time", "state", "狀態", "reference", "visit_id", "opcode", "errors", "說明")


class Results:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = path.with_name(f"{path.stem}.waiting{path.suffix}")

    def add(self, cells: Sequence[str]) -> None:
        """One line. Raises OSError only when neither file can be written."""
        line = _line([_harmless(cell) for cell in cells])
        earlier = self._waiting.read_bytes() if self._waiting.exists() else b""
        try:
            self._append(self._path, earlier + line, header=True)
        except PermissionError:
            self._append(self._waiting, line, header=False)
        else:
            self._waiting.unlink(missing_ok=True)

    def _append(self, path: Path, content: bytes, *, header: bool) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab+", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0 and header:
                content = _BOM.encode() + _line(HEADER) + content
            elif size:
                file.seek(-1, os.SEEK_END)
                # A line that was cut short by a power failure must not swallow this one.
                content = content if file.read(1) == b"\n" else b"\r\n" + content
            written = file.write(content)
            if written != len(content):
                raise OSError(f"only {written} of {len(content)} bytes were written")
            os.fsync(file.fileno())


def _line(cells: Sequence[str]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerow(cells)
    return text.getvalue().encode()


def _harmless(cell: str) -> str:
    """Excel runs a cell that begins with one of these as a formula."""
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t")) else cell

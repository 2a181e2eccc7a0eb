"""JSON files that appear whole: a program that lists the folder never sees half a file."""

from __future__ import annotations

import json
import os
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Outbox:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, content: Mapping[str, Any]) -> Path:
        """``NAME.json``, UTF-8; never over a file that is there. ``name`` may hold anything."""
        name = re.sub(r"[^\w.-]", "_", name).strip(".") or "_"
        partial = self._folder / f".{uuid.uuid4().hex}.part"
        with partial.open("wb") as file:
            file.write(json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        target = self._folder / f"{name}.json"
        number = 1
        while target.exists():
            number += 1
            target = self._folder / f"{name}-{number}.json"
        partial.replace(target)
        return target

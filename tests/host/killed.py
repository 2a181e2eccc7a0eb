"""Runs one dispensing and kills itself, truly, before or after one named step. Started by ``test_kill.py``."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nhirx.host import Host
from nhirx.model import Prescription
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.settings import Settings


def main(folder: Path, step: str, when: str) -> None:
    config = json.loads((folder / "config.json").read_text("utf-8"))
    settings = Settings.model_validate(config["settings"])
    opening, began = datetime.fromisoformat(config["now"]), time.monotonic()

    def clock() -> datetime:
        return opening + timedelta(seconds=time.monotonic() - began)

    outbox = Outbox(config["url"], ring=KeyRing.parse(config["ring"]), clock=clock)
    host = Host(settings, outbox=outbox, plugins=Plugins(discover=False), clock=clock)
    part, name = step.split(".")
    owner: Any = {"control": host.control, "journal": outbox.journal, "plugins": host.plugins}[part]
    setattr(owner, name, _deadly(getattr(owner, name), when))
    prescription = Prescription.model_validate(config["prescription"])
    host.dispense(prescription, host.facts(prescription))


def _deadly(call: Callable[..., Any], when: str) -> Callable[..., Any]:
    def killed(*arguments: Any, **named: Any) -> Any:
        if when == "after":
            call(*arguments, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return killed


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])

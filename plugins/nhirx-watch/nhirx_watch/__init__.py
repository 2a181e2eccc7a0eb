"""nhirx-watch: folders in place of an interface. What is dropped in is scanned; all news comes out as files.

For pharmacy systems that can write and read files and nothing else, and for scanners that save into a folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from nhirx import hookimpl
from nhirx.errors import SettingInvalid
from nhirx.i18n import say
from nhirx.roc import TAIPEI
from nhirx_watch.inbox import Inbox
from nhirx_watch.outbox import Outbox

_KNOWN = {"inbox", "outbox"}


class Watch:
    """Idle until its options are set. ``nhirx watch`` reads the inbox until it is stopped."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(TAIPEI)) -> None:
        self._now = now
        self._inbox: Path | None = None
        self._outbox: Outbox | None = None

    @hookimpl
    def nhirx_configure(self, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - _KNOWN):
            raise SettingInvalid(setting="plugins.options.watch", problem=f"沒有這個選項 / no such option: {', '.join(unknown)}")
        for name in sorted(set(options)):
            if not Path(options[name]).is_dir():
                raise SettingInvalid(
                    setting=f"plugins.options.watch.{name}", problem=f"沒有這個資料夾 / no such folder: {options[name]}"
                )
        if "inbox" in options:
            self._inbox = Path(options["inbox"])
        if "outbox" in options:
            self._outbox = Outbox(Path(options["outbox"]))

    @hookimpl
    def nhirx_register_commands(self) -> Mapping[str, Callable[..., Any]]:
        def watch(
            once: Annotated[bool, typer.Option("--once", help="處理現有檔案後結束 stop when the folder is empty")] = False,
            seconds: Annotated[float, typer.Option("--seconds", min=0.05, help="間隔秒數 seconds between looks")] = 0.5,
        ) -> int:
            """監看資料夾並掃描放入的檔案 scan what is dropped into the inbox"""
            if self._inbox is None or self._outbox is None:
                raise SettingInvalid(setting="plugins.options.watch", problem="請設定 inbox 與 outbox / set inbox and outbox")
            from nhirx_scanner import Scanner

            inbox = Inbox(self._inbox, Scanner().scan_file, self._outbox)
            typer.echo(say(f"監看 {self._inbox}，按 Ctrl-C 結束", f"watching {self._inbox}, Ctrl-C to stop"), err=True)
            inbox.run(seconds=seconds, once=once)
            return 0

        return {"watch": watch}

    @hookimpl
    def nhirx_dispensed(self, record: Any, reference: str | None) -> None:
        self._write("dispensed", reference, visit_id=record.visit_id, fields=dict(record.fields))

    @hookimpl
    def nhirx_record_accepted(self, record: Any, receipt: Any, reference: str | None) -> None:
        self._write("accepted", reference, visit_id=record.visit_id, opcode=receipt.opcode)

    @hookimpl
    def nhirx_record_rejected(self, record: Any, receipt: Any, errors: Sequence[Any], reference: str | None) -> None:
        listed = [error.model_dump(mode="json") for error in errors]
        self._write("rejected", reference, visit_id=record.visit_id, opcode=receipt.opcode if receipt else None, errors=listed)

    def _write(self, event: str, reference: str | None, **data: Any) -> None:
        if self._outbox is not None:
            name = f"{self._now():%Y%m%d-%H%M%S-%f}-{event}"
            self._outbox.write(name, {"event": event, "time": self._now().isoformat(), "reference": reference, **data})

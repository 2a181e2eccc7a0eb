"""``nhirx doctor``: is everything on this machine ready, and if not, what to do."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from nhirx import diagnostics
from nhirx.cli.app import emit
from nhirx.i18n import say
from nhirx.roc import TAIPEI
from nhirx.settings import config_path, data_path

_NAMES = {
    "decoders": ("解碼元件", "Decoders"),
    "camera": ("攝影機", "Camera"),
    "pcsc": ("讀卡機", "Card reader"),
    "control": ("控制軟體", "Control software"),
    "clock": ("時鐘", "Clock"),
    "database": ("資料庫", "Database"),
    "plugins": ("外掛", "Plugins"),
}
_MARKS = {"ok": "✔", "warn": "!", "fail": "✘"}
_COLOURS = {"ok": typer.colors.GREEN, "warn": typer.colors.YELLOW, "fail": typer.colors.RED}


def _places() -> None:
    """Where the settings are read from and the data lies, which the other pages of the manual leave to this command."""
    config = config_path()
    absent = "" if config.is_file() else say("（還沒有這個檔案）", " (there is no such file yet)")
    typer.echo(say(f"  設定檔：{config}{absent}", f"  Settings file: {config}{absent}"))
    typer.echo(say(f"  資料夾：{data_path()}", f"  Data: {data_path()}"))


def register(app: typer.Typer) -> None:
    @app.command(
        "doctor", help=say("檢查這台電腦的各項元件，並說明如何處理", "check every part of this machine and say what to do")
    )
    def doctor(
        only: Annotated[list[str] | None, typer.Option("--only", help=say("只檢查這些項目", "only these probes"))] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON，每項一行", "print JSON, one line a probe"))] = False,
        limit: Annotated[
            float, typer.Option("--limit", help=say("每項的秒數上限", "seconds for each probe"))
        ] = diagnostics.TIME_LIMIT,
        bundle: Annotated[
            Path | None,
            typer.Option("--bundle", help=say("寫成不含個資的支援檔（zip）", "write a support file without personal data (zip)")),
        ] = None,
        sbom: Annotated[
            Path | None,
            typer.Option(
                "--sbom", help=say("只寫出元件清單（CycloneDX JSON）", "only write the bill of materials (CycloneDX JSON)")
            ),
        ] = None,
        log: Annotated[
            list[Path] | None,
            typer.Option("--log", help=say("放入支援檔的紀錄檔", "a log file for the bundle"), exists=True, dir_okay=False),
        ] = None,
    ) -> int:
        if sbom is not None:
            from nhirx import materials

            materials.write(sbom, datetime.now(TAIPEI))
            typer.echo(str(sbom), err=True)
            return 0
        unknown = sorted(set(only or ()) - set(diagnostics.PROBES))
        if unknown:
            raise typer.BadParameter(say(f"沒有這些項目：{', '.join(unknown)}", f"no such probe: {', '.join(unknown)}"))
        worst, seen = 0, []
        for report in diagnostics.examine(tuple(only) if only else None, limit=limit):
            seen.append(report)
            worst = max(worst, report["status"] == "fail")
            if as_json:
                emit(report)
                continue
            zh, en = _NAMES[report["name"]]
            typer.secho(f"{_MARKS[report['status']]} {say(zh, en)}", fg=_COLOURS[report["status"]], nl=False)
            typer.echo(f"  {say(report['zh'], report['en'])}")
        if not as_json:
            _places()
        if bundle is not None:
            from nhirx import support

            support.write(bundle, seen, logs=log or sorted(data_path().glob("*.log")), now=datetime.now(TAIPEI))
            typer.echo(say(f"已寫入 {bundle}，不含個資。", f"{bundle} is written; it names no patient."), err=True)
        return int(worst)

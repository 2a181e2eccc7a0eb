"""``nhirx sim``: the sandbox as a program of its own (contract §8)."""

from __future__ import annotations

import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nhirx.cli.app import emit
from nhirx.errors import AlreadyThere, ServiceUnreachable
from nhirx.i18n import say

if TYPE_CHECKING:
    from nhirx.sim import Simulator


def register(app: typer.Typer) -> None:
    @app.command(
        "sim",
        help=say(
            "啟動模擬的讀卡機控制軟體 6.0、健保署資料中心與上傳服務（僅本機，使用 TLS），印出一行 JSON 後持續執行",
            "run the simulated control software 6.0, data centre and Web API (loopback, TLS); prints one JSON line, then serves",
        ),
    )
    def sim(
        data: Annotated[
            Path, typer.Option("--data", help=say("存放憑證與紀錄的資料夾", "folder for certificate and ledger"), file_okay=False)
        ],
        port: Annotated[
            int, typer.Option("--port", min=0, max=65535, help=say("連接埠，0 為自動", "port, 0 for a free one"))
        ] = 0,
        until_stdin_closes: Annotated[
            bool,
            typer.Option("--until-stdin-closes", help=say("標準輸入關閉時結束", "end when standard input is closed")),
        ] = False,
        auto_start: Annotated[
            bool,
            typer.Option("--auto-start", help=say("開始時即已初始化並完成認證", "begin initialised, with SAM and HPC verified")),
        ] = False,
        settings: Annotated[
            Path | None,
            typer.Option(
                "--settings",
                help=say("寫出連到這個模擬環境的 nhirx 設定檔", "write a settings file of nhirx that leads to this sandbox"),
            ),
        ] = None,
        sheet: Annotated[
            Path | None,
            typer.Option(
                "--sheet",
                help=say(
                    "印出一張可掃描的虛構處方箋（PNG），內容另存為同名的 .json",
                    "draw an invented sheet that can be scanned (PNG), with its contents beside it as .json",
                ),
            ),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON（預設即是）", "print JSON (it always does)"))] = True,  # noqa: ARG001
    ) -> int:
        from nhirx.sim import Behaviour, Simulator

        ended = threading.Event()
        for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
            # SIGBREAK is how Windows asks a console program to end; it exists nowhere else.
            if number := getattr(signal, name, None):
                signal.signal(number, lambda *_: ended.set())
        try:
            simulator = Simulator(data=data, port=port, behaviour=Behaviour(auto_start=auto_start))
        except OSError as error:
            if port == 0:
                raise
            raise ServiceUnreachable(
                zh=f"連接埠 {port} 無法使用（{error.strerror}）。請換一個，或用 --port 0 自動選擇。",
                en=f"Port {port} cannot be used ({error.strerror}). Take another one, or --port 0.",
                port=port,
            ) from None
        with simulator:
            emit(simulator.describe() | _written(simulator, settings, sheet))
            sys.stdout.flush()
            if until_stdin_closes:
                threading.Thread(target=_until_closed, args=(ended,), daemon=True).start()
            while not ended.wait(0.5):
                pass  # a wait without limit would not see Ctrl-C on Windows
        return 0


def _written(simulator: Simulator, settings: Path | None, sheet: Path | None) -> dict[str, str]:
    """Write what was asked for and say where it is. Raises ``AlreadyThere`` before anything is written over."""
    made: dict[str, str] = {}
    if settings is not None:
        # Started anew on its old port: the file still leads here, and may hold more by now.
        if not settings.exists():
            settings.write_text(simulator.settings_file(), "utf-8", newline="\n")
        elif simulator.url not in settings.read_text("utf-8", "replace"):
            raise AlreadyThere(path=str(settings))
        made["settings"] = str(settings)
    if sheet is not None:
        from nhirx.sim import PEOPLE
        from nhirx.sim.paper import draw_sheet, make_prescription

        beside = sheet.with_suffix(".json")
        if taken := next((path for path in (sheet, beside) if path.exists()), None):
            raise AlreadyThere(path=str(taken))
        prescription = make_prescription(simulator, PEOPLE[0])
        draw_sheet(prescription, sheet)
        beside.write_text(prescription.model_dump_json(indent=1) + "\n", "utf-8", newline="\n")
        made |= {"sheet": str(sheet), "prescription": str(beside)}
    return made


def _until_closed(ended: threading.Event) -> None:
    while sys.stdin.buffer.read(4096):
        pass
    ended.set()

"""``nhirx counter``: the counter page and its local API; keys for other programs and new links to the page."""

from __future__ import annotations

import gc
import sys
import threading
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nhirx.cli.app import emit
from nhirx.i18n import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from nhirx.counter.options import Options
    from nhirx.host import Host
    from nhirx.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))]
Config = Annotated[Path | None, typer.Option("--config", help=say("設定檔", "settings file"))]
Name = Annotated[
    str, typer.Argument(metavar="NAME", help=say("程式的名稱，記入稽核紀錄", "the program's name in the audit trail"))
]


def register(app: typer.Typer) -> None:
    counter = typer.Typer(
        invoke_without_command=True,
        rich_markup_mode=None,
        help=say("啟動調劑台網頁與本機 API（僅限本機連線）", "the counter page and its local API, on this computer only"),
    )
    counter.callback()(run)
    counter.command("key", help=say("為其他程式產生金鑰（只顯示一次）", "make a key for another program; shown once"))(key)
    counter.command("keys", help=say("列出已發出的金鑰名稱", "names of the keys that were made"))(keys)
    counter.command("revoke", help=say("撤銷一把金鑰", "revoke a key"))(revoke)
    counter.command("link", help=say("為執行中的調劑台產生新的登入連結", "a new one-time link to the running counter"))(link)
    app.add_typer(counter, name="counter")


def run(
    context: typer.Context,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help=say("連接埠，0 為自動；預設 8755", "port, 0 for a free one; 8755")),
    ] = None,
    host: Annotated[
        str,
        typer.Option("--host", help=say("監聽的位址；非本機位址須附憑證", "address to listen on; any but loopback needs TLS")),
    ] = "127.0.0.1",
    open_page: Annotated[bool | None, typer.Option("--open/--no-open", help=say("是否開啟瀏覽器", "open the browser"))] = None,
    demo: Annotated[
        bool,
        typer.Option("--demo", help=say("以模擬的健保卡與健保署服務試用，不留下資料", "everything simulated; nothing is kept")),
    ] = False,
    cert: Annotated[Path | None, typer.Option("--cert", help=say("TLS 憑證（PEM）", "TLS certificate (PEM)"))] = None,
    cert_key: Annotated[Path | None, typer.Option("--key", help=say("TLS 私鑰（PEM）", "its private key (PEM)"))] = None,
    names: Annotated[
        list[str] | None, typer.Option("--name", help=say("瀏覽器使用的主機名稱", "host name that browsers use"))
    ] = None,
    camera: Annotated[
        str | None,
        typer.Option(
            "--camera", help=say("本機攝影機 0 的來源：檔案或網路攝影機位址", "source behind camera 0: file or address")
        ),
    ] = None,
    config: Config = None,
    as_json: AsJson = False,
) -> int:
    if context.invoked_subcommand is not None:
        return 0
    from nhirx.counter.serve import Address, Server

    address = Address(host, port or 0, cert, cert_key, tuple(names or ()))
    address.check()
    make: Callable[[], Host]
    gc.disable()  # half a second of imports comes; what they make is for good, and ``Server.run`` collects once
    with ExitStack() as stack:
        if demo:
            from nhirx.counter.demo import begin
            from nhirx.counter.options import PORT
            from nhirx.counter.people import Keys
            from nhirx.demo import sample

            begun = stack.enter_context(begin())
            make, options = begun.host, begun.options
            # A program in another language is tried out here first: it needs a key, and something to scan.
            known = {"key": Keys(options.folder).add("demo"), "sheet": str(sample("demo-sheet.jpg"))}
            extra: dict[str, Any] = {"demo": True, "sim": begun.sim.url, **known}
            usual = PORT
        else:
            from nhirx import settings

            found = settings.load(config)
            make, options, extra = partial(_host, found, stack), _options(found), {"demo": False}
            options.camera, usual = found.counter.camera, found.counter.port
        options.camera = camera or options.camera
        server = Server(make, options, replace(address, port=usual) if port is None else address)
        link = server.link()
        _remember(options)
        _announce({"url": server.url, "token_url": link, "openapi": f"{server.url}/openapi.json", **extra}, as_json)
        if open_page if open_page is not None else (not as_json and sys.stdout.isatty()):
            threading.Thread(target=_open, args=(link,), daemon=True).start()
        server.run()
    if not as_json:
        kept = say("調劑台已關閉；未送出的資料保存在待上傳區。", "The counter is closed; what was not sent waits in the outbox.")
        typer.echo(say("練習已結束，模擬的資料都已刪除。", "The practice is over; what was simulated is gone.") if demo else kept)
    return 0


def key(name: Name, config: Config = None, as_json: AsJson = False) -> None:
    from nhirx.counter.people import Keys

    made = Keys(_folder(config)).add(name)
    if as_json:
        emit({"name": name, "key": made})
    else:
        typer.echo(made)


def keys(config: Config = None, as_json: AsJson = False) -> None:
    from nhirx.counter.people import Keys

    for name in Keys(_folder(config)).names():
        if as_json:
            emit({"name": name})
        else:
            typer.echo(name)


def revoke(name: Name, config: Config = None) -> None:
    from nhirx.counter.people import Keys

    Keys(_folder(config)).revoke(name)
    typer.echo(say("已撤銷", "revoked"))


def link(config: Config = None, as_json: AsJson = False) -> None:
    from nhirx.counter.files import read_json
    from nhirx.counter.options import Options
    from nhirx.counter.sessions import new_link
    from nhirx.errors import ThingMissing

    folder = _folder(config)
    running = read_json(folder / "running.json", None)
    if running is None:
        raise ThingMissing(what="執行中的調劑台，請先執行 nhirx counter / running counter: start one with `nhirx counter`")
    made = f"{running['url']}/#token={new_link(Options(folder=folder))}"
    if as_json:
        emit({"url": running["url"], "token_url": made})
    else:
        typer.echo(made)


def _folder(config: Path | None) -> Path:  # noqa: ARG001 - the folder is the data folder's, whatever the settings
    from nhirx.counter.kept import place

    return place()


def _host(found: Settings, stack: ExitStack) -> Host:
    """Called when the page is on its way to the browser already: the database and what talks to it take as long to import."""
    from nhirx.host import Host
    from nhirx.outbox import open_outbox

    return stack.enter_context(Host(found, outbox=open_outbox(found, who="counter")))


def _options(found: Settings) -> Options:
    from nhirx.counter.options import Options

    return Options(folder=_folder(None), idle=found.counter.idle)


def _remember(options: Options) -> None:
    from nhirx.counter.files import write_json

    write_json(options.folder / "running.json", {"url": options.url})


def _announce(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        emit(told)
        sys.stdout.flush()
        return
    typer.echo(
        say(
            "調劑台已啟動。請用瀏覽器開啟（連結只能用一次）：", "The counter is running. Open in a browser (the link works once):"
        )
    )
    typer.echo(f"\n    {told['token_url']}\n")
    if told["demo"]:
        typer.echo(
            say(
                "示範模式：病人、健保卡與健保署服務都是模擬的。",
                "Demo: patient, card and NHIA are simulated.",
            )
        )
        typer.echo(say(f"  範例處方箋：{told['sheet']}", f"  Sample sheet: {told['sheet']}"))
        typer.echo(
            say(
                f"  其他程式試用的網址與金鑰：{told['url']} {told['key']}",
                f"  For programs, URL and key: {told['url']} {told['key']}",
            )
        )
    typer.echo(say("按 Ctrl-C 結束。", "Ctrl-C ends it."))
    sys.stdout.flush()


def _open(address: str) -> None:
    import webbrowser

    webbrowser.open(address)

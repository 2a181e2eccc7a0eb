"""``nhirx docs``: the manual in the browser, without a network."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from nhirx.cli.app import emit
from nhirx.errors import ServiceUnreachable
from nhirx.i18n import say


def register(app: typer.Typer) -> None:
    @app.command("docs", help=say("在瀏覽器看說明文件，不需要網路", "read the manual in the browser, without a network"))
    def docs(
        port: Annotated[
            int, typer.Option("--port", min=0, max=65535, help=say("連接埠，0 為自動", "port, 0 for a free one"))
        ] = 0,
        open_it: Annotated[bool, typer.Option("--open/--no-open", help=say("開啟瀏覽器", "open the browser"))] = True,
        plain: Annotated[bool, typer.Option("--plain", help=say("簡易版面", "plain pages"))] = False,
        build: Annotated[
            Path | None,
            typer.Option("--build", help=say("只產生網站到此資料夾", "only build the site into this folder"), file_okay=False),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        from nhirx.manual import serve

        if build is not None:
            from nhirx.manual.site import build as build_site

            build_site(build)
            _say(as_json, "site", str(build))
            return 0
        try:
            server = serve.server(None if plain else serve.built(), port)
        except OSError as error:
            raise ServiceUnreachable(
                zh=f"連接埠 {port} 無法使用（{error.strerror}）。請換一個，或不指定。",
                en=f"Port {port} cannot be used ({error.strerror}). Take another one, or none.",
                port=port,
            ) from None
        address = f"http://127.0.0.1:{server.server_port}/{'' if say('zh', 'en') == 'zh' else 'en/'}index.html"
        _say(as_json, "url", address)
        if open_it:
            typer.launch(address)
        with server:
            server.serve_forever()
        return 0


def _say(as_json: bool, name: str, value: str) -> None:
    if as_json:
        emit({name: value})
    else:
        typer.echo(value + say("（Ctrl-C 結束）", " (Ctrl-C ends)") if name == "url" else value)
    sys.stdout.flush()  # it goes on serving, and whoever reads a pipe waits for this line

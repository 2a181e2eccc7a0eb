"""``nhirx demo``: the whole way once, told in Chinese (or English), or as JSON (contract §8)."""

from __future__ import annotations

from typing import Annotated

import typer

from nhirx.cli.app import emit
from nhirx.i18n import say


def register(app: typer.Typer) -> None:
    @app.command("demo", help=say("從紙本處方到上傳完成的完整示範（全部為模擬）", "the whole way once, everything simulated"))
    def demo(
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        from nhirx.demo import run, tell

        story = run(None if as_json else tell)
        if as_json:
            emit(story)
        return 0 if story["upload"]["state"] == "accepted" else 1

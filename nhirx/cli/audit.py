"""``nhirx audit``: who did what, and whether anybody changed the record of it."""

from __future__ import annotations

from typing import Annotated

import typer

from nhirx import settings
from nhirx.cli.app import emit
from nhirx.cli.who import account
from nhirx.i18n import say
from nhirx.outbox import Outbox, open_outbox

AsJson = Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))]


def register(app: typer.Typer) -> None:
    audit = typer.Typer(
        no_args_is_help=True, rich_markup_mode=None, help=say("查看與驗證稽核紀錄", "look at and verify the audit trail")
    )
    audit.command("list", help=say("列出最近的紀錄", "the latest lines"))(list_lines)
    audit.command("verify", help=say("驗證紀錄未被更動", "verify that nothing was changed"))(verify)
    app.add_typer(audit, name="audit")


def list_lines(
    limit: Annotated[int, typer.Option("--limit", min=1, help=say("最多幾行", "at most so many"))] = 100,
    as_json: AsJson = False,
) -> None:
    with _opened() as outbox:
        lines = outbox.trail(limit)
    for line in lines:
        if as_json:
            emit(line.model_dump(mode="json"))
        else:
            subject = f"{line.subject} {line.subject_id}" if line.subject_id else line.subject
            typer.echo(f"{line.seq:>7}  {line.at:%Y-%m-%d %H:%M:%S}  {line.who:<12} {line.event:<10} {subject}  {line.note}")


def verify(as_json: AsJson = False) -> None:
    """Ends with ``store-damaged`` that names the first line that does not fit."""
    with _opened() as outbox:
        lines, end = outbox.verify_trail(), outbox.trail(1)
    digest = end[-1].digest if end else None
    if as_json:
        emit({"ok": True, "lines": lines, "digest": digest})
    else:
        typer.echo(say(f"稽核紀錄 {lines} 行，完整未被更動", f"{lines} lines, whole and unchanged"))
        if digest:
            # Whoever writes this down elsewhere can tell later that not even the whole trail was replaced.
            typer.echo(f"{say('末行摘要', 'last digest')} {digest}")


def _opened() -> Outbox:
    return open_outbox(settings.load(), who=account())

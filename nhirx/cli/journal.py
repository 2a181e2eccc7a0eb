"""``nhirx journal``: dispensings that were stopped in the middle or wait for a card, and what a person can do about each."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nhirx.cli.app import emit
from nhirx.cli.who import account
from nhirx.i18n import say

_WORDS = {
    "opened": ("已開始，不確定是否取號", "begun; whether a number was taken is not known"),
    "numbered": ("已取號，醫令未寫入", "numbered; orders not written"),
    "writing": ("已取號，醫令可能已寫入", "numbered; the orders may stand on the card"),
    "written": ("已寫入醫令，尚未建立上傳資料", "orders written; no record yet"),
    "held": ("欠卡待補", "card owed"),
}
_NEXT = {
    "opened": ("重新調劑一次，或以 close 結案", "dispense again, or close it"),
    "numbered": ("插入原健保卡後執行 resume", "insert the same card, then resume"),
    "writing": (
        "由藥師決定：resume --write-again 或 resume --leave-card",
        "a pharmacist decides: resume --write-again or --leave-card",
    ),
    "written": ("執行 resume", "resume"),
    "held": ("病人持卡補卡時完成", "finished when the patient brings the card"),
}
Number = Annotated[int, typer.Argument(metavar="ID", help=say("調劑編號", "number of the dispensing"))]
AsJson = Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))]


def register(app: typer.Typer) -> None:
    journal = typer.Typer(
        no_args_is_help=True,
        help=say("查看與完成中斷的調劑（個資一律遮蔽）", "look at and finish dispensings that were stopped (masked)"),
    )
    journal.command(
        "list", help=say("列出中斷與欠卡的調劑，及下一步", "what was stopped or waits for a card, and the next step")
    )(listed)
    journal.command("resume", help=say("接續取號之後的步驟", "go on after the number"))(resume)
    journal.command("give-back", help=say("退回就醫序號（規定允許時）", "give the visit number back where that is allowed"))(
        give_back
    )
    journal.command("close", help=say("由具名人員結案，不上傳", "close it, by a named person; nothing is uploaded"))(close)
    app.add_typer(journal, name="journal")


def listed(as_json: AsJson = False) -> None:
    from nhirx import settings
    from nhirx.outbox import open_outbox

    with open_outbox(settings.load()) as outbox:
        found = [begun.masked() for begun in (*outbox.journal.unfinished(), *outbox.journal.held())]
    for begun in found:
        if as_json:
            emit(begun)
            continue
        typer.echo(f"#{begun['id']}  {begun['opened_at']}  {begun['visit_id'] or '—'}  {say(*_WORDS[begun['state']])}")
        typer.echo(f"    → {say(*_NEXT[begun['state']])}")
    if not found and not as_json:
        typer.echo(say("沒有中斷或欠卡的調劑。", "Nothing was stopped and no card is owed."))


def resume(
    number: Number,
    write_again: Annotated[
        bool | None,
        typer.Option(
            "--write-again/--leave-card", help=say("醫令再寫一次／不再動卡", "write the orders again / leave the card alone")
        ),
    ] = None,
    confirmed: Annotated[bool, typer.Option("--confirmed", help=say("已核對身分", "the papers were compared"))] = False,
    by: Annotated[str, typer.Option("--by", help=say("決定的人", "who decides"))] = "",
    as_json: AsJson = False,
) -> None:
    with _host() as host:
        done = host.resume(number, write_again=write_again, confirmed=confirmed)
        host.outbox.note(
            "resume", who=by or account(), subject="journal", subject_id=number, write_again=write_again, confirmed=confirmed
        )
    _say({"id": done.id, "state": done.state, "queued": done.queued}, as_json, "已存入待上傳區。", "It stands in the outbox now.")


def give_back(
    number: Number, by: Annotated[str, typer.Option("--by", help=say("決定的人", "who decides"))], as_json: AsJson = False
) -> int:
    with _host() as host:
        given = host.give_back(number, by=by)
    if given:
        _say(
            {"id": number, "given_back": True},
            as_json,
            "就醫序號已退回，調劑已結案。",
            "The number was given back; it is closed.",
        )
        return 0
    _say(
        {"id": number, "given_back": False},
        as_json,
        "這種就醫類別的序號不能退回。請 resume 完成上傳，或由藥師 close 結案。",
        "A number of this kind cannot be given back. Resume it, or have a pharmacist close it.",
    )
    return 1


def close(
    number: Number,
    by: Annotated[str, typer.Option("--by", help=say("決定的人", "who decides"))],
    why: Annotated[str, typer.Option("--why", help=say("原因", "the reason"))],
    as_json: AsJson = False,
) -> None:
    from nhirx import settings
    from nhirx.outbox import open_outbox

    with open_outbox(settings.load()) as outbox:
        outbox.journal.abandon(number, why, by=by)
    _say({"id": number, "state": "abandoned"}, as_json, "已結案，紀錄保留。", "Closed; what the card gave is kept.")


def _host() -> Any:
    from nhirx import settings
    from nhirx.host import Host

    return Host(settings.load())


def _say(answer: dict[str, Any], as_json: bool, zh: str, en: str) -> None:
    if as_json:
        emit(answer)
    else:
        typer.echo(say(zh, en))

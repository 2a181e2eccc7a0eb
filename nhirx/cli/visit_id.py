"""``nhirx visit-id``: is this a visit ID, whose, and of when (contract §2)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nhirx.cli.app import emit
from nhirx.i18n import say
from nhirx.identifiers import VisitId, mask_visit_id
from nhirx.tables import printed_id


def register(app: typer.Typer) -> None:
    @app.command(
        "visit-id", help=say("檢查並說明一組就醫識別碼（預設遮蔽個資）", "check and explain visit IDs (masked unless --reveal)")
    )
    def visit_id(
        texts: Annotated[
            list[str], typer.Argument(metavar="TEXT…", help=say("印在處方上的 20 碼", "the 20 characters as printed"))
        ],
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
        reveal: Annotated[bool, typer.Option("--reveal", help=say("顯示完整身分證號", "show the whole ID number"))] = False,
    ) -> int:
        answers = [describe(text, reveal=reveal) for text in texts]
        for answer in answers:
            if as_json:
                emit(answer)
            else:
                _print(answer, reveal=reveal)
        return 0 if all(answer["valid"] for answer in answers) else 1


def describe(text: str, *, reveal: bool = False) -> dict[str, Any]:
    """The object of contract §2. The national ID inside is masked unless ``reveal``."""
    found, value = printed_id.describe(text)
    answer = {"text": text, **found, "meaning": None}
    if found["meaning_zh"]:
        answer["meaning"] = say(found["meaning_zh"], found["meaning_en"])
    if reveal and isinstance(value, VisitId):
        answer["holder_id"] = value.holder_id
    if found["repaired"]:
        answer["problems"].insert(
            0,
            printed_id.problem(
                "repaired",
                "原文含有就醫識別碼不使用的字元（O、I 或全形字），已改為 0、1 或半形，請與處方箋核對。",
                "The text held characters that a visit ID never has (O, I or full-width); they were read as 0, 1 or plain. Compare with the sheet.",
            ),
        )
    return answer


def _print(answer: dict[str, Any], *, reveal: bool) -> None:
    shown = answer["canonical"] or answer["text"]
    if not reveal and VisitId.is_valid(shown):
        shown = mask_visit_id(shown)
    mark = say("有效", "valid") if answer["valid"] else say("無效", "invalid")
    typer.echo(f"{shown}  {mark}")
    if answer["meaning"]:
        typer.echo(f"  {answer['meaning']}")
    if answer["holder_id"]:
        typer.echo(f"  {say('持卡人', 'holder')}: {answer['holder_id']} {say('（推導值）', '(derived)')}")
    if answer["issued_at"]:
        typer.echo(f"  {say('產製時間', 'made at')}: {answer['issued_at']} {say('（推導值）', '(derived)')}")
    for problem in answer["problems"]:
        typer.echo(f"  ! {say(problem['zh'], problem['en'])}")

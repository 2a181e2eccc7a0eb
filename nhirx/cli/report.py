"""``nhirx report``: a check result of the NHI in words, grouped by cause (contract §5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from nhirx.cli.app import emit
from nhirx.i18n import say

if TYPE_CHECKING:
    from nhirx.records.report import CheckReport

_SHOWN_RECORDS = 12


def register(app: typer.Typer) -> None:
    @app.command(
        "report",
        help=say(
            "解讀健保署的檢核結果（文字檔、zip 或 Web API 的 JSON）", "read a check result (text, zip, or JSON of the Web API)"
        ),
    )
    def report(
        file: Annotated[
            str, typer.Argument(metavar="FILE", help=say("檢核結果檔，- 為標準輸入", "the check result, - for stdin"))
        ],
        password: Annotated[
            str | None,
            typer.Option(
                "--password", envvar="NHIRX_REPORT_PASSWORD", help=say("加密下載的密碼", "password of the encrypted download")
            ),
        ] = None,
        sent: Annotated[
            str | None,
            typer.Option(
                "--sent",
                metavar="XML",
                help=say("當時上傳的檔案，用來產生更正檔", "the file that was uploaded, to make a corrected one"),
            ),
        ] = None,
        out: Annotated[
            str | None,
            typer.Option(
                "--out", metavar="XML", help=say("更正後可再上傳的檔案", "where to write the records that can be sent again")
            ),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        import sys

        from nhirx.records.report import read_report

        found = read_report(sys.stdin.buffer.read() if file == "-" else file, password)
        again = _send_again(found, sent, out) if sent and out else None
        if as_json:
            emit(found.as_json() if again is None else found.as_json() | {"corrected": again})
        else:
            _print(found)
            if again is not None:
                typer.echo(say(f"可再上傳 {len(again)} 筆：{out}", f"{len(again)} record(s) can be sent again: {out}"))
        return 0 if found.all_good else 1


def _send_again(found: CheckReport, sent: str, out: str) -> list[int]:
    from pathlib import Path

    from nhirx.records import xml
    from nhirx.records.repair import repaired

    records = {record.n: record for record in found.records if not record.accepted and record.n is not None}
    numbers: list[int] = []
    corrected = []
    for item in xml.iter_records(sent):
        reported = records.get(item.index)
        if reported is not None and (better := repaired(item.record, reported)) is not None:
            numbers.append(item.index)
            corrected.append(better)
    if corrected:
        Path(out).write_bytes(xml.write(corrected))
    return numbers


def _print(found: CheckReport) -> None:
    summary = found.summary
    if summary.received is not None:
        typer.echo(
            say(
                f"上傳 {summary.uploaded_at or ''}：接收 {summary.received} 筆，有效 {summary.valid_details} 筆，無效 {summary.invalid_details} 筆。",
                f"Uploaded {summary.uploaded_at or ''}: {summary.received} received, {summary.valid_details} valid, {summary.invalid_details} invalid.",
            )
        )
    for answer in found.answers:
        typer.echo(f"{answer.code}  {say(answer.zh, answer.en)}  → {say(answer.fix_zh, answer.fix_en)}")
    for error, numbers in found.by_cause():
        mark = say("錯誤", "error") if error.severity == "error" else say("警告", "warning")
        typer.echo(f"{mark} {error.field} {error.code} ×{len(numbers)}  {say(error.zh, error.en)}")
        shown = ", ".join(str(number) for number in numbers[:_SHOWN_RECORDS] if number is not None)
        more = "…" if len(numbers) > _SHOWN_RECORDS else ""
        typer.echo(f"   {say('第', 'records')} {shown}{more} {say('筆', '')}".rstrip())
        if fix := say(error.fix_zh, error.fix_en):
            typer.echo(f"   → {fix}")
    if found.tells_nothing:
        typer.echo(
            say(
                "這份檔案裡看不出筆數，也沒有任何一筆明細，不能當作通過。請到 VPN 查詢檢核結果。",
                "No counts and no records could be read here: this is no proof of success. Look the result up on the VPN.",
            )
        )
    elif not any(record.errors for record in found.records) and not found.answers:
        if found.summary.invalid_details:
            typer.echo(say("有無效明細，但這份檔案沒有列出原因。", "There are invalid details, but this file does not list why."))
        else:
            typer.echo(say("沒有錯誤。", "No errors."))

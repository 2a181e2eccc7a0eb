"""``nhirx check``: the NHI's checks on an upload file, offline (contract §4)."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from nhirx import roc
from nhirx.cli.app import emit
from nhirx.i18n import say
from nhirx.identifiers import mask_visit_id
from nhirx.model import CheckError

if TYPE_CHECKING:
    from nhirx.records.check import FileReport


def register(app: typer.Typer) -> None:
    @app.command("check", help=say("上傳前離線檢核 XML 檔", "check an upload file offline, before sending"))
    def check(
        file: Annotated[
            str, typer.Argument(metavar="FILE.xml", help=say("要檢核的上傳檔，- 為標準輸入", "the upload file, - for stdin"))
        ],
        today: Annotated[
            str | None,
            typer.Option(
                "--today",
                metavar="DATE",
                help=say(
                    "上傳日（1151120 或 2026-11-20）；未給時以今天判斷，逾期與未來時間僅列為警告",
                    "day of the upload (1151120 or 2026-11-20); without it today, and late or future times only warn",
                ),
            ),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        return run(file, today, as_json=as_json)


def run(file: str, today: str | None, *, as_json: bool) -> int:
    import sys

    from nhirx.records.check import FileReport, RecordReport, check_file  # lxml is heavy, and --help needs none of it

    day = roc.parse_date(today) if today else datetime.now(roc.TAIPEI).date()
    report = check_file(sys.stdin.buffer if file == "-" else file, day)
    if today is None:
        # The day was assumed, not said: a file checked later than it was made is not wrong for that.
        report = FileReport(
            report.file_findings,
            tuple(RecordReport(r.index, r.visit_id, tuple(map(_softened, r.findings))) for r in report.records),
        )
    if as_json:
        emit(report.as_json())
    else:
        _print(report, day)
    return 0 if report.ok else 1


def _softened(finding: CheckError) -> CheckError:
    from nhirx.records.rules import rule_book

    return finding.model_copy(update={"severity": "warning"}) if finding.code in rule_book().clock_codes else finding


_MARKS = {"error": ("錯誤", "error"), "warning": ("警告", "warning"), "pending": ("待健保署判斷", "pending")}


def _print(report: FileReport, day: date) -> None:
    for finding in report.file_findings:
        _line(finding, say("檔案", "file"))
    pending: Counter[str] = Counter()
    for record in report.records:
        where = say(f"第 {record.index} 筆", f"record {record.index}")
        shown = [finding for finding in record.findings if finding.severity != "pending"]
        pending.update(f"{finding.field} {finding.code}" for finding in record.findings if finding.severity == "pending")
        if shown:
            typer.echo(f"{where}  {mask_visit_id(record.visit_id)}")
        for finding in shown:
            _line(finding, f"  {finding.field}" + (f" MB2[{finding.order}]" if finding.order else ""))
    errors = sum(len(record.errors) for record in report.records) + sum(f.severity == "error" for f in report.file_findings)
    typer.echo(
        say(
            f"{len(report.records)} 筆，{errors} 項錯誤（以 {day.isoformat()} 為上傳日）。",
            f"{len(report.records)} record(s), {errors} error(s) (day of the upload {day.isoformat()}).",
        )
    )
    if pending:
        typer.echo(
            say("只有健保署能判斷的項目：", "What only the NHIA can tell: ")
            + ", ".join(f"{key} ×{n}" for key, n in pending.most_common())
        )


def _line(finding: CheckError, where: str) -> None:
    zh, en = _MARKS[finding.severity]
    typer.echo(f"{where}  {say(zh, en)} {finding.code}  {say(finding.zh, finding.en)}")
    if fix := say(finding.fix_zh, finding.fix_en):
        typer.echo(f"      → {fix}")

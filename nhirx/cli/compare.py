"""``nhirx compare``: the comparison of the precheck (contract §6)."""

from __future__ import annotations

from typing import Annotated

import typer

from nhirx.cli.app import emit
from nhirx.i18n import say
from nhirx.identifiers import mask_id


def register(app: typer.Typer) -> None:
    @app.command(
        "compare", help=say("比對 1.0 與 2.0 檔案，算出預檢成功率", "compare a 1.0 with a 2.0 file as the precheck does")
    )
    def compare(
        v1: Annotated[
            str, typer.Option("--v1", metavar="OLD.xml", help=say("格式 1.0 的上傳檔", "the upload file in format 1.0"))
        ],
        v2: Annotated[
            str, typer.Option("--v2", metavar="NEW.xml", help=say("格式 2.0 的上傳檔", "the upload file in format 2.0"))
        ],
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        from nhirx.records.compare import compare as compared

        found = compared(v1, v2)
        if as_json:
            emit(found.as_json())
            return 1 if found.missing else 0
        total = found.total
        typer.echo(
            say(f"1.0 共 {total.v1} 筆，2.0 對應 {total.matched} 筆，", f"{total.v1} in 1.0, {total.matched} of them in 2.0: ")
            + _percent(total.percent)
        )
        for title, shares in ((say("就醫日期", "day"), found.by_date), (say("就醫類別", "visit type"), found.by_visit_type)):
            for name, share in sorted(shares.items()):
                typer.echo(f"  {title} {name}: {share.matched}/{share.v1} {_percent(share.percent)}")
        for item in found.missing:
            person, _, time, kind = item.key
            typer.echo(say(f"缺：第 {item.index} 筆", f"missing: record {item.index}") + f"  {mask_id(person)} {time} {kind}")
            if item.nearest:
                near = say(
                    f"最接近的是 2.0 第 {item.nearest_index} 筆，不同的欄位：",
                    f"nearest is record {item.nearest_index} of 2.0; it differs in ",
                )
                pairs = (
                    f"{name} ({item.nearest[('M03', 'M04', 'M11', 'M07').index(name)] if name in ('M11', 'M07') else '…'})"
                    for name in item.differs
                )
                typer.echo(f"   {near}{', '.join(pairs)}")
        typer.echo(
            say("已達改版資格（四捨五入後 100%）。", "This would qualify (100 % after rounding).")
            if found.qualifies
            else say("尚未達改版資格。", "This would not qualify yet.")
        )
        return 1 if found.missing else 0


def _percent(value: int | None) -> str:
    return "–" if value is None else f"{value}%"

"""``nhirx convert``: an upload file of format 1.0 as one of 2.0, for the parallel run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nhirx.cli.app import emit
from nhirx.errors import InvalidValue
from nhirx.i18n import say


def register(app: typer.Typer) -> None:
    @app.command(
        "convert", help=say("將 1.0 上傳檔轉為 2.0（平行測試用）", "convert a 1.0 upload file to 2.0 (for the parallel run)")
    )
    def convert(
        file: Annotated[str, typer.Argument(metavar="OLD.xml", help=say("格式 1.0 的上傳檔", "the upload file in format 1.0"))],
        out: Annotated[str, typer.Option("--out", metavar="NEW.xml", help=say("要寫入的 2.0 檔案", "the 2.0 file to write"))],
        given: Annotated[
            list[str] | None,
            typer.Option(
                "--set", metavar="FIELD=VALUE", help=say("每筆都填的值，例如 M23=0", "a value for every record, such as M23=0")
            ),
        ] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        from nhirx.records import xml
        from nhirx.records.convert import Remark
        from nhirx.records.convert import convert as converted

        values = dict(_assignment(text) for text in given or [])
        counts: dict[Remark, list[int]] = {}
        written = skipped = 0

        def records() -> Any:
            nonlocal skipped
            for old in xml.iter_records(file):
                if old.version != "1.0":
                    skipped += 1
                    continue
                result = converted(old, values)
                for remark in result.remarks:
                    counts.setdefault(remark, []).append(old.index)
                yield result.record

        # Written beside the target and moved there at the end: a broken old file must not leave half a new one.
        part = Path(f"{out}.part")
        try:
            with part.open("wb") as target:
                written = xml.write_to(target, records())
            part.replace(out)
        finally:
            part.unlink(missing_ok=True)
        if as_json:
            remarks = [_json(remark) | {"records": indexes} for remark, indexes in counts.items()]
            emit({"out": out, "written": written, "skipped": skipped, "remarks": remarks})
        else:
            typer.echo(say(f"已轉換 {written} 筆至 {out}。", f"{written} record(s) converted to {out}."))
            if skipped:
                typer.echo(say(f"略過 {skipped} 筆：不是格式 1.0。", f"{skipped} left out: not format 1.0."))
            for remark, indexes in counts.items():
                typer.echo(f"  ×{len(indexes)}  {say(remark.zh, remark.en)}")
        return 1 if counts else 0


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    from nhirx.tables.fields import fields

    if not equals or name not in fields() or name[0] != "M":
        raise InvalidValue(what="--set", problem=f"{name[:20]}：須為 M 欄位=值 / must be an M-field=value")
    return name, value


def _json(remark: Any) -> dict[str, Any]:
    return {name: getattr(remark, name) for name in ("field", "order", "code", "zh", "en")}

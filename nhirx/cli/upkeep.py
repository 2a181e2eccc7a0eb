"""The rarer half of ``nhirx outbox``: backup, restore, inspection, withdrawal, purge, new key, deadlines, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nhirx import roc, settings
from nhirx.cli.app import emit
from nhirx.cli.who import account
from nhirx.errors import InputError
from nhirx.i18n import say
from nhirx.logs import mask
from nhirx.outbox import Outbox, open_outbox

AsJson = Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))]
By = Annotated[str, typer.Option("--by", help=say("操作人員代號（記入稽核紀錄）", "who does it (goes into the audit trail)"))]
File = Annotated[Path, typer.Argument(dir_okay=False)]
Number = Annotated[int, typer.Argument(metavar="ID", help=say("佇列編號", "its number in the queue"))]


def register(outbox: typer.Typer) -> None:
    outbox.command("withdraw", help=say("撤回一筆，不再傳送", "take a record out for good"))(withdraw)
    outbox.command("deadlines", help=say("列出將逾期或已逾期的資料", "what is late or soon will be"))(list_deadlines)
    outbox.command("backup", help=say("備份到檔案（內容保持加密）", "back up to a file (contents stay sealed)"))(backup)
    outbox.command("restore", help=say("由備份還原到空的資料庫", "restore a backup into an empty outbox"))(restore)
    outbox.command("inspect", help=say("檢查資料庫、加密內容與稽核紀錄", "check structure, sealed contents and audit trail"))(
        inspect
    )
    outbox.command("export", help=say("匯出清單（JSON Lines，個資遮蔽）", "export the list (JSON Lines, masked)"))(export)
    outbox.command("purge", help=say("清除某日之前已完成資料的內容", "erase the contents of what was finished before a day"))(
        purge
    )
    outbox.command("rekey", help=say("更換加密金鑰並重新加密（請先關閉其他程式）", "new key; close all other programs first"))(
        rekey
    )


def withdraw(
    number: Number,
    why: Annotated[str, typer.Option("--why", help=say("原因（勿含個資）", "the reason, without personal data"))],
    by: By,
    as_json: AsJson = False,
) -> None:
    with _opened() as outbox:
        outbox.queue.withdraw(number, why, by=by)
        _say(outbox.show(number), as_json, "已撤回", "withdrawn")


def list_deadlines(as_json: AsJson = False) -> int:
    """Exit code 1 when something is late already."""
    from nhirx.upload.deadlines import deadlines, stopped

    with _opened() as outbox:
        now = outbox.store.clock()
        found = [({"dispensing": one.id}, one.masked(), finding) for one, finding in stopped(outbox, now)]
        found += [({"id": item.id}, item.masked(), finding) for item, finding in deadlines(outbox, now)]
    for which, shown, finding in found:
        if as_json:
            emit(which | {"visit_id": shown["visit_id"], "state": shown["state"], "finding": finding.model_dump()})
        else:
            typer.echo(f"{shown['id']:>6}  {shown['visit_id'] or '—'}  {say(finding.zh, finding.en)}")
    return 1 if any(finding.severity == "warn" for *_, finding in found) else 0


def backup(path: File, as_json: AsJson = False) -> None:
    from nhirx.outbox import archive

    with _opened() as outbox:
        rows = archive.back_up(outbox, path)
    _say({"path": str(path), "rows": rows}, as_json, f"已備份 {rows} 列", f"{rows} rows backed up")


def restore(path: File, as_json: AsJson = False) -> None:
    from nhirx.outbox import archive

    with _opened() as outbox:
        rows = archive.restore(outbox, path)
        outbox.note("restore", who=account(), subject="outbox", rows=rows)
    _say({"path": str(path), "rows": rows}, as_json, f"已還原 {rows} 列", f"{rows} rows restored")


def inspect(as_json: AsJson = False) -> int:
    """Exit code 1 when something is wrong."""
    from nhirx.outbox import archive

    with _opened() as outbox:
        problems = archive.inspect(outbox)
    if as_json:
        emit({"ok": not problems, "problems": problems})
    else:
        typer.echo("\n".join(problems) or say("沒有發現問題", "nothing is wrong"))
    return 1 if problems else 0


def export(path: File) -> None:
    """Newest first. Nothing in it names a person, so it may go to whoever helps."""
    import json

    if path.exists():
        raise InputError(problem=f"{path} 已存在 / {path} exists")
    with _opened() as outbox, path.open("w", encoding="utf-8") as file:
        for item in outbox.queue.each():
            file.write(json.dumps(item.masked(), ensure_ascii=False) + "\n")


def purge(
    by: By,
    before: Annotated[
        str | None,
        typer.Option(
            "--before",
            metavar="DATE",
            help=say("民國或西元日期；省略時依設定 outbox.keep_months", "ROC or ISO date; outbox.keep_months unless given"),
        ),
    ] = None,
    why: Annotated[str, typer.Option("--why", help=say("原因（勿含個資）", "the reason, without personal data"))] = "",
    as_json: AsJson = False,
) -> None:
    from datetime import datetime, time

    from nhirx.counter import kept
    from nhirx.outbox import retention

    months = settings.load().outbox.keep_months
    with _opened() as outbox:
        if before is not None:
            day = datetime.combine(roc.parse_date(before), time(), roc.TAIPEI)
        elif months is not None:
            day = retention.kept_since(outbox.store.clock(), months)
        else:
            raise InputError(
                problem="請給 --before，或在設定檔寫 [outbox] keep_months / give --before, or set keep_months in [outbox]"
            )
        # What the rule of the settings erases has its reason in the rule.
        rule = "" if before is not None else f"outbox.keep_months {months}"
        count = retention.purge(outbox, day, by=by, why=why or rule)
        if pictures := kept.purge(kept.place(), day):
            outbox.note("purge", who=by, subject="picture", count=pictures, before=day.isoformat(), why=mask(why or rule))
    _say({"before": day.isoformat(), "purged": count}, as_json, f"已清除 {count} 筆的內容", f"contents of {count} erased")


def rekey(
    forget_old: Annotated[
        bool,
        typer.Option(
            "--forget-old",
            help=say("捨棄舊金鑰：之前的備份將無法還原", "drop the old keys: backups made with them open no more"),
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """The old keys stay in the ring for older backups, and for what another program seals with them meanwhile."""
    from nhirx.counter import kept
    from nhirx.outbox import keys, retention

    found = settings.load().outbox
    ring = keys.load(found)
    with Outbox(found.url, ring=ring, who=account()) as outbox:
        # What an earlier run left half done is finished with the key of that run.
        if not forget_old and not retention.outdated(outbox):
            ring = ring.rotated()
            # Saved before the first row is sealed with it.
            keys.save(ring, found)
        rows = retention.reseal(outbox, ring)
    kept.reseal(kept.place(), ring)
    if forget_old:
        ring = ring.without_old()
        keys.save(ring, found)
    answer = {"rows": rows, "key": ring.current, "old_keys": len(ring.keys) - 1}
    _say(answer, as_json, f"重新加密 {rows} 列；請另行備份金鑰", f"{rows} rows sealed anew; back the key up")


def _opened() -> Outbox:
    return open_outbox(settings.load(), who=account())


def _say(answer: dict[str, Any], as_json: bool, zh: str, en: str) -> None:
    if as_json:
        emit(answer)
    else:
        typer.echo(say(zh, en))

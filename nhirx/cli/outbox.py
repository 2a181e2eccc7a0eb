"""``nhirx outbox``: what waits, what was refused and why, and sending it now (contract §8). Everything it prints is masked."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from nhirx.cli import upkeep
from nhirx.cli.app import emit
from nhirx.cli.who import account
from nhirx.errors import InputError
from nhirx.i18n import say
from nhirx.outbox import Outbox, open_outbox
from nhirx.outbox.states import QUEUE_STATES

_WORDS = {
    "built": ("待送出", "waiting"),
    "sending": ("傳送中", "being sent"),
    "sent": ("已送出，待檢核", "sent, not checked yet"),
    "accepted": ("檢核通過", "accepted"),
    "rejected": ("檢核退回", "rejected"),
    "stuck": ("需人工處理", "needs a person"),
    "superseded": ("已被新資料取代", "replaced by a newer one"),
    "withdrawn": ("已撤回", "withdrawn"),
    "unfinished": ("調劑未完成", "dispensings unfinished"),
    "held": ("欠卡待補", "card owed"),
}
_OPEN = ("built", "sending", "sent", "rejected", "stuck")
AsJson = Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))]
Number = Annotated[int, typer.Argument(metavar="ID", help=say("佇列編號", "its number in the queue"))]


def register(app: typer.Typer) -> None:
    outbox = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        help=say("查看與處理待上傳資料（個資一律遮蔽）", "look at and work the upload queue (always masked)"),
    )
    outbox.command("list", help=say("列出尚未完成的資料", "list what is not done"))(list_records)
    outbox.command("show", help=say("顯示一筆資料與其經過", "one record and its story"))(show)
    outbox.command("retry", help=say("把退回或卡住的資料原樣重送", "send a rejected or stuck record again as it is"))(retry)
    outbox.command("drain", help=say("立即送出並查詢檢核結果", "send everything now and fetch the results"))(drain)
    upkeep.register(outbox)
    app.add_typer(outbox, name="outbox")


def list_records(
    states: Annotated[
        list[str] | None, typer.Option("--state", help=say("只列這些狀態", "only these states") + f": {', '.join(QUEUE_STATES)}")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help=say("連同已完成的", "the finished ones too"))] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help=say("最多幾筆", "at most so many"))] = 100,
    as_json: AsJson = False,
) -> None:
    wanted = tuple(states or (() if everything else _OPEN))
    if unknown := [state for state in wanted if state not in QUEUE_STATES]:
        raise InputError(problem=f"{unknown[0]}: {', '.join(QUEUE_STATES)}")
    with _opened() as outbox:
        records = [item.masked() for item in outbox.queue.find(states=wanted, limit=limit)]
        counts = outbox.counts()
    if as_json:
        for record in records:
            emit(record)
        return
    typer.echo(
        "  ".join(f"{say(*_WORDS[state])} {number}" for state, number in counts.items() if number) or say("沒有資料", "empty")
    )
    for record in records:
        typer.echo(_line(record))


def show(number: Number, as_json: AsJson = False) -> None:
    with _opened() as outbox:
        record = outbox.show(number)
    if as_json:
        emit(record)
        return
    typer.echo(_line(record))
    for error in record["errors"]:
        place = f" {say('醫令', 'order')} {error['order']}" if error["order"] else ""
        typer.echo(f"  {error['field']}{place} {error['code']} {say(error['zh'], error['en'])}".rstrip())
    for step in record["history"]:
        typer.echo(f"  {step['at']}  {step['event']:<10} {say(*_WORDS.get(step['state'], ('', '')))}  {step['who']}")


def retry(
    number: Number,
    by: Annotated[str | None, typer.Option("--by", help=say("操作人員代號", "who does it"))] = None,
    why: Annotated[str | None, typer.Option("--why", help=say("原因（勿含個資）", "the reason, without personal data"))] = None,
    as_json: AsJson = False,
) -> None:
    with _opened() as outbox:
        outbox.queue.retry(number, by=by, why=why)
        record = outbox.show(number)
    if as_json:
        emit(record)
    else:
        typer.echo(_line(record))


def drain(
    wait: Annotated[
        float, typer.Option("--wait", min=0.0, help=say("最多等檢核結果幾秒", "wait so many seconds for check results"))
    ] = 60.0,
    as_json: AsJson = False,
) -> int:
    """Exit code 0 when all was accepted, 1 when a record was rejected or needs a person, 3 when the service failed."""
    from nhirx import settings
    from nhirx.host import Host
    from nhirx.upload import Progress

    found = settings.load()
    total = Progress()
    with Host(found, outbox=open_outbox(found, who=account())) as host:
        outbox, worker = host.outbox, host.worker()
        outbox.queue.hurry()
        deadline = time.monotonic() + wait
        try:
            while True:
                step = worker.step(at_once=True)
                for name in ("sent", "failed", "accepted", "rejected", "stuck"):
                    setattr(total, name, getattr(total, name) + getattr(step, name))
                total.pause = step.pause
                counts = outbox.counts()
                if step.pause or not (counts["sent"] or counts["built"]) or time.monotonic() >= deadline:
                    break
                time.sleep(min(0.2, max(0.0, deadline - time.monotonic())))
        finally:
            worker.close()
    answer: dict[str, Any] = {name: getattr(total, name) for name in ("sent", "accepted", "rejected", "stuck", "failed")} | {
        "counts": counts,
        "pause": None,
        "clock_ahead_s": None if worker.skew is None else round(worker.skew.total_seconds()),
    }
    if total.pause:
        answer["pause"] = {"until": total.pause.until.isoformat(timespec="seconds")} | total.pause.error.as_json()["error"]
    if as_json:
        emit(answer)
    else:
        _print_drained(answer, found.upload.most_skew)
    if total.pause:
        return 3
    return 1 if total.rejected or total.stuck else 0


def _opened() -> Outbox:
    from nhirx import settings

    return open_outbox(settings.load(), who=account())


def _line(record: dict[str, Any]) -> str:
    line = f"{record['id']:>6}  {record['visit_id'] or '—':<20}  {record['built_at'][:19]}  {say(*_WORDS[record['state']])}"
    if errors := record["errors"]:
        line += "  " + " ".join(f"{error['field']}:{error['code']}" for error in errors)
    if problem := record["problem"]:
        line += f"  [{problem['code']}] {say(problem['zh'], problem['en'])}"
    return line


def _print_drained(answer: dict[str, Any], most_skew: float) -> None:
    names = {"sent": ("送出", "sent"), "failed": ("未送成", "not sent")} | _WORDS | {"sent": ("送出", "sent")}
    typer.echo("  ".join(f"{say(*names[name])} {answer[name]}" for name in ("sent", "accepted", "rejected", "stuck", "failed")))
    if pause := answer["pause"]:
        typer.echo(f"{say('暫停到', 'paused until')} {pause['until']}  [{pause['code']}] {say(pause['zh'], pause['en'])}")
    if (ahead := answer["clock_ahead_s"]) is not None and abs(ahead) > most_skew:
        zh, en = f"這台電腦的時鐘與健保署相差 {ahead} 秒，請校時", f"this machine's clock is off by {ahead} s: set it"
        typer.echo(say(zh, en))

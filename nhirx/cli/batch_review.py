"""``nhirx batch review OUT``: the pages a person must see, in the counter's page; or listed and decided from the command line.

Annotations are not postponed here, as in ``batch``.
"""

import sys
import threading
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from nhirx.cli.output import emit
from nhirx.i18n import say

if TYPE_CHECKING:
    from nhirx.batch.review import Review


class WithReview(TyperCommand):
    """``nhirx batch``, whose first word may be ``review``. With ``--out`` it is the name of a folder like any other."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        if args[:1] == ["review"] and not any(word == "--out" or word.startswith("--out=") for word in args):
            return _command().make_context("batch review", args[1:], parent=parent, **extra)
        return super().make_context(info_name, args, parent=parent, **extra)


def _command() -> Any:
    app = typer.Typer(
        add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )  # fmt: skip
    app.command(help=say("查看並決定批次中需要人看的頁", "look at the pages of a batch that a person must see"))(review)
    return typer.main.get_command(app)


def review(
    out: Annotated[Path, typer.Argument(metavar="OUT", help=say("批次的輸出資料夾", "the batch's output folder"))],
    show: Annotated[
        bool, typer.Option("--list", help=say("列出清單與決定，不開啟網頁", "the list and its decisions; no page"))
    ] = False,
    write: Annotated[
        bool, typer.Option("--write", help=say("寫出含決定的 reviewed.jsonl、.csv、.json", "write reviewed.jsonl, .csv, .json"))
    ] = False,
    decide: Annotated[
        str | None,
        typer.Option("--decide", metavar="PAGE", help=say("決定一頁（清單中的名稱）", "decide about a page of the list")),
    ] = None,
    visit_ids: Annotated[
        list[str] | None, typer.Option("--visit-id", metavar="ID", help=say("這一頁的就醫識別碼", "its visit ID"))
    ] = None,
    illegible: Annotated[
        str | None, typer.Option("--illegible", metavar="CAUSE", help=say("認定無法辨識及原因", "illegible, and its cause"))
    ] = None,
    no_id: Annotated[bool, typer.Option("--no-id", help=say("處方箋上沒有識別碼", "the sheet has no visit ID"))] = False,
    not_prescription: Annotated[bool, typer.Option("--not-prescription", help=say("不是處方箋", "not a prescription"))] = False,
    later: Annotated[bool, typer.Option("--later", help=say("稍後再看", "look at it later"))] = False,
    note: Annotated[str | None, typer.Option("--note", help=say("補充說明，勿含個資", "a note, no personal data"))] = None,
    by: Annotated[
        str | None, typer.Option("--by", metavar="NAME", help=say("決定者；預設為電腦帳號", "who decides; the account"))
    ] = None,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help=say("連接埠，0 為自動", "port, 0 for a free one"))] = 0,
    open_page: Annotated[bool | None, typer.Option("--open/--no-open", help=say("是否開啟瀏覽器", "open the browser"))] = None,
    config: Annotated[Path | None, typer.Option("--config", help=say("設定檔", "settings file"))] = None,
    as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
) -> int:
    from nhirx.batch.review import Review
    from nhirx.errors import InvalidValue

    looked = Review(out)
    acts = {
        "visit-id": visit_ids, "illegible": illegible, "no-id": no_id, "not-prescription": not_prescription, "later": later,
    }  # fmt: skip
    chosen = [name for name, given in acts.items() if given]
    if len(chosen) != (decide is not None):
        raise InvalidValue(
            what="--decide",
            problem="--visit-id | --illegible | --no-id | --not-prescription | --later：擇一 / exactly one of them",
        )
    if decide is not None:
        _decide(looked, decide, chosen[0], visit_ids or [], illegible, note, by, as_json)
    elif write:
        _write(looked, as_json)
    elif show:
        return _list(looked, as_json)
    else:
        _serve(out, config, port, open_page, as_json)
    return 0


def _decide(
    looked: "Review",
    page: str,
    decision: str,
    visit_ids: list[str],
    cause: str | None,
    note: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    from nhirx.counter.api_review import account
    from nhirx.roc import TAIPEI

    told = looked.decide(page, decision, by=by or account(), at=datetime.now(TAIPEI), visit_ids=visit_ids, cause=cause, note=note)
    same = looked.same(page, told["visit_ids"])
    if as_json:
        emit({"decision": told, "same": same})
        return
    typer.echo(say("已保存", "kept"))
    for one in same:
        typer.echo(
            say(
                f"注意：識別碼與 {one['path']} 第 {one['page']} 頁相同",
                f"note: {one['path']} page {one['page']} has the same visit ID",
            )
        )


def _write(looked: "Review", as_json: bool) -> None:
    from nhirx.batch.reviewed import write

    told = write(looked)
    if as_json:
        emit(told)
    else:
        typer.echo(
            say(
                f"已寫出 {looked.out / 'reviewed.csv'}；尚未決定 {told['open']} 頁",
                f"written: {looked.out / 'reviewed.csv'}; {told['open']} open",
            )
        )


def _list(looked: "Review", as_json: bool) -> int:
    """The exit code is 1 while a page is open."""
    from nhirx.batch.words import DECISION, REVIEW

    told = looked.state()
    rows: list[dict[str, Any]] = [
        {"name": item.name, "why": item.why, "path": item.path, "page": item.page, "decision": looked.decision(item.name)}
        for item in looked.items()
    ]
    if as_json:
        emit(told | {"items": rows})
    else:
        for row in rows:
            end = say(*DECISION[row["decision"]["decision"]]) if row["decision"] else say("未決定", "open")
            typer.echo(f"{row['name']}  {end}  {say(*REVIEW[row['why']][:2])}  {row['path']} #{row['page']}")
        typer.echo(say(f"{told['review']} 頁，尚未決定 {told['open']} 頁", f"{told['review']} pages, {told['open']} open"))
    return 1 if told["open"] else 0


def _serve(out: Path, config: Path | None, port: int, open_page: bool | None, as_json: bool) -> None:
    """The counter's page with this list only: nothing is uploaded from here and no reader is asked."""
    from nhirx import settings
    from nhirx.counter.kept import place
    from nhirx.counter.options import Options
    from nhirx.counter.serve import Address, Server
    from nhirx.host import Host
    from nhirx.outbox import open_outbox

    with ExitStack() as stack:
        found = settings.load(config)
        host = stack.enter_context(Host(found, outbox=open_outbox(found, who="review")))
        # Sessions of its own, since a counter may run beside it; the same people with the same PINs.
        options = Options(
            folder=place() / "review", people=place(), idle=found.counter.idle, send=False, watch_readers=False, review=out
        )
        server = Server(host, options, Address(port=port))
        link = server.link()
        told = {"url": server.url, "token_url": link, "out": str(out)}
        if as_json:
            emit(told)
        else:
            typer.echo(
                say(
                    f"人工查看清單（連結只能用一次）：\n\n    {link}\n\n按 Ctrl-C 結束；決定都已保存。",
                    f"The review list (the link works once):\n\n    {link}\n\nCtrl-C ends it; decisions are kept.",
                )
            )
        sys.stdout.flush()
        if open_page if open_page is not None else (not as_json and sys.stdout.isatty()):
            import webbrowser

            threading.Thread(target=webbrowser.open, args=(link,), daemon=True).start()
        server.run()


__all__ = ["WithReview"]

"""``nhirx resolve``: facts in, upload fields out (contract §3). No card, no network."""

from __future__ import annotations

import json
import sys
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from nhirx import settings as settings_module
from nhirx.cli.app import emit
from nhirx.errors import FactsInvalid, FileEmpty, FileMissing, FileTooLarge, FileUnreadable
from nhirx.i18n import say
from nhirx.model import Facts, UploadPlan
from nhirx.resolver import Calendar, Window, deadlines, plan, read_calendar
from nhirx.roc import parse_date

_LARGEST = 1024 * 1024


def register(app: typer.Typer) -> None:
    @app.command(
        "resolve", help=say("由處方資料決定上傳欄位（不讀卡、不連線）", "decide the upload fields (no card, no network)")
    )
    def resolve(
        file: Annotated[
            str, typer.Argument(metavar="FILE|-", help=say("處方資料 JSON，- 為標準輸入", "facts as JSON; - is stdin"))
        ],
        on: Annotated[str | None, typer.Option("--on", help=say("依哪一天的規則", "the day whose rules apply"))] = None,
        config: Annotated[Path | None, typer.Option("--config", help=say("設定檔", "settings file"))] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        answer = resolve_file(file, on=on, config=config)
        if as_json:
            emit(answer.as_json())
        else:
            from nhirx.cli.plan_view import show_plan

            show_plan(answer)
        return 0 if answer.ok else 1


def resolve_file(file: str, *, on: str | None = None, config: Path | None = None) -> UploadPlan:
    """The plan for the facts in ``file`` (``-`` is stdin). Raises the errors of ``plan``, and of an unreadable file."""
    return _planned(file, on, config)[1]


def plan_and_windows(file: str, *, on: str | None = None, config: Path | None = None) -> tuple[UploadPlan, tuple[Window, ...]]:
    """The plan, and the periods that the facts start. Raises what ``resolve_file`` raises."""
    facts, answer, calendar = _planned(file, on, config)
    return answer, deadlines(facts, on=_day(on), calendar=calendar)


def _planned(file: str, on: str | None, config: Path | None) -> tuple[Facts, UploadPlan, Calendar]:
    settings = settings_module.load(config)
    facts, calendar = read_facts(file), read_calendar(settings.rules.calendar_file)
    return facts, plan(facts, on=_day(on), settings=settings, calendar=calendar), calendar


def _day(text: str | None) -> date | None:
    return parse_date(text) if text else None


def read_facts(file: str) -> Facts:
    """Raises ``FactsInvalid`` for text that is no JSON, has unknown or missing members, or impossible values."""
    try:
        data = json.loads(_text(file), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        place = f"line {error.lineno}" if isinstance(error, json.JSONDecodeError) else "(root)"
        problem = error.msg if isinstance(error, json.JSONDecodeError) else "not JSON in UTF-8"
        raise FactsInvalid(
            zh=f"處方資料不是有效的 JSON（{place}：{problem}）。請重新匯出。",
            en=f"The facts are no valid JSON ({place}: {problem}). Export them again.",
            where=place,
            problem=problem,
        ) from None
    return Facts.from_json(data)


def _text(file: str) -> str:
    if file == "-":
        raw = sys.stdin.buffer.read(_LARGEST + 1)
    else:
        path = Path(file)
        try:
            with path.open("rb") as stream:
                raw = stream.read(_LARGEST + 1)
        except FileNotFoundError:
            raise FileMissing(path=file) from None
        except OSError as error:
            raise FileUnreadable(path=file, problem=error.strerror or type(error).__name__) from None
    if len(raw) > _LARGEST:
        raise FileTooLarge(path=file, problem="> 1 MB")
    if not raw.strip():
        raise FileEmpty(path=file)
    return raw.decode("utf-8-sig")


def _no_constant(name: str) -> float:
    raise ValueError(name)

"""``nhirx explain``: every field with its value, the rule that chose it, and where the rule comes from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nhirx.i18n import say

if TYPE_CHECKING:
    from rich.table import Table


def register(app: typer.Typer) -> None:
    @app.command("explain", help=say("逐欄說明上傳值與依據", "explain every field with its rule and source"))
    def explain(
        file: Annotated[
            str, typer.Argument(metavar="FILE|-", help=say("處方資料 JSON，- 為標準輸入", "facts as JSON; - is stdin"))
        ],
        on: Annotated[str | None, typer.Option("--on", help=say("依哪一天的規則", "the day whose rules apply"))] = None,
        config: Annotated[Path | None, typer.Option("--config", help=say("設定檔", "settings file"))] = None,
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        from nhirx.cli.plan_view import explanation, show_explanation
        from nhirx.cli.resolve import plan_and_windows

        answer, windows = plan_and_windows(file, on=on, config=config)
        if as_json:
            from nhirx.cli.app import emit

            emit(explanation(answer) | {"windows": [window.as_json() for window in windows]})
        else:
            show_explanation(answer, windows)
        return 0 if answer.ok else 1


def table(plan: dict[str, Any]) -> Table:
    """The table of ``nhirx explain`` for a plan as the contract spells it."""
    from nhirx.cli.plan_view import explanation_table
    from nhirx.model import UploadPlan

    return explanation_table(UploadPlan.model_validate(plan))

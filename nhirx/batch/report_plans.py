"""The section of the report about plans: how many pages could be dispensed and uploaded, what for, and what stops the others."""

from __future__ import annotations

from html import escape
from typing import Any

from nhirx.batch.plots import stack
from nhirx.batch.words import PLAN_NEEDS, PLAN_RUN, PLAN_STATUS

_COLOUR = {
    "planned": "#1a7f4b",
    "dispensed": "#6fb58e",
    "blocked": "#c2410c",
    "no-prescription": "#e0a030",
    "no-id": "#94a3b3",
}


def html(plans: dict[str, Any]) -> str:
    """``plans`` is that member of ``summary.json``. The words of findings are masked already."""
    counts = plans["by_status"]
    pages = sum(counts.values())
    if not pages:
        return ""
    shown = [(*PLAN_STATUS[name], counts[name], colour) for name, colour in _COLOUR.items() if name in counts]
    parts = [
        "<h2>處方與檢核 <span class='en'>Prescriptions and checks</span></h2>",
        "<p>已找處方、套規則、試做檢核；沒有讀卡，也沒有送出任何資料。逐頁結果在 plans.jsonl。",
        " <span class='en'>Nothing was read from a card or sent. Page by page: plans.jsonl.</span></p>",
        f"<div class='plot wide'>{stack(shown, pages)}</div>",
        _table("接下來", "What next", [(*PLAN_RUN[name], count) for name, count in plans["run"].items()]),
        _table("還需要", "Still needed", [(*PLAN_NEEDS[name], count) for name, count in plans["needs"].items()]),
        _table("須先處理", "To be solved first", [(stop["zh"], stop["en"], stop["pages"]) for stop in plans["stops"].values()]),
    ]
    return "".join(parts)


def _table(zh: str, en: str, rows: list[tuple[str, str, int]]) -> str:
    if not rows:
        return ""
    lines = "".join(
        f"<tr><td>{escape(said)} <span class='en'>{escape(english)}</span></td><td class='n'>{count:,}</td></tr>"
        for said, english, count in sorted(rows, key=lambda row: -row[2])
    )
    return f"<h3>{zh} <span class='en'>{en}</span></h3><table>{lines}</table>"

"""The results with what people decided: ``reviewed.jsonl``, ``reviewed.csv`` and ``reviewed.json``, made anew whenever asked for."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from nhirx.batch.journal import line
from nhirx.batch.results import HEADINGS, cells, row, whole
from nhirx.batch.review import Review
from nhirx.batch.words import DECISION

_MORE = ("人工決定", "決定後的識別碼", "原因", "決定者", "決定時間")


def write(review: Review) -> dict[str, Any]:
    """Write the three files below ``review.out`` and answer the content of the last: ``Review.state`` and what came of all pages.

    ``found`` counts pages with a visit ID in the end, ``without`` those decided to have none, ``open`` those nobody decided yet.
    """
    ends: Counter[str] = Counter()
    with whole(review.out / "reviewed.jsonl") as lines, whole(review.out / "reviewed.csv") as table:
        table.write("\ufeff".encode())
        table.write(row((*HEADINGS, *_MORE)))
        for scan in review.merged():
            final, told = scan["visit_ids_final"], scan["decision"]
            ends["open" if final is None else "found" if final else "without"] += 1
            lines.write(line(scan))
            table.write(row([*cells(scan), *_decided(told, final)]))
    told = review.state()
    told |= {"found": ends["found"], "without": ends["without"]}
    with whole(review.out / "reviewed.json") as file:
        file.write(json.dumps(told, indent=1, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n")
    return told


def _decided(told: dict[str, Any] | None, final: list[str] | None) -> list[str]:
    ids = " ".join(final or [])
    if told is None:
        return ["", ids, "", "", ""]
    cause = "：".join(text for text in (told["cause"], told["note"]) if text)
    return [DECISION[told["decision"]][0], ids, cause, told["by"], told["at"]]

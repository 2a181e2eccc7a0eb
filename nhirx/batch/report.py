"""``report.html``: one file for the person in charge. It asks nothing of any network, and IDs in it are masked unless asked for."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import escape
from typing import Any

from nhirx.batch.plots import bars, rate, stack
from nhirx.batch.report_plans import html as plans_html
from nhirx.batch.style import REVIEW_COLOUR, STATUS_COLOUR, STYLE
from nhirx.batch.words import CONFIDENCE, KIND, REASON, REVIEW, SKIPPED, STATUS, SYMBOLOGY, TRIED, file_error
from nhirx.identifiers import mask_id, mask_visit_id

TWICE = 100
"""So many duplicates are listed; the tables name all."""
_ID_LIKE = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Z]{20}|[A-Z][0-9A-Z]\d{8})(?![0-9A-Za-z])")


def html(
    summary: dict[str, Any], shown: list[dict[str, Any]], small: dict[str, dict[str, Any]], *, whole_ids: bool = False
) -> str:
    """The whole page. ``shown`` are the scans that a person must see, ``small`` their pictures by name: ``jpeg`` (base64) and
    ``width``, ``height`` of the page in pixels, the unit of the scans' polygons."""
    return "\n".join(part for part in _Report(summary, shown, small, whole_ids).parts() if part)


class _Report:
    def __init__(
        self, summary: dict[str, Any], shown: list[dict[str, Any]], small: dict[str, dict[str, Any]], whole_ids: bool
    ) -> None:
        self._summary, self._shown, self._small = summary, shown, small
        self._whole_ids = whole_ids
        self._pages, self._found = summary["pages"], summary["found"]
        self._review = sum(summary["review"].values())

    def parts(self) -> list[str]:
        summary = self._summary
        return [
            "<!doctype html>\n<html lang='zh-Hant-TW'><head><meta charset='utf-8'>",
            "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">",
            "<meta name='viewport' content='width=device-width'><title>批次掃描報告</title>",
            f"<style>{STYLE}</style></head><body><main>",
            f"<h1>批次掃描報告 <small>Batch report</small></h1><p class='en'>{self._text('、'.join(summary['sources']))}</p>",
            self._verdict(),
            self._cards(),
            self._plots(),
            _table("讀不了的檔案", "Files that do not open", summary["errors"], file_error),
            _table("沒有處理的檔案", "Files left alone", summary["skipped_why"], lambda name: SKIPPED.get(name, (name, ""))),
            plans_html(summary["plans"]) if "plans" in summary else "",
            self._twice("visit_id", "同一就醫識別碼出現在多頁", "The same visit ID on several pages"),
            self._twice("picture", "同一影像出現多次", "The same picture more than once"),
            self._for_a_person(),
            "<footer>nhirx batch · 本檔不連任何網路，識別碼"
            + ("依要求完整顯示，請妥善保管。" if self._whole_ids else "已遮罩；完整內容在 results.csv。")
            + " <span class='en'>This file asks no network. Every page is in results.csv.</span></footer>",
            "</main></body></html>\n",
        ]

    def _verdict(self) -> str:
        if not self._pages:
            return "<p class='verdict'>沒有可讀的頁面。<span class='en'>There was no page to read.</span></p>"
        share = rate(self._found, self._pages)
        if not self._review:
            zh, en = "全部確定，不需要人工查看。", "All are certain; nobody has to look at any."
        else:
            zh = f"全部頁面中有 {self._review:,} 頁需要人工查看，列於下方。"
            en = f"{self._review:,} of all pages are for a person to look at; they are listed below."
        return (
            f"<p class='verdict'>{self._pages:,} 頁中，{self._found:,} 頁（{share}）讀到就醫識別碼。{zh}"
            f"<span class='en'>{self._found:,} of {self._pages:,} pages ({share}) hold a visit ID that was read. {en}</span></p>"
        )

    def _cards(self) -> str:
        summary, broken = self._summary, self._summary["by_status"].get("error", 0)
        twice = summary["duplicates"]["visit_id"]["pages"]
        cards = (
            ("good", "讀到就醫識別碼", "with a visit ID", self._found, rate(self._found, self._pages)),
            ("look" if self._review else "", "需要人工查看", "for a person", self._review, rate(self._review, self._pages)),
            ("bad" if broken else "", "檔案或頁面損壞", "broken", broken, rate(broken, self._pages)),
            ("look" if twice else "", "識別碼重複的頁", "ID seen before", twice, rate(twice, self._pages)),
        )
        return (
            "<div class='cards'>"
            + "".join(
                f"<div class='card {kind}'>{zh}<span class='en'>{en}</span><b>{count:,} <small>{share}</small></b></div>"
                for kind, zh, en, count, share in cards
            )
            + "</div>"
        )

    def _plots(self) -> str:
        summary = self._summary
        if not self._pages:
            return ""
        status = [
            (*STATUS[name], summary["by_status"][name], colour)
            for name, colour in STATUS_COLOUR.items()
            if summary["by_status"].get(name)
        ]
        sure = [(*CONFIDENCE[name], count, STATUS_COLOUR["found"]) for name, count in summary["by_confidence"].items()]
        why = [(*REASON[name], count, STATUS_COLOUR["unreadable"]) for name, count in summary["reasons"].items()]
        unread = summary["by_status"].get("unreadable", 0)
        small = _plot("讀到的有多可靠", "How sure the readings are", bars(sure, self._found)) if sure else ""
        small += (
            _plot("讀不出的原因（一頁可有多個）", "Why codes were not read; a page may have several", bars(why, unread or 1))
            if why
            else ""
        )
        return (
            f"<div class='plot wide'><h3>每一頁的結果 <span class='en'>What came of the pages</span></h3>"
            f"{stack(status, self._pages)}</div>" + (f"<div class='plots' style='margin-top:14px'>{small}</div>" if small else "")
        )

    def _twice(self, member: str, zh: str, en: str) -> str:
        found = self._summary["duplicates"][member]
        if not found["pages"]:
            return ""
        rows = "".join(
            f"<tr><td>{self._page(item)}</td><td>{self._page(item['as'])}</td></tr>" for item in found["named"][:TWICE]
        )
        head = "<tr><th>這一頁 <span class='en'>this page</span></th><th>與這一頁相同 <span class='en'>same as</span></th></tr>"
        rest = "<p class='en'>其餘見 results.csv。The rest is in results.csv.</p>" if found["pages"] > TWICE else ""
        return f"<h2>{zh}（{found['pages']:,}） <span class='en'>{en}</span></h2><table>{head}{rows}</table>{rest}"

    def _for_a_person(self) -> str:
        head = f"<h2>需要人工查看的頁面（{self._review:,}） <span class='en'>For a person</span></h2>"
        if not self._review:
            return f"{head}<p>沒有。<span class='en'>None.</span></p>"
        reviewed = self._summary["review"]
        parts = [head]
        if len(reviewed) > 1:
            items = [(*REVIEW[why][0:2], count, REVIEW_COLOUR[why]) for why, count in reviewed.items()]
            parts.append(_plot("為什麼要看", "Why", stack(sorted(items, key=lambda item: -item[2]), self._review), "wide"))
        if self._review > len(self._shown):
            parts.append(
                f"<p>以下列出前 {len(self._shown):,} 頁；影像都在 review 資料夾，清單見 results.csv。"
                f"<span class='en'>The first {len(self._shown):,} are shown; every picture is in the folder review.</span></p>"
            )
        if any(scan["status"] in ("unreadable", "none") for scan in self._shown):
            parts.append(_tried())
        for why in sorted(reviewed, key=lambda why: -reviewed[why]):
            figures = [self._figure(scan) for scan in self._shown if scan["review"]["why"] == why]
            if figures:
                zh, en, do_zh, do_en = REVIEW[why]
                parts.append(
                    f"<h3>{zh}（{reviewed[why]:,}） <span class='en'>{en}</span></h3><p style='margin:0'>{do_zh}"
                    f" <span class='en'>{do_en}</span></p><div class='pages'>{''.join(figures)}</div>"
                )
        return "".join(parts)

    def _figure(self, scan: dict[str, Any]) -> str:
        lines = [f"<p class='name'>{self._page(scan)}</p>"]
        if scan["confidence"]:
            lines.append(f"<p>{self._text('、'.join(scan['visit_ids']))} · {CONFIDENCE[scan['confidence']][0]}</p>")
        if scan["status"] == "conflict":
            read = "；".join(
                f"{SYMBOLOGY.get(code['symbology'], code['symbology'])} {self._text(code['text'])}"
                for code in scan["codes"]
                if code["kind"] == "visit-id"
            )
            lines.append(f"<p>{read}</p>")
        if scan["reasons"]:
            said = [REASON[reason] for reason in scan["reasons"]]
            lines.append(f"<p>{'、'.join(zh for zh, _ in said)} <span class='en'>{', '.join(en for _, en in said)}</span></p>")
        if scan["status"] in ("unreadable", "none"):
            lines.append(f"<p class='en'>{_seen(scan)}</p>")
        if scan.get("error"):
            lines.append(f"<p>{self._text(_without_path(scan['error']['zh'], scan['path']))}</p>")
        lines.append(f"<p class='en'>{escape(scan['review']['name'])}</p>")
        return f"<figure>{_picture(scan, self._small.get(scan['review']['name']))}{''.join(lines)}</figure>"

    def _page(self, item: dict[str, Any]) -> str:
        """The name below its source: what comes before it is the same for all and stands at the top of the report."""
        path = item["path"]
        for source in self._summary["sources"]:
            base = source.rstrip("/\\")
            if path.startswith(base) and path[len(base) : len(base) + 1] in ("/", "\\"):
                path = path[len(base) + 1 :]
                break
        return f"{self._text(path)} <span class='en'>#{item['page']}</span>"

    def _text(self, text: str) -> str:
        """``text`` for the page; scans are sometimes named after the visit ID or the person."""
        return escape(text if self._whole_ids else _masked_ids(text))


def _masked_ids(text: str) -> str:
    return _ID_LIKE.sub(lambda match: (mask_visit_id if len(match[0]) == 20 else mask_id)(match[0]), text)


def _without_path(words: str, path: str) -> str:
    return words.replace(path, "").replace("  ", " ").strip()


def _plot(zh: str, en: str, svg: str, kind: str = "") -> str:
    return f"<div class='plot {kind}'><h3>{zh} <span class='en'>{en}</span></h3>{svg}</div>"


def _table(zh: str, en: str, counts: dict[str, int], words: Callable[[str], tuple[str, str]]) -> str:
    if not counts:
        return ""
    rows = []
    for name, count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        said = words(name)
        rows.append(f"<tr><td>{escape(said[0])} <span class='en'>{escape(said[1])}</span></td><td class='n'>{count:,}</td></tr>")
    return f"<h2>{zh} <span class='en'>{en}</span></h2><table>{''.join(rows)}</table>"


def _tried() -> str:
    steps = "".join(f"<li>{zh} <span class='en'>{en}</span></li>" for zh, en in TRIED)
    return (
        "<div class='box' style='margin-top:14px'><p><b>讀不出的頁面已依序試過</b> "
        f"<span class='en'>What was tried, in this order, on pages that were not read</span></p><ol>{steps}</ol>"
        "<p class='en' style='margin-top:6px'>綠框是這一頁讀到的碼。Green frames: codes that were read on the page.</p></div>"
    )


def _seen(scan: dict[str, Any]) -> str:
    """Which codes were read on a page whose visit ID was not."""
    if not scan["codes"]:
        return "沒有讀到任何碼 no code was read"
    counted: dict[str, int] = {}
    for code in scan["codes"]:
        name = f"{SYMBOLOGY.get(code['symbology'], code['symbology'])}（{KIND[code['kind']][0]}）"
        counted[name] = counted.get(name, 0) + 1
    return "讀到 read: " + escape("、".join(f"{name}×{times}" if times > 1 else name for name, times in counted.items()))


def _picture(scan: dict[str, Any], small: dict[str, Any] | None) -> str:
    if small is None:
        return "<div class='no'>無法顯示 <span class='en'>&nbsp;no picture</span></div>"
    frames = "".join(
        f"<polygon class='seen' points='{' '.join(f'{x:g},{y:g}' for x, y in code['polygon'])}'/>"
        for code in scan["codes"]
        if code.get("polygon")
    )
    size = f"width='{small['width']}' height='{small['height']}'"
    return (
        f"<svg viewBox='0 0 {small['width']} {small['height']}' role='img' aria-label='page {scan['page']}'>"
        f"<image {size} href='data:image/jpeg;base64,{small['jpeg']}'/>{frames}</svg>"
    )

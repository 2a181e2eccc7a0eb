"""``report.html``: one file for the person in charge. It asks nothing of any network, and IDs in it are masked."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from nhirx.batch.words import CONFIDENCE, REASON, REVIEW, SKIPPED, STATUS
from nhirx.identifiers import mask_id, mask_visit_id

_STYLE = """
:root{--ink:#1d2733;--soft:#5d6b7a;--line:#d9e0e7;--good:#1a7f4b;--look:#b45309;--bad:#b42318;--back:#f6f8fa}
*{box-sizing:border-box}body{margin:0;background:var(--back);color:var(--ink);
font:16px/1.6 "Noto Sans TC","Microsoft JhengHei","PingFang TC",sans-serif}main{max-width:1080px;margin:0 auto;padding:32px 24px}
h1{margin:0 0 4px;font-size:28px}h2{margin:40px 0 12px;font-size:20px}small,.en{color:var(--soft);font-size:13px;font-weight:400}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(180px,1fr));gap:12px;margin-top:24px}
.card,table,figure{background:#fff;border:1px solid var(--line);border-radius:10px}.card{padding:16px}.card b{display:block;font-size:30px;
line-height:1.2}.good b{color:var(--good)}.look b{color:var(--look)}.bad b{color:var(--bad)}
.bar{display:flex;height:18px;border-radius:9px;overflow:hidden;margin:20px 0 0;background:var(--line)}.bar i{display:block;height:100%}
table{width:100%;border-collapse:separate;border-spacing:0;overflow:hidden}th,td{padding:8px 12px;text-align:left;vertical-align:top;
border-bottom:1px solid var(--line);overflow-wrap:anywhere}tr:last-child td{border-bottom:0}th{font-weight:600;background:#eef2f6}
td.n{text-align:right;width:7em;font-variant-numeric:tabular-nums}
.pages{display:grid;grid-template-columns:repeat(auto-fill,minmax(230px,1fr));gap:14px}figure{margin:0;padding:12px;overflow-wrap:anywhere}
figure img{display:block;max-width:100%;max-height:260px;margin:0 auto 8px;border:1px solid var(--line)}
figure p{margin:2px 0}.why{font-weight:600;color:var(--look)}@media print{body{background:#fff}figure{break-inside:avoid}}
"""
_COLOURS = {
    "found": "#1a7f4b",
    "several": "#4d9f74",
    "none": "#94a3b3",
    "unreadable": "#d98a1f",
    "conflict": "#c2410c",
    "error": "#b42318",
}
_ID_LIKE = re.compile(r"(?<![0-9A-Za-z])(?:[0-9A-Z]{20}|[A-Z][0-9A-Z]\d{8})(?![0-9A-Za-z])")


def html(summary: dict[str, Any], shown: list[dict[str, Any]], small: dict[str, str]) -> str:
    """The whole page. ``shown`` are the scans that a person must see, ``small`` their pictures (base64 JPEG) by name."""
    review = sum(summary["review"].values())
    parts = [
        "<!doctype html>\n<html lang='zh-Hant-TW'><head><meta charset='utf-8'>",
        "<meta http-equiv='Content-Security-Policy' content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">",
        "<meta name='viewport' content='width=device-width'><title>批次掃描報告</title>",
        f"<style>{_STYLE}</style></head><body><main>",
        f"<h1>批次掃描報告 <small>Batch report</small></h1><p>{_masked('、'.join(summary['sources']))}</p>",
        _cards(summary, review),
        _bar(summary),
        _table("結果", "Results", summary["by_status"], STATUS, summary["pages"]),
        _table("可信度", "How sure", summary["by_confidence"], CONFIDENCE, summary["pages"]),
        _table("讀不出的原因", "Why codes were not read", summary["reasons"], REASON, None),
        _table("檔案錯誤", "Broken files", summary["errors"], {}, None),
        _table("未處理的檔案", "Files left alone", summary["skipped_why"], SKIPPED, None),
        _twice(summary["duplicates"]),
        _review(summary, review, shown, small),
        "</main></body></html>\n",
    ]
    return "\n".join(part for part in parts if part)


def _cards(summary: dict[str, Any], review: int) -> str:
    cards = (
        ("", "頁數", "pages", f"{summary['pages']:,}"),
        (
            "good",
            "讀到就醫識別碼",
            "with a visit ID",
            f"{summary['found']:,} <small>{_rate(summary['found'], summary['pages'])}</small>",
        ),
        ("look", "需要人工查看", "for a person", f"{review:,} <small>{_rate(review, summary['pages'])}</small>"),
        ("bad" if summary["errors"] else "", "檔案或頁面錯誤", "broken", f"{summary['by_status'].get('error', 0):,}"),
    )
    return (
        "<div class='cards'>"
        + "".join(
            f"<div class='card {kind}'>{zh} <span class='en'>{en}</span><b>{value}</b></div>" for kind, zh, en, value in cards
        )
        + "</div>"
    )


def _bar(summary: dict[str, Any]) -> str:
    if not summary["pages"]:
        return ""
    pieces = [
        f"<i title='{STATUS[name][0]} {summary['by_status'][name]}' "
        f"style='width:{100 * summary['by_status'][name] / summary['pages']:.3f}%;background:{colour}'></i>"
        for name, colour in _COLOURS.items()
        if summary["by_status"].get(name)
    ]
    return "<div class='bar'>" + "".join(pieces) + "</div>"


def _table(zh: str, en: str, counts: dict[str, int], words: dict[str, tuple[str, str]], total: int | None) -> str:
    if not counts:
        return ""
    rows = []
    for name, count in sorted(counts.items(), key=lambda item: -item[1]):
        said = words.get(name, (name, ""))
        rate = f"<td class='n'>{_rate(count, total)}</td>" if total else ""
        rows.append(
            f"<tr><td>{escape(said[0])} <span class='en'>{escape(said[1])}</span></td><td class='n'>{count:,}</td>{rate}</tr>"
        )
    return f"<h2>{zh} <span class='en'>{en}</span></h2><table>{''.join(rows)}</table>"


def _twice(duplicates: dict[str, Any]) -> str:
    parts = []
    for member, zh, en in (
        ("visit_id", "同一就醫識別碼出現在多頁", "The same visit ID on several pages"),
        ("picture", "同一影像出現多次", "The same picture more than once"),
    ):
        found = duplicates[member]
        if found["pages"]:
            rows = "".join(f"<tr><td>{_page(item)}</td><td>{_page(item['as'])}</td></tr>" for item in found["named"][:100])
            head = (
                "<tr><th>這一頁 <span class='en'>this page</span></th><th>與這一頁相同 <span class='en'>same as</span></th></tr>"
            )
            parts.append(f"<h2>{zh}（{found['pages']:,}） <span class='en'>{en}</span></h2><table>{head}{rows}</table>")
            if found["pages"] > 100:
                parts.append("<p class='en'>其餘見 results.csv。The rest is in results.csv.</p>")
    return "".join(parts)


def _review(summary: dict[str, Any], review: int, shown: list[dict[str, Any]], small: dict[str, str]) -> str:
    if not review:
        return "<h2>需要人工查看的頁面 <span class='en'>For a person</span></h2><p>沒有。<span class='en'>None.</span></p>"
    whys = "".join(
        f"<tr><td>{REVIEW[why][0]} <span class='en'>{REVIEW[why][1]}</span></td><td class='n'>{count:,}</td></tr>"
        for why, count in sorted(summary["review"].items(), key=lambda item: -item[1])
    )
    figures = "".join(_figure(scan, small.get(scan["review"]["name"])) for scan in shown)
    rest = (
        f"<p>此處列出前 {len(shown)} 頁；影像都在 review 資料夾，清單見 results.csv。"
        f"<span class='en'>The first {len(shown)} are shown; every picture is in the folder review.</span></p>"
        if review > len(shown)
        else ""
    )
    return (
        f"<h2>需要人工查看的頁面（{review:,}） <span class='en'>For a person</span></h2><table>{whys}</table>{rest}"
        f"<div class='pages' style='margin-top:14px'>{figures}</div>"
    )


def _figure(scan: dict[str, Any], picture: str | None) -> str:
    image = f"<img alt='' src='data:image/jpeg;base64,{picture}'>" if picture else ""
    lines = [f"<p class='why'>{STATUS[scan['status']][0]}</p>", f"<p>{_page(scan)}</p>"]
    if scan["confidence"]:
        masked = "、".join(mask_visit_id(value) for value in scan["visit_ids"])
        lines.append(f"<p>{escape(masked)} · {CONFIDENCE[scan['confidence']][0]}</p>")
    if scan["reasons"]:
        lines.append(f"<p>{'、'.join(REASON[reason][0] for reason in scan['reasons'])}</p>")
    if scan.get("error"):
        lines.append(f"<p>[{escape(scan['error']['code'])}] {_masked(scan['error']['zh'])}</p>")
    lines.append(f"<p class='en'>{escape(scan['review']['name'])}</p>")
    return f"<figure>{image}{''.join(lines)}</figure>"


def _page(item: dict[str, Any]) -> str:
    return f"{_masked(item['path'])} #{item['page']}"


def _masked(text: str) -> str:
    """``text`` for the page; scans are sometimes named after the visit ID or the person."""
    return escape(_ID_LIKE.sub(lambda match: (mask_visit_id if len(match[0]) == 20 else mask_id)(match[0]), text))


def _rate(part: int, whole: int | None) -> str:
    return f"{100 * part / whole:.1f}%" if whole else "–"

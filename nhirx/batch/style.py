"""How the report looks: on a screen and on A4 paper. Colours carry the same meaning in plots, cards and headings."""

from __future__ import annotations

STATUS_COLOUR = {
    "found": "#1a7f4b",
    "several": "#6fb58e",
    "none": "#94a3b3",
    "unreadable": "#e0a030",
    "conflict": "#c2410c",
    "error": "#8f1d14",
}
REVIEW_COLOUR = {"ocr": "#3b76b5", "single": "#7aa7d3"} | {
    name: STATUS_COLOUR[name] for name in ("none", "unreadable", "conflict", "error")
}

STYLE = """
:root{--ink:#1d2733;--soft:#55626f;--line:#d9e0e7;--good:#1a7f4b;--look:#9a4a06;--bad:#b42318;--back:#f6f8fa}
*{box-sizing:border-box;-webkit-print-color-adjust:exact;print-color-adjust:exact}
body{margin:0;background:var(--back);color:var(--ink);
font:16px/1.6 "Noto Sans TC","Microsoft JhengHei","PingFang TC","WenQuanYi Micro Hei",sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 24px}
h1{margin:0;font-size:28px}h2{margin:36px 0 10px;font-size:20px;break-after:avoid}h3{margin:24px 0 4px;font-size:17px;break-after:avoid}
small,.en{color:var(--soft);font-size:13px;font-weight:400}.verdict{font-size:19px;margin:14px 0 0}.verdict .en{display:block;font-size:14px}
.cards{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin-top:18px}
.card,table,figure,.plot,.box{background:#fff;border:1px solid var(--line);border-radius:10px}
.card{padding:14px 16px}.card b{display:block;font-size:30px;line-height:1.2}
.card .en{display:block;line-height:1.2}.good b{color:var(--good)}.look b{color:var(--look)}.bad b{color:var(--bad)}
.plots{display:grid;grid-template-columns:1fr 1fr;gap:14px}.plot{padding:12px 16px;break-inside:avoid}.plot.wide{margin-top:14px}
.plot h3{margin:0 0 6px}.plot svg{display:block;width:100%;height:auto;overflow:visible}
svg text{font-size:13px;fill:var(--ink)}svg .en{font-size:11px;fill:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;margin:8px 0 0;padding:0;list-style:none;font-size:14px}
.legend i{display:inline-block;width:11px;height:11px;border-radius:3px;margin-right:6px}
.box{padding:12px 16px}.box p{margin:0 0 4px}.box ol{margin:4px 0 0;padding-left:1.4em}
table{width:100%;border-collapse:separate;border-spacing:0;overflow:hidden}
th,td{padding:7px 12px;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
tr{break-inside:avoid}tr:last-child td{border-bottom:0}th{font-weight:600;background:#eef2f6}
td.n{text-align:right;width:7em;font-variant-numeric:tabular-nums}
.pages{display:grid;grid-template-columns:repeat(4,1fr);gap:12px;margin-top:10px}
figure{margin:0;padding:10px;overflow-wrap:anywhere;break-inside:avoid;font-size:14px;line-height:1.45}
figure svg{display:block;width:100%;height:230px;margin:0 auto 8px;background:#eef2f6}
figure .no{display:flex;height:80px;align-items:center;justify-content:center;margin-bottom:8px;background:#eef2f6;color:var(--soft)}
figure p{margin:2px 0}figure .name{font-weight:600}.seen{fill:none;stroke:#1a7f4b;stroke-width:2px;vector-effect:non-scaling-stroke}
footer{margin-top:36px;padding-top:10px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
@media (max-width:760px){.cards,.pages{grid-template-columns:1fr 1fr}.plots{grid-template-columns:1fr}}
@media print{@page{size:A4;margin:13mm}body{background:#fff;font-size:12px}main{max-width:none;padding:0}
h1{font-size:22px}h2{font-size:16px;margin-top:22px}h3{font-size:13px}.verdict{font-size:15px}.card b{font-size:22px}
figure{font-size:11px}figure svg{height:170px}td,th{padding:4px 8px}}
"""

"""Pages as plain HTML, with what the base install has: for a wheel without the built site, and machines without mkdocs."""

from __future__ import annotations

import html
import re
from pathlib import PurePosixPath

from nhirx import manual
from nhirx.manual.diagram import drawn

_STYLE = """
body{margin:0;font:16px/1.7 "Noto Sans TC","Microsoft JhengHei",sans-serif;display:flex;color:#1d2b2a;background:#fff}
nav{min-width:15em;max-width:15em;padding:1em;background:#eef5f4;height:100vh;overflow:auto;position:sticky;top:0;box-sizing:border-box}
nav b{display:block;margin:.8em 0 .2em}nav a{display:block;color:inherit;text-decoration:none;padding:.1em 0}nav a.here{font-weight:bold}
main{padding:1em 2em;max-width:60em;min-width:0}pre{background:#f4f4f4;padding:.8em;overflow:auto}code{font-size:.9em}
table{border-collapse:collapse}td,th{border:1px solid #bcc;padding:.3em .6em;text-align:left;vertical-align:top}
@media(max-width:50em){body{display:block}nav{max-width:none;height:auto;position:static}}
@media(prefers-color-scheme:dark){body{background:#15201f;color:#dfe9e8}nav{background:#1d2b2a}pre{background:#22302f}a{color:#7fd1c7}}
"""
_LINK = re.compile(r'href="(?![a-z]+:|#|/)([^"#]*)\.md(#[^"]*)?"')


def page(file: str, language: str) -> str | None:
    """The whole HTML of ``file`` (``howto/card.md``); None when the manual has no such page."""
    parts = manual.nav(language)
    title = next((title for _, found in parts for title, each in found if each == file), None)
    if title is None:
        return None
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(drawn(manual.text(file, language)))
    up = "../" * (len(PurePosixPath(file).parts) - 1)
    menu = "".join(
        f"<b>{html.escape(part)}</b>"
        + "".join(
            f'<a{" class=here" if each == file else ""} href="{up}{each.removesuffix(".md")}.html">{html.escape(name)}</a>'
            for name, each in found
        )
        for part, found in parts
    )
    other = f'<a href="{up}en/index.html">English</a>' if language == "zh" else f'<a href="{up}../index.html">繁體中文</a>'
    return (
        f'<!doctype html><html lang="{"zh-Hant-TW" if language == "zh" else "en"}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)} - nhirx</title><style>{_STYLE}</style>'
        f"<nav>{other}{menu}</nav><main>{_LINK.sub(_target, body)}</main></html>"
    )


def _target(found: re.Match[str]) -> str:
    return f'href="{found[1]}.html{found[2] or ""}"'

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
img{max-width:100%}input{font:inherit;width:100%;box-sizing:border-box;margin:.5em 0}
table{border-collapse:collapse}td,th{border:1px solid #bcc;padding:.3em .6em;text-align:left;vertical-align:top}
@media(max-width:50em){body{display:block}nav{max-width:none;height:auto;position:static}}
@media(prefers-color-scheme:dark){body{background:#15201f;color:#dfe9e8}nav{background:#1d2b2a}pre{background:#22302f}a{color:#7fd1c7}}
"""
_TITLE = re.compile(r'^(```\w+) title="([^"]+)"$', re.M)
_BEFORE, _EXCERPT = 30, 160
"""Characters of an excerpt before the words, and in all."""
_LINK = re.compile(r'href="(?![a-z]+:|#|/)([^"#]*)\.md(#[^"]*)?"')


def page(file: str, language: str) -> str | None:
    """The whole HTML of ``file`` (``howto/card.md``); None when the manual has no such page."""
    title = next((title for _, found in manual.nav(language) for title, each in found if each == file), None)
    if title is None:
        return None
    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark").enable("table").render(_TITLE.sub(_titled, drawn(manual.text(file, language))))
    return _framed(title, _LINK.sub(_target, body), language, file)


def search(words: str, language: str) -> str:
    """The page that lists where ``words`` stand, each with the first line that holds them; capitals do not matter."""
    wanted = words.strip().casefold()
    lines = []
    for title, file in (each for _, found in manual.nav(language) for each in found) if wanted else ():
        line = next((line for line in manual.text(file, language).splitlines() if wanted in line.casefold()), None)
        if line is not None:
            start = max(0, line.casefold().find(wanted) - _BEFORE)
            excerpt = html.escape(line[start : start + _EXCERPT].strip("#|*->` "))
            lines.append(f'<li><a href="{file.removesuffix(".md")}.html">{html.escape(title)}</a><br>{excerpt}</li>')
    nothing = "沒有找到。" if language == "zh" else "Nothing found."
    title = "搜尋" if language == "zh" else "Search"
    body = f"<h1>{title}：{html.escape(words)}</h1><ul>{''.join(lines)}</ul>{'' if lines else nothing}"
    return _framed(title, body, language, "search.md", words)


def _framed(title: str, body: str, language: str, file: str, words: str = "") -> str:
    """The page around ``body``: the menu, the other language, the search."""
    parts = manual.nav(language)
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
    label = "搜尋" if language == "zh" else "Search"
    form = (
        f'<form action="{up}search.html"><input type="search" name="q" value="{html.escape(words)}"'
        f' placeholder="{label}" aria-label="{label}"></form>'
    )
    return (
        f'<!doctype html><html lang="{"zh-Hant-TW" if language == "zh" else "en"}"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{html.escape(title)} - nhirx</title><style>{_STYLE}</style>'
        f"<nav>{other}{form}{menu}</nav><main>{body}</main></html>"
    )


def _titled(found: re.Match[str]) -> str:
    """The name of a file above its block, which the site shows by itself."""
    return f"**{found[2]}**\n\n{found[1]}"


def _target(found: re.Match[str]) -> str:
    return f'href="{found[1]}.html{found[2] or ""}"'

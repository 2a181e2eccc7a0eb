"""The English of a page that says everything twice, Chinese first.

Three ways of writing twins are known: a paragraph and its twin in italics below, ``中文 · English`` in headings, items and
cells, and sentences side by side. The Chinese twin is taken away only where nothing goes with it: a command, a name in code,
a link or English words in its midst keep the paragraph as it is. Code blocks stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_FENCE = re.compile(r"(^(?P<mark>`{3,})[^\n]*\n.*?^(?P=mark)[^\n]*$)", re.S | re.M)
_CJK = re.compile(r"[\u3400-\u9fff]")
_MARK = re.compile(r"[\u3400-\u9fff，。、；：？！（）「」]")
_CODE = re.compile(r"`[^`]*`")
_KEPT = re.compile(r"`[^`]*`|\]\([^)]*\)")
_RUN = re.compile(r"[a-z']{2,}(?: [a-z']{2,})+")
_SENTENCE = re.compile(r".+?(?:[。！？：；]|[.!?:;](?=\s)|[\u3400-\u9fff）](?=\s+[A-Z][a-z])|\n|$)", re.S)
_HEADING = re.compile(r"(#+ )[^\n]*?[\u3400-\u9fff、，（）]\s*(?:· )?([A-Za-z`(][^\u3400-\u9fff]*)")
_ITEM = re.compile(r"(\s*(?:[-*]|\d+\.) )(.*)", re.S)
_LABEL = re.compile(r"\*\*[\u3400-\u9fff]+ ([A-Za-z ]+)\*\*\s*(.*)", re.S)
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
_LEAST = 0.25
"""English words for each Chinese character: below it, the English is a part only of what the Chinese says."""


def english(content: str, *, only_italics: bool = False) -> str:
    """The page with the Chinese twins taken away; ``only_italics`` of those pages that are made from the tables."""
    content = _without_twins_above(_english_part_first(content))
    if only_italics:
        return content
    pieces = _FENCE.split(content)
    # The pattern has two groups: text, fence, the fence's marks, text …
    return "".join(_blocks(piece) if place % 3 == 0 else piece for place, piece in enumerate(pieces) if place % 3 != 2)


def _english_part_first(content: str) -> str:
    """Of a page that has its English in one part at the end: that part, then the rest for its tables and commands."""
    if "\n---\n\n# " in content:
        chinese, _, english = content.partition("\n---\n\n")
        return f"{english.rstrip()}\n\n#{chinese}"
    title, found, english = content.partition("\n## In English\n")
    if not found:
        return content
    head, _, rest = title.partition("\n\n")
    return f"{head}\n\n{english.strip()}\n\n{rest}"


def _without_twins_above(content: str) -> str:
    """Paragraphs that have their English one in italics below."""
    kept: list[str] = []
    for block in content.split("\n\n"):
        stripped = block.strip()
        twin = stripped.startswith("*") and stripped.endswith("*") and not stripped.startswith("**") and stripped.count("*") == 2
        if twin and kept and _plain(kept[-1]):
            head = "# " if kept[-1].startswith("# ") else ""
            kept[-1] = head + stripped.strip("*").rstrip("." if head else "")
        else:
            kept.append(block)
    return "\n\n".join(kept)


def _plain(block: str) -> bool:
    first = block.lstrip()[:2]
    return bool(first) and (first == "# " or first[0] not in "#-|>`*<1") and _chinese(block)


def _blocks(text: str) -> str:
    return "\n".join(_line_group(group) for group in _groups(text))


def _groups(text: str) -> list[str]:
    """Lines that belong together: a paragraph, a list item with its further lines, one row of a table, one heading."""
    groups: list[list[str]] = []
    for line in text.split("\n"):
        starts = not line.strip() or line.startswith(("#", "|")) or _ITEM.match(line) is not None
        if starts or not groups or not groups[-1][0].strip() or groups[-1][0].startswith(("#", "|")):
            groups.append([line])
        else:
            groups[-1].append(line)
    return ["\n".join(group) for group in groups]


def _line_group(group: str) -> str:
    if not _chinese(group) or group.startswith("<!--"):
        return group
    if picture := _PICTURE.fullmatch(group.strip()):
        return f"![{_piece(picture[1], _cell)}]({picture[2]})"
    if group.startswith("#"):
        if " · " in group:
            marks, _, words = group.partition(" ")
            return f"{marks} {_piece(words, _cell)}"
        found = _HEADING.fullmatch(group)
        return found[1] + found[2] if found else group
    if group.startswith("|"):
        return "|".join(_piece(cell, _cell) for cell in re.split(r"(?<!\\)\|", group))
    if item := _ITEM.fullmatch(group):
        label = _LABEL.fullmatch(item[2])
        return f"{item[1]}**{label[1]}** {_piece(label[2], _cell)}" if label else item[1] + _piece(item[2], _cell)
    return _piece(group, _sentences)


def _piece(text: str, way: Callable[[str], str | None]) -> str:
    """``text`` by ``way``, unless that would lose code or a link."""
    made = way(text) if _chinese(text) else None
    if made is None or not made.strip() or any(set(kind.findall(text)) - set(kind.findall(made)) for kind in (_KEPT, _RUN)):
        return text
    return text[: len(text) - len(text.lstrip())] + made.strip() + text[len(text.rstrip()) :]


def _cell(text: str) -> str | None:
    """``中文 · English``; else by sentences; else a short ``中文 english``."""
    parts = text.split(" · ")
    first = next((place for place, part in enumerate(parts) if not _chinese(part)), 0)
    if first and not any(map(_chinese, parts[first:])):
        return " · ".join(parts[first:])
    if made := _sentences(text):
        return made
    short = re.fullmatch(r"\s*[\u3400-\u9fff、，]+ (?:[A-Z]{2,} (?=[A-Z]))?([A-Za-z][A-Za-z ,'-]*)\s*", text)
    return short[1] if short and re.search(r"[a-z]{2}", short[1]) else None


def _sentences(text: str) -> str | None:
    """The English sentences, where there are enough of them to be the twins of the Chinese ones."""
    found = [sentence for sentence in _SENTENCE.findall(text) if sentence.strip()]
    twins = [sentence for sentence in found if _english(sentence)]
    chinese = [sentence for sentence in found if _MARK.search(_CODE.sub("", sentence))]
    words = sum(len(re.findall(r"[A-Za-z']+", sentence)) for sentence in twins)
    if not twins or not chinese or words < _LEAST * sum(len(_CJK.findall(sentence)) for sentence in chinese):
        return None
    kept = "".join(sentence for sentence in found if sentence not in chinese)
    return re.sub(r"(?<=[.:;!?])(?=[A-Z])", " ", kept)


def _chinese(text: str) -> bool:
    return _CJK.search(_CODE.sub("", text)) is not None


def _english(text: str) -> bool:
    return not _MARK.search(_CODE.sub("", text)) and len(re.findall(r"[A-Za-z']+", _CODE.sub("x", text))) >= 2

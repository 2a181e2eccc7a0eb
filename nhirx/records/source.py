"""From untrusted bytes to ``REC`` elements, with memory that does not grow with the file.

The bytes are decoded here, not in the XML parser: what a file declares and what it is often differ, and a parser that
believes the declaration loses records. The parser then sees UTF-8 without a declaration, may resolve no entity, load no
DTD and open no network, and gets no document type at all: a file that brings one is refused before the parser sees it.

Source: ``field-notes`` §1.3–1.5, §1.13.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

from lxml import etree

from nhirx.errors import RecordMalformed

Source = str | Path | bytes | IO[bytes]
Encoding = Literal["ascii", "big5", "utf-8", "utf-16"]
Trouble = Literal[
    "doctype",
    "record-too-large",
    "several-roots",
    "record-not-closed",
    "root-not-closed",
    "no-root",
    "not-xml",
    "not-big5",
    "declared-otherwise",
    "no-declaration",
]

CHUNK = 1 << 17
RECORD_LIMIT = 8 << 20
"""Characters one record may take; 500 orders of every field at full length are under one million."""

_FATAL: dict[str, tuple[str, str]] = {
    "doctype": ("檔案含有文件類型宣告，不予處理", "it brings a document type, which is refused"),
    "record-too-large": ("單一筆資料過大", "one record is too large"),
    "several-roots": ("檔案含有一個以上的 RECS", "it holds more than one RECS"),
    "record-not-closed": ("有資料筆缺少結尾 </REC>", "a record lacks its end </REC>"),
    "root-not-closed": ("缺少結尾 </RECS>，檔案可能不完整", "the end </RECS> is missing, the file may be cut short"),
    "no-root": ("最外層不是 RECS", "the outermost element is not RECS"),
    "not-xml": ("不是正確的 XML", "it is no well-formed XML"),
}
_DECLARATION = re.compile(r"\s*<\?xml\b([^>]*)\?>")
_DECLARED = re.compile(r"encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_FORBIDDEN = re.compile(r"<!(?:DOCTYPE|ENTITY|ELEMENT|ATTLIST|NOTATION)")
_TAGS = {name: re.compile(rf"<{name}[\s>/]") for name in ("RECS", "/RECS", "REC", "/REC")}
_BEYOND_TWO_BYTES = re.compile("[\u0800-\U0010ffff]")


@dataclass
class Document:
    """What is to be said about a file as a whole; filled while its records are read."""

    size: int = 0
    declared: str | None = None
    encoding: Encoding = "ascii"
    troubles: list[Trouble] = field(default_factory=list)
    line: int | None = None
    """Line of the first XML error."""
    tags: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_TAGS, 0))

    def refuse(self) -> None:
        """Raise ``RecordMalformed`` when something kept records from being read."""
        for trouble in self.troubles:
            if words := _FATAL.get(trouble):
                where = ("", "") if self.line is None else (f"（第 {self.line} 行）", f" (line {self.line})")
                raise RecordMalformed(problem=f"{words[0]}{where[0]} / {words[1]}{where[1]}", trouble=trouble, line=self.line)

    def elements(self, source: Source) -> Iterator[Any]:
        """Every ``REC`` below the root, whole; it is emptied when the next one is asked for."""
        # The two limits that matter are libxml2's own while huge_tree is off: 256 levels, 10 million characters of one text.
        parser = etree.XMLPullParser(
            events=("start", "end"),
            tag=("RECS", "REC"),
            encoding="utf-8",
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
            dtd_validation=False,
            remove_comments=True,
            remove_pis=True,
            huge_tree=False,
        )
        with _opened(source) as file:
            texts = self._texts(file)
            try:
                yield from self._parsed(parser, texts)
            except etree.XMLSyntaxError as error:
                self.line = error.lineno or None
                for text in texts:
                    self._count(text)
                self._diagnose()

    def _parsed(self, parser: Any, texts: Iterator[str]) -> Iterator[Any]:
        events = parser.read_events()
        depth, since, seen = 0, 0, False
        for text in texts:
            self._count(text)
            if _FORBIDDEN.search(text):
                self.troubles.append("doctype")
                return
            since += len(text)
            parser.feed(text.encode("utf-8"))
            for event, element in events:
                if event == "start":
                    depth += 1
                    # A second RECS inside the first is as wrong as one beside it.
                    seen = seen or (depth == 1 and element.tag == "RECS")
                    continue
                depth -= 1
                if element.tag == "REC" and depth == 1 and seen:
                    since = 0
                    yield element
                    _drop(element)
            if since > RECORD_LIMIT:
                self.troubles.append("record-too-large")
                return
        if self.size:
            parser.close()
            if not seen:
                self.troubles.append("no-root")
            elif self.tags["RECS"] > 1:
                self.troubles.append("several-roots")

    def _diagnose(self) -> None:
        if self.tags["RECS"] > 1:
            self.troubles.append("several-roots")
        elif not self.tags["RECS"]:
            self.troubles.append("not-xml")
        elif not self.tags["/RECS"]:
            self.troubles.append("root-not-closed")
        if self.tags["REC"] > self.tags["/REC"]:
            self.troubles.append("record-not-closed")
        if not any(trouble in _FATAL for trouble in self.troubles):
            self.troubles.append("not-xml")

    def _count(self, text: str) -> None:
        for name, pattern in _TAGS.items():
            self.tags[name] += len(pattern.findall(text))

    def _texts(self, file: IO[bytes]) -> Iterator[str]:
        """The file as text, cut only before a ``<``, without its declaration."""
        carry = ""
        first = True
        for text in self._decoded(file):
            carry += text
            if first:
                if len(carry) < 1024 and not carry.rstrip().endswith("</RECS>"):
                    continue
                carry, first = self._without_declaration(carry), False
            cut = carry.rfind("<")
            if cut > 0:
                yield carry[:cut]
                carry = carry[cut:]
            elif len(carry) > RECORD_LIMIT:
                yield carry
                carry = ""
        if first:
            carry = self._without_declaration(carry)
        if carry:
            yield carry

    def _without_declaration(self, text: str) -> str:
        match = _DECLARATION.match(text)
        if match is None:
            self.troubles.append("no-declaration")
            return text
        declared = _DECLARED.search(match[1])
        self.declared = declared[1] if declared else None
        if self.declared is None or self.declared.lower() not in {"big5", "big-5", "cp950"}:
            self.troubles.append("declared-otherwise")
        return "\n" * text.count("\n", 0, match.end()) + text[match.end() :]

    def _decoded(self, file: IO[bytes]) -> Iterator[str]:
        decoder: Any = None
        while chunk := file.read(CHUNK):
            first = self.size == 0
            self.size += len(chunk)
            if first:
                chunk, decoder = self._by_mark(chunk)
            if decoder is None and not chunk.isascii():
                decoder = self._guessed(chunk)
            text = chunk.decode("ascii") if decoder is None else decoder.decode(chunk)
            self._replaced(text, decoder)
            yield text
        if decoder is not None:
            text = decoder.decode(b"", final=True)
            self._replaced(text, decoder)
            yield text

    def _by_mark(self, chunk: bytes) -> tuple[bytes, Any]:
        for mark, codec, encoding in _MARKS:
            if chunk.startswith(mark):
                self._foreign(encoding)
                return chunk[len(mark) :], codecs.getincrementaldecoder(codec)("replace")
        return chunk, None

    def _guessed(self, chunk: bytes) -> Any:
        # Two-byte UTF-8 is also valid Big5, three-byte UTF-8 (every Chinese character) hardly ever is.
        try:
            text = codecs.getincrementaldecoder("utf-8")("strict").decode(chunk)
        except UnicodeDecodeError:
            text = ""
        if _BEYOND_TWO_BYTES.search(text):
            self._foreign("utf-8")
            return codecs.getincrementaldecoder("utf-8")("replace")
        self.encoding = "big5"
        return codecs.getincrementaldecoder("cp950")("replace")

    def _foreign(self, encoding: Encoding) -> None:
        self.encoding = encoding
        self.troubles.append("not-big5")

    def _replaced(self, text: str, decoder: Any) -> None:
        if decoder is not None and "\ufffd" in text and "not-big5" not in self.troubles:
            self.troubles.append("not-big5")


_MARKS: tuple[tuple[bytes, str, Encoding], ...] = (
    (b"\xef\xbb\xbf", "utf-8", "utf-8"),
    (b"\xff\xfe", "utf-16-le", "utf-16"),
    (b"\xfe\xff", "utf-16-be", "utf-16"),
)


def _drop(element: Any) -> None:
    element.clear()
    parent = element.getparent()
    while element.getprevious() is not None:
        del parent[0]


@contextmanager
def _opened(source: Source) -> Iterator[IO[bytes]]:
    if isinstance(source, bytes):
        yield io.BytesIO(source)
    elif isinstance(source, (str, Path)):
        with Path(source).open("rb") as file:
            yield file
    else:
        yield source


__all__ = ["CHUNK", "RECORD_LIMIT", "Document", "Encoding", "RecordMalformed", "Source", "Trouble"]

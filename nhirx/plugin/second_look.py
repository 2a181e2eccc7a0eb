"""Pages on which the built-in engines found no visit ID, shown to the decoders of plugins.

What they read is weighed by the scanner's own rules, together with what the engines had read: a plugin can add a reading, and
never make one surer than its symbology is.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from os import PathLike
from typing import TYPE_CHECKING

from nhirx.errors import NhirxError
from nhirx.plugin.spec import Decoder

if TYPE_CHECKING:
    from nhirx_scanner import Scan
    from nhirx_scanner.engines import Read
    from nhirx_scanner.files import Page

_log = logging.getLogger("nhirx.plugin")
_NOT_READ = ("none", "unreadable")


def second_look(scans: Sequence[Scan], path: str | PathLike[str], decoders: Mapping[str, Decoder]) -> list[Scan]:
    """``scans`` of the file ``path``; those without an ID replaced where a decoder read one. A decoder that fails is logged."""
    if not decoders or not any(scan.status in _NOT_READ for scan in scans):
        return list(scans)
    from nhirx_scanner import files

    better: dict[int, Scan] = {}
    missing = {scan.page: scan for scan in scans if scan.status in _NOT_READ}
    with closing(files.pages(path)) as pages:
        for page in pages:
            if page.number in missing:
                better[page.number] = _look(missing[page.number], page, decoders)
    return [better.get(scan.page, scan) for scan in scans]


def _look(scan: Scan, page: Page, decoders: Mapping[str, Decoder]) -> Scan:
    from nhirx_scanner.engines import Read
    from nhirx_scanner.vote import decide

    known = [Read(code.text, code.symbology, code.polygon, "built-in") for code in scan.codes]
    for view in (*page.views, *((page.without_colour,) if page.without_colour is not None else ())):
        try:
            grey = view()
        except NhirxError:
            continue
        if grey is None:  # no ink of a colour on it
            continue
        found = decide([*known, *_reads(grey, decoders)])
        if found.status not in _NOT_READ:
            return replace(found, path=scan.path, page=scan.page, ms=scan.ms)
    return scan


def _reads(grey: object, decoders: Mapping[str, Decoder]) -> list[Read]:
    from nhirx_scanner.engines import Read

    reads = []
    for name, decode in decoders.items():
        try:
            codes = list(decode(grey))  # type: ignore[arg-type]
        except NhirxError as error:
            _log.error("%s", error)
            continue
        for text, symbology, corners in codes:
            # A decoder that tells no place means the whole page.
            height, width = grey.shape  # type: ignore[attr-defined]
            polygon = corners or ((0, 0), (width, 0), (width, height), (0, height))
            reads.append(Read(text, symbology, tuple((float(x), float(y)) for x, y in polygon), name))
    return reads

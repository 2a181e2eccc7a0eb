"""The Scanner: pictures and files in, one :class:`Scan` per page out."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from nhirx.errors import FileMissing, InvalidValue, NhirxError
from nhirx_scanner import files, images
from nhirx_scanner.result import Scan, failed

if TYPE_CHECKING:
    from nhirx_scanner.engines import Gray, Polygon
    from nhirx_scanner.session import Session

Effort = Literal["fast", "thorough"]
_ORDER = ("found", "several", "conflict", "unreadable", "none", "error")
_READ = ("found", "several", "conflict")
_NOT_AGAIN = frozenset({"refit1d", "judge", "second", "others", "long"})
"""The dearest stages. A page is looked at again where ink of a colour lay over its codes; what that ink hid is read without them."""


@dataclass(frozen=True, slots=True)
class Scanner:
    """Reads visit IDs. Holds settings only: pickle it, share it between threads.

    ``effort`` is ``fast`` for video (stops at the first accepted ID) or ``thorough`` for files. ``limit_ms`` bounds one page;
    None means 60 ms for ``fast``, and for ``thorough`` about 2 s of a core, which hardly a page needs: the work is counted.
    ``ocr`` allows reading the printed text where the extra ``ocr`` is installed; ``skip`` names stages to leave out (for measuring what each one gives).
    """

    effort: Effort = "thorough"
    limit_ms: float | None = None
    ocr: bool = True
    skip: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.effort not in ("fast", "thorough"):
            raise InvalidValue(what="effort", problem="fast | thorough")

    def scan(self, picture: str | os.PathLike[str] | Any) -> Scan:
        """One page: the first of a file, or an array (grey or BGR, any depth). A broken picture is a scan with ``error``.

        Raises ``FileMissing`` when there is no such file.
        """
        if isinstance(picture, (str, os.PathLike)):
            path = os.fspath(picture)
            # The generator holds the document open: it must outlive the look at its page.
            with closing(files.pages(path)) as pages:
                page = next(pages)
                if isinstance(page.error, FileMissing):
                    raise page.error
                return self._page(page, path)
        started = time.perf_counter()
        try:
            gray = images.from_array(picture)
        except NhirxError as error:
            return failed(error)
        seen = self._without_colour(self._look(gray), lambda: images.array_without_colour(picture))
        return replace(seen, ms=_since(started))

    def scan_file(self, path: str | os.PathLike[str]) -> list[Scan]:
        """Every page of a file, in order; a page or file that is broken is a scan with ``error``."""
        return list(self.scan_pages(path))

    def scan_pages(self, path: str | os.PathLike[str], first: int = 1, most: int = files.MAX_PAGES) -> Iterator[Scan]:
        """As ``scan_file``, a page at a time and from page ``first`` on: long files need not fit into memory nor be begun again."""
        name = os.fspath(path)
        with closing(files.pages(name, first, most)) as pages:
            for page in pages:
                yield self._page(page, name)

    def session(self) -> Session:
        """A session for video: push frames, agreement is built over them."""
        from nhirx_scanner.session import Session

        return Session(self)

    def _page(self, page: files.Page, path: str) -> Scan:
        if page.error is not None:
            return failed(page.error, path=path, page=page.number)
        started = time.perf_counter()
        best: Scan | None = None
        for view in page.views:
            try:
                seen = self._look(view())
            except NhirxError as error:
                seen = failed(error)
            if best is None or _ORDER.index(seen.status) < _ORDER.index(best.status):
                best = seen
            if best.status in _READ:
                break
        assert best is not None  # noqa: S101 - a page without error has a view
        if page.without_colour is not None:
            best = self._without_colour(best, page.without_colour)
        return replace(best, path=path, page=page.number, ms=_since(started))

    def _without_colour(self, seen: Scan, view: Callable[[], Gray | None]) -> Scan:
        """``seen``, or what the page says without its coloured ink where it said nothing with it."""
        if self.effort != "thorough" or self.limit_ms is not None or seen.status not in ("none", "unreadable"):
            return seen
        if (gray := view()) is None:
            return seen
        again = self._look(gray, _NOT_AGAIN, seen.lines)
        return again if again.status in _READ else seen

    def _look(self, gray: Any, skip: frozenset[str] = frozenset(), lines: Sequence[Polygon] = ()) -> Scan:
        if self.effort == "thorough":
            from nhirx_scanner.companion import look
        else:
            from nhirx_scanner.stages import look

        return look(gray, replace(self, skip=self.skip | skip) if skip else self, lines)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1000.0

"""Pages out of paths: which files of a folder are pictures, and the grey pages inside a file.

A PDF page that is one scanned picture gives that picture, untouched; any other page is rendered at 200 dpi. Of an animation
only the first frame counts: it is one page.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhirx.errors import FileDamaged, FileEmpty, FileKindUnknown, FileMissing, FileTooLarge, FileUnreadable, NhirxError
from nhirx_scanner import images

if TYPE_CHECKING:
    from nhirx_scanner.engines import Gray

DPI = 200
MAX_PAGES = 5000

# pdfium keeps global state: one call at a time in a process.
_PDFIUM = threading.RLock()


@dataclass(frozen=True, slots=True)
class Page:
    """One page: ``views`` are the ways to see it, best first, each opened only when asked for; or ``error`` says why not.

    ``without_colour`` is one more view where the page may have coloured ink; it gives None when it has none, and never raises.
    """

    number: int
    views: tuple[Callable[[], Gray], ...] = ()
    error: NhirxError | None = None
    without_colour: Callable[[], Gray | None] | None = None


def list_files(path: str | os.PathLike[str]) -> Iterator[Path]:
    """``path`` itself, or the pictures and PDFs below the folder ``path``: sorted, hidden names left out, links not followed."""
    root = Path(path)
    if not root.is_dir():
        yield root
        return
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            candidate = Path(folder, name)
            if not name.startswith(".") and _is_picture(candidate):
                yield candidate


def _is_picture(path: Path) -> bool:
    if path.suffix.lower() in images.SUFFIXES:
        return True
    try:
        with path.open("rb") as file:
            return images.kind_of(file.read(32)) is not None
    except OSError:
        return False


def page_count(path: str | os.PathLike[str]) -> int | None:
    """How many pages a PDF or TIFF says it has, 1 for a picture; None when it does not open or its list of pages is broken."""
    import pypdfium2

    name = os.fspath(path)
    try:
        kind, _size = _sniff(name)
        if kind == "pdf":
            with _PDFIUM, closing(pypdfium2.PdfDocument(name)) as document:
                return len(document)
        if kind == "tiff":
            with images.open_pillow(name, name) as picture:
                return int(getattr(picture, "n_frames", 1))
    except Exception:  # whatever is wrong with it is said by ``pages``
        return None
    return 1


def pages(path: str | os.PathLike[str], first: int = 1, most: int = MAX_PAGES) -> Generator[Page, None, None]:
    """The pages of a file in order, at most ``most``, from number ``first`` on; the pages before it are not touched.

    A file or page that cannot be opened is a page with ``error``; nothing is raised.
    """
    name = os.fspath(path)
    try:
        data_kind, size = _sniff(name)
        if data_kind == "pdf":
            yield from _pdf(name, first, most)
        elif data_kind == "tiff":
            yield from _tiff(name, first, most)
        elif first > 1:
            return
        elif size > images.MAX_BYTES:
            yield Page(1, error=FileTooLarge(path=name, problem=f"{size // 1_000_000} MB"))
        else:
            yield Page(
                1,
                (lambda: images.decode(Path(name).read_bytes(), name),),
                without_colour=_if_it_opens(lambda: images.decode_without_colour(Path(name).read_bytes(), name)),
            )
    except NhirxError as error:
        yield Page(1, error=error)
    except OSError as error:
        yield Page(1, error=FileUnreadable(path=name, problem=error.strerror or type(error).__name__))


def _if_it_opens(view: Callable[[], Gray | None]) -> Callable[[], Gray | None]:
    """``view``, or None where it fails: what a page has said already is not lost to a file that has gone or a scan that is broken."""

    def opened() -> Gray | None:
        try:
            return view()
        except Exception:  # the decoders raise what they like
            return None

    return opened


def _sniff(path: str) -> tuple[str, int]:
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - Path would not take the odd bytes of a foreign file name
            size = os.fstat(file.fileno()).st_size
            head = file.read(1024)
    except FileNotFoundError:
        raise FileMissing(path=path, problem="missing") from None
    except (IsADirectoryError, ValueError):
        raise FileUnreadable(path=path, problem="not a file") from None
    if not head:
        raise FileEmpty(path=path, problem="0 bytes")
    kind = images.kind_of(head)
    if kind is None:
        raise FileKindUnknown(path=path, problem="format")
    return kind, size


def _tiff(path: str, first: int, most: int) -> Iterator[Page]:
    with images.open_pillow(path, path) as picture:
        number = first
        while number < first + most:
            try:
                picture.seek(number - 1)
            except EOFError:
                return
            except Exception as error:  # a broken directory: the pages before it stand
                yield Page(number, error=FileDamaged(path=path, problem=type(error).__name__))
                return
            try:
                gray = images.from_pillow(picture, path)
            except NhirxError as error:
                yield Page(number, error=error)
            else:
                # Asked for before the next page is: the document still stands at this one.
                yield Page(
                    number,
                    (lambda gray=gray: gray,),  # type: ignore[misc]
                    without_colour=_if_it_opens(lambda: images.pillow_without_colour(picture)),
                )
            number += 1


def _pdf(path: str, first: int, most: int) -> Iterator[Page]:
    import pypdfium2

    with _PDFIUM:
        try:
            document = pypdfium2.PdfDocument(path)
            count = len(document)
        except pypdfium2.PdfiumError as error:
            problem = "password" if "password" in str(error).lower() else "PDF"
            raise FileDamaged(path=path, problem=problem) from None
    try:
        if count == 0:
            raise FileDamaged(path=path, problem="no pages")
        for number in range(first, min(count, first + most - 1) + 1):
            yield _pdf_page(document, number, path)
    finally:
        with _PDFIUM:
            document.close()


def _pdf_page(document: Any, number: int, path: str) -> Page:
    import pypdfium2

    def embedded() -> Gray:
        with _PDFIUM:
            return _embedded(document[number - 1], path)

    def rendered() -> Gray:
        with _PDFIUM:
            try:
                return _rendered(document[number - 1])
            except pypdfium2.PdfiumError:
                raise FileDamaged(path=path, problem=f"page {number}") from None

    def without_colour() -> Gray | None:
        with _PDFIUM:
            return images.array_without_colour(_picture(document[number - 1], path))

    with _PDFIUM:
        try:
            scanned = _is_scan(document[number - 1])
        except pypdfium2.PdfiumError:
            return Page(number, error=FileDamaged(path=path, problem=f"page {number}"))
    return (
        Page(number, (embedded, rendered), without_colour=_if_it_opens(without_colour)) if scanned else Page(number, (rendered,))
    )


def _is_scan(page: Any) -> bool:
    """Whether the page is one picture (an invisible text layer of an OCR program may lie over it)."""
    import pypdfium2.raw as raw

    pictures = 0
    for index, thing in enumerate(page.get_objects(max_depth=2)):
        if index > 20_000:
            return False
        if thing.type == raw.FPDF_PAGEOBJ_IMAGE:
            pictures += 1
        elif thing.type == raw.FPDF_PAGEOBJ_TEXT:
            if raw.FPDFTextObj_GetTextRenderMode(thing) != raw.FPDF_TEXTRENDERMODE_INVISIBLE:
                return False
        elif thing.type != raw.FPDF_PAGEOBJ_FORM:
            return False
    return pictures == 1


def _embedded(page: Any, path: str) -> Gray:
    return images.from_array(_picture(page, path))


def _picture(page: Any, path: str) -> Any:
    import pypdfium2.raw as raw

    picture = next(iter(page.get_objects(filter=[raw.FPDF_PAGEOBJ_IMAGE], max_depth=2)))
    width, height = picture.get_px_size()
    images.check_size(width, height, path)
    return picture.get_bitmap(render=False).to_numpy()


def _rendered(page: Any) -> Gray:
    width, height = page.get_size()
    scale = DPI / 72
    pixels = max(1.0, width * scale * height * scale)
    scale *= min(1.0, (images.WORK_PIXELS / pixels) ** 0.5)
    return images.from_array(page.render(scale=scale, grayscale=True).to_numpy())

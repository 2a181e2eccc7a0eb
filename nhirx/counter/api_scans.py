"""Pictures and files read by the scanner, codes that were typed, and the prescription that belongs to a sheet."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi import Path as PathParameter
from starlette.concurrency import run_in_threadpool

from nhirx.counter import codes
from nhirx.counter.callers import Present, TheDesk
from nhirx.counter.desk import Desk
from nhirx.counter.models import CodeText, FindAnswer, FindBody, ScanList
from nhirx.counter.scratch import scratch
from nhirx.counter.shelf import Kept
from nhirx.counter.wedge import straightened
from nhirx.errors import FileEmpty, FileTooLarge, RequestInvalid

if TYPE_CHECKING:
    from nhirx_scanner import Scan

router = APIRouter(tags=["scan"])
_MOST_PAGES = 40
_PREVIEW = 2200
"""Pixels of the longer side above which a preview is reduced."""
_QUALITY = 82

_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
            "image/*": {"schema": {"type": "string", "format": "binary"}},
            "application/pdf": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


async def _body(request: Request) -> bytes:
    return await request.body()


@router.post("/scans", operation_id="postScan", summary="讀取影像、PDF 或 TIFF Read a picture, PDF or TIFF", openapi_extra=_FILE)
async def scan(
    desk: TheDesk,
    caller: Present,  # noqa: ARG001
    data: Annotated[bytes, Depends(_body)],
    name: Annotated[
        str, Query(max_length=200, description="檔名，只看副檔名 Only its ending is used.", examples=["sheet.jpg"])
    ] = "sheet",
) -> ScanList:
    """檔案內容直接放在要求的本文。每頁一個結果，保留在記憶體 30 分鐘；讀不到的頁也有 ``ref``、``reasons`` 與建議。

    The file is the body itself. One result per page, kept in memory for half an hour; a page that cannot be read has a ``ref``, ``reasons``
    and advice, too. At most 64 MB and 40 pages.
    """
    if not data:
        raise FileEmpty(path=Path(name).suffix or "sheet", problem="0 bytes")
    return ScanList(scans=await run_in_threadpool(_scanned, desk, data, Path(name).suffix[:8]))


@router.get(
    "/scans/{ref}/preview.jpg",
    operation_id="getPreview",
    summary="掃描頁的影像 The page that was scanned",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}},
)
def preview(ref: Annotated[str, PathParameter(max_length=40)], desk: TheDesk, caller: Present) -> Response:  # noqa: ARG001
    return Response(desk.shelf.get(ref).picture, media_type="image/jpeg")


@router.post("/codes", operation_id="postCode", summary="檢查輸入或掃描器打出的文字 Look at a text that was typed or scanned")
def code(body: CodeText, desk: TheDesk, caller: Present) -> dict[str, Any]:  # noqa: ARG001
    """回答是否為就醫識別碼、改正了哪些字元（O/I），以及掃描器的問題：中文遺失、注音或全形、大寫鎖定、沒有 Enter。

    Whether it is a visit ID, which characters were repaired (O, I), and what is wrong with the scanner: Chinese lost, Bopomofo or full-width
    input, caps lock, wrong layout, missing Enter. The holder inside is masked.
    """
    return codes.describe(body.text)


@router.post("/prescriptions/find", operation_id="postFind", summary="找出處方內容 Find the prescription of a sheet")
def find(body: FindBody, desk: TheDesk, caller: Present) -> FindAnswer:  # noqa: ARG001
    """依掃描（``ref``）或文字（``text``）詢問外掛。 Asks the plugins by a scan (``ref``) or a text (``text``)."""
    if body.ref is not None:
        seen = desk.shelf.get(body.ref).scan
    elif body.text:
        seen = scan_of_text(body.text)
    else:
        raise RequestInvalid(where="body", problem="ref 或 text / ref or text")
    found = desk.host.find_prescription(seen)
    if found is None:
        return FindAnswer(prescription=None, source=None)
    asked = [one.name for one in desk.host.plugins.statuses if {"nhirx_find_prescription", "nhirx_parse_code"} & set(one.hooks)]
    return FindAnswer(prescription=found.model_dump(mode="json"), source="、".join(asked) or None)


def scan_of_text(text: str) -> Scan:
    """What a keyboard scanner typed, as if a camera had read it."""
    from nhirx_scanner import Code, Scan
    from nhirx_scanner.kinds import classify

    if (visit_id := codes.canonical(text)) is not None:
        read = Code(visit_id, "keyboard", "visit-id", ())
        return Scan("found", visit_id, (visit_id,), (read,), ("keyboard",), "single")
    plain = straightened(text.strip("\r\n"))
    return Scan("none", codes=(Code(plain, "keyboard", classify(plain, "keyboard"), ()),))


def _scanned(desk: Desk, data: bytes, suffix: str) -> list[dict[str, Any]]:
    from nhirx_scanner import files

    # The scanner opens files; this one is gone before the answer is given.
    with scratch(desk.options.folder) as folder:
        path = folder / f"sheet{suffix if suffix.isascii() and suffix[1:].isalnum() else ''}"
        path.write_bytes(data)
        if (count := files.page_count(path) or 1) > _MOST_PAGES:
            raise FileTooLarge(path="sheet", problem=f"{count} > {_MOST_PAGES} pages")
        scans = [one.at(None, one.page) for one in desk.host.scan(path)]
        pictures = {page.number: picture_of(page) for page in files.pages(path)}
    return [shown(desk.shelf.put(one, *pictures.get(one.page, (b"", 0, 0)))) for one in scans]


def shown(kept: Kept) -> dict[str, Any]:
    """One page for the answer: contract §1 with ``ref``, ``preview``, its size in pixels and advice for each reason."""
    from nhirx.counter.advice import advice

    told = kept.scan.as_json() | {"ref": kept.ref, "width": kept.width, "height": kept.height}
    if error := told.get("error"):
        # The scanner names its file, which nobody knows: a folder that is gone.
        told["error"] = {"code": error["code"], **_without_path(kept.scan)}
    return told | advice(kept.scan) | {"preview": f"/api/v1/scans/{kept.ref}/preview.jpg" if kept.picture else None}


def _without_path(seen: Scan) -> dict[str, str]:
    assert seen.error is not None  # noqa: S101 - asked for errors only
    path = str(seen.error.detail.get("path", ""))
    return (
        {"zh": seen.error.zh.replace(path, ""), "en": seen.error.en.replace(path, "")}
        if path
        else {
            "zh": seen.error.zh,
            "en": seen.error.en,
        }
    )


def picture_of(page: Any) -> tuple[bytes, int, int]:
    """A JPEG of the page and the size in which its polygons are given; nothing for a page that does not open."""
    from PIL import Image

    from nhirx.errors import NhirxError

    try:
        grey = page.views[0]() if page.views else None
    except NhirxError:
        grey = None
    if grey is None:
        return b"", 0, 0
    height, width = grey.shape
    picture = Image.fromarray(grey)
    if max(width, height) > _PREVIEW:
        picture.thumbnail((_PREVIEW, _PREVIEW))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue(), width, height

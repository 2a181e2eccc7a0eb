"""The review list of a batch (``nhirx batch review``): its pages, their pictures, and what a person decides about each."""

from __future__ import annotations

import getpass
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from fastapi import Path as PathParameter

from nhirx.batch.words import REVIEW, TRIED
from nhirx.counter.api_scans import picture_of
from nhirx.counter.callers import Caller, Present, TheDesk
from nhirx.counter.models import ReviewBody, ReviewKept, ReviewList, ReviewPage
from nhirx.errors import NhirxError, ThingMissing
from nhirx.roc import TAIPEI

router = APIRouter(prefix="/review", tags=["review"])
Name = Annotated[str, PathParameter(max_length=40, description="清單中的 name")]
_SHOWN = ("status", "visit_ids", "confidence", "reasons", "error", "same_picture_as")
_KINDS = {".jpg": "image/jpeg", ".png": "image/png"}


@router.get("", operation_id="getReview", summary="需要人工查看的頁 The pages for a person")
def review_list(
    desk: TheDesk,
    caller: Present,  # noqa: ARG001
    start: Annotated[int, Query(ge=0, le=10**9)] = 0,
    limit: Annotated[int, Query(ge=0, le=100_000)] = 5000,
) -> ReviewList:
    """只有以 ``nhirx batch review OUT`` 開啟時才有內容，否則回 404。 There with ``nhirx batch review OUT`` only; else 404."""
    review = desk.review
    found = review.state()
    items = [
        {
            "name": item.name,
            "why": item.why,
            "path": _text(item.path),
            "page": item.page,
            "decision": told["decision"] if (told := review.decision(item.name)) else None,
        }
        for item in review.items()[start : start + limit]
    ]
    return ReviewList(folder=_text(review.out.resolve().name), items=items, **{name: found[name] for name in _COUNTS})


_COUNTS = ("pages", "review", "open", "by_decision")


@router.get("/{name}", operation_id="getReviewPage", summary="清單中的一頁：讀到什麼、試過什麼 One page: what was read and tried")
def review_page(name: Name, desk: TheDesk, caller: Present) -> ReviewPage:  # noqa: ARG001
    """含完整的識別碼，供人核對。 The visit IDs are whole: a person compares them with the paper."""
    review = desk.review
    scan, told = review.scan(name), review.decision(name)
    why = scan["review"]["why"] if scan["review"] else "several"
    zh, en, do_zh, do_en = REVIEW[why]
    codes = [{key: code[key] for key in ("kind", "symbology", "text")} for code in scan["codes"] if code["kind"] == "visit-id"]
    ids = told["visit_ids"] if told else scan["visit_ids"]
    shown: dict[str, Any] = {key: scan.get(key) for key in _SHOWN} | {"codes": codes}
    if error := scan.get("error"):
        shown["error"] = {key: _text(str(error[key])) for key in ("code", "zh", "en")}
    if other := scan["same_picture_as"]:
        shown["same_picture_as"] = _page(other)
    return ReviewPage(
        name=name, why=why, zh=zh, en=en, do_zh=do_zh, do_en=do_en,
        path=_text(scan["path"]), page=scan["page"], scan=shown,
        tried=[{"zh": one[0], "en": one[1]} for one in TRIED] if scan["status"] in ("unreadable", "none") else [],
        decision=None if told is None else told | {"path": _text(told["path"])},
        same=[_page(one) for one in review.same(name, ids)],
    )  # fmt: skip


@router.get(
    "/{name}/picture",
    operation_id="getReviewPicture",
    summary="這一頁的影像 The picture of the page",
    response_class=Response,
    responses={200: {"content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in _KINDS.values()}}},
)
def review_picture(name: Name, desk: TheDesk, caller: Present) -> Response:  # noqa: ARG001
    review = desk.review
    if (path := review.picture(name)) is not None:
        return Response(path.read_bytes(), media_type=_KINDS[path.suffix])
    scan = review.scan(name)
    if not (data := _drawn(Path(scan["path"]), scan["page"])):
        raise ThingMissing(what="這一頁的影像 / picture of this page")
    return Response(data, media_type="image/jpeg")


@router.post("/{name}", operation_id="postReview", summary="決定這一頁 Decide about the page")
def decide(name: Name, body: ReviewBody, desk: TheDesk, caller: Present) -> ReviewKept:
    """寫入 ``decisions.jsonl`` 後才回答；同一頁可再次決定，以最後一次為準。 On the disk before it is answered; the last decision of a page holds."""
    review, by = desk.review, _by(caller)
    told = review.decide(
        name,
        body.decision,
        by=by,
        at=datetime.fromtimestamp(desk.options.now(), TAIPEI),
        visit_ids=body.visit_ids,
        cause=body.cause,
        note=body.note,
    )
    desk.host.outbox.note("review", who=by, subject="page", page=name, decision=body.decision, cause=body.cause)
    same = [_page(one) for one in review.same(name, told["visit_ids"])]
    return ReviewKept(decision=told | {"path": _text(told["path"])}, same=same, open=review.state()["open"])


def _by(caller: Caller) -> str:
    """The operator or program; before there are operators, the account of this computer."""
    if caller.session is None or caller.session.operator:
        return caller.by
    return account()


def account() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "counter"


def _drawn(path: Path, page: int) -> bytes:
    """The page from its file, where that is still there: pages with several sheets have no picture among those of the batch."""
    from nhirx_scanner import files

    try:
        with closing(files.pages(path, page, 1)) as pages:
            found = next(pages, None)
            return b"" if found is None else picture_of(found)[0]
    except (NhirxError, OSError, ValueError):
        return b""


def _page(one: dict[str, Any]) -> dict[str, Any]:
    return {"path": _text(one["path"]), "page": one["page"]}


def _text(text: str) -> str:
    """A file name with bytes that are no text cannot be sent as it is."""
    return text.encode("utf-8", "backslashreplace").decode()

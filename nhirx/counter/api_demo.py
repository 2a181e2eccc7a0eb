"""What only the demo has: the sample sheets, for somebody without a camera or a printer at hand."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from nhirx.counter.callers import Present, TheDesk
from nhirx.demo import sample
from nhirx.errors import ThingMissing

router = APIRouter(prefix="/demo", tags=["state"])


@router.get(
    "/sheet.jpg",
    operation_id="getDemoSheet",
    summary="示範用的處方箋影像（僅 --demo） The sample sheet, with --demo only",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {"schema": {"type": "string", "format": "binary"}}}}},
)
def sheet(
    desk: TheDesk,
    caller: Present,  # noqa: ARG001
    number: Annotated[
        int,
        Query(ge=1, le=2, description="1：會被接受；2：會被退回，練習更正 1 is accepted; 2 comes back, to practise a correction"),
    ] = 1,
) -> Response:
    if not desk.options.demo:
        raise ThingMissing(
            what="示範用的處方箋（請以 nhirx counter --demo 啟動） / sample sheet: start with `nhirx counter --demo`"
        )
    return Response(sample("demo-sheet.jpg" if number == 1 else "demo-sheet-2.jpg").read_bytes(), media_type="image/jpeg")

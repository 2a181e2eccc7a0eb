"""What only the demo has: the sample sheet, for somebody without a camera or a printer at hand."""

from __future__ import annotations

from fastapi import APIRouter, Response

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
def sheet(desk: TheDesk, caller: Present) -> Response:  # noqa: ARG001
    if not desk.options.demo:
        raise ThingMissing(
            what="示範用的處方箋（請以 nhirx counter --demo 啟動） / sample sheet: start with `nhirx counter --demo`"
        )
    return Response(sample("demo-sheet.jpg").read_bytes(), media_type="image/jpeg")

"""The state of the counter in one answer, and the background upload."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter

from nhirx import __version__
from nhirx.counter.callers import Known, Present, TheDesk
from nhirx.counter.models import StateAnswer, WorkerBody, WorkerState
from nhirx.i18n import language
from nhirx.identifiers import mask_id
from nhirx.outbox import lists
from nhirx.settings import Settings

router = APIRouter(tags=["state"])
_NEEDED = ("pharmacy.institution", "pharmacy.pharmacist", "record.medical_category")
_JOURNAL = ("unfinished", "held")


@router.get("/state", operation_id="getState", summary="調劑台的狀態 State of the counter")
def state(desk: TheDesk, caller: Known) -> StateAnswer:
    """讀卡機、背景上傳、各狀態筆數、本月異常比例、缺少的設定與外掛。鎖定時也可讀取（不含個資）。

    Reader, upload, counts, share of abnormal records, missing settings, plugins. Answered while locked: nothing personal in it.
    """
    host = desk.host
    counts = host.outbox.counts()
    own = host.settings.pharmacy
    return StateAnswer(
        version=__version__,
        started=desk.started,
        language="zh" if language() == "zh" else "en",
        pharmacy={"institution": own.institution, "pharmacist": mask_id(own.pharmacist) if own.pharmacist else None},
        demo=desk.options.demo,
        review=desk.options.review is not None,
        operator=caller.session.operator if caller.session else caller.by,
        locked=caller.locked,
        clock=host.clock().isoformat(timespec="seconds"),
        reader=desk.reader.state(),  # type: ignore[arg-type]
        worker=desk.sender.state(),  # type: ignore[arg-type]
        counts={
            "queue": {name: number for name, number in counts.items() if name not in _JOURNAL},
            "journal": {name: counts[name] for name in _JOURNAL},
        },
        b_share=b_share(desk),
        b_line=desk.host.settings.counter.b_line,
        settings_missing=[name for name in _NEEDED if _value(host.settings, name) is None],
        plugins=[
            {"name": one.name, "state": one.status, "zh": one.problem_zh, "en": one.problem_en} for one in host.plugins.statuses
        ],
    )


@router.post("/worker", operation_id="postWorker", summary="背景上傳：立即送出、暫停、恢復 The background upload")
def worker(body: WorkerBody, desk: TheDesk, caller: Present) -> WorkerState:
    """``send-now`` 略過等待與暫停立即傳送並查詢結果。 ``send-now`` sends at once whatever the wait or pause."""
    acts = {"send-now": desk.sender.send_now, "pause": desk.sender.pause, "resume": desk.sender.resume}
    acts[body.action]()
    desk.host.outbox.note(f"worker-{body.action}", who=caller.by)
    return WorkerState.model_validate(desk.sender.state())


def b_share(desk: Any) -> dict[str, int]:
    """Records of this month with an abnormal serial, and all. The upload kinds come from the table."""
    now: datetime = desk.host.clock()
    found = lists.kinds(desk.host.outbox, first=now.replace(day=1, hour=0, minute=0, second=0, microsecond=0))
    from nhirx.tables.load import code_rows

    abnormal = {code for code, row in code_rows("upload_kinds").items() if row.attribute("abnormal") == "yes"}
    return {"b": sum(number for kind, number in found.items() if kind in abnormal), "all": sum(found.values())}


def _value(settings: Settings, name: str) -> object:
    value: Any = settings
    for part in name.split("."):
        value = getattr(value, part)
    return value

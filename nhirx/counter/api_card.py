"""Whose card is in the reader."""

from __future__ import annotations

from fastapi import APIRouter

from nhirx.counter.callers import Present, TheDesk
from nhirx.counter.desk import Desk
from nhirx.counter.models import CardAnswer, HolderShown, Identity, RevealBody
from nhirx.errors import CardBusy
from nhirx.identifiers import mask_id
from nhirx.model import Holder

router = APIRouter(tags=["card"])


@router.get("/card", operation_id="getCard", summary="讀卡機裡是誰的卡（遮蔽） Whose card is in the reader, masked")
def card(desk: TheDesk, caller: Present) -> CardAnswer:
    """``matches`` 與同一呼叫者最近一次試算的病人比對；調劑時會重新讀卡核對。

    ``matches`` compares with the patient of the same caller's last plan. It proves nothing: a dispensing reads the card again.
    """
    try:
        holder = _read(desk, patience=0.2)
    except CardBusy:
        return CardAnswer(holder=None, matches=None, busy=True)
    patient = desk.patients.get(caller.id)
    return CardAnswer(holder=shown(holder), matches=None if patient is None else holder.national_id == patient)


@router.post("/card/read", operation_id="postCardRead", summary="讀取完整身分以帶入表單 Read the identity for a form")
def read(body: RevealBody, desk: TheDesk, caller: Present) -> Identity:  # noqa: ARG001
    """記入稽核紀錄。 Noted in the audit trail."""
    holder = _read(desk, patience=None)
    desk.host.outbox.note("card-reveal", who=caller.by, why="form")
    born = holder.birth_date.isoformat() if holder.birth_date else None
    return Identity(national_id=holder.national_id, birth_date=born, name=holder.name)


def shown(holder: Holder) -> HolderShown:
    name = holder.name
    last = name[-1] if len(name) > 2 else ""
    return HolderShown(
        name=name[:1] + "○" * (len(name) - 1 - len(last)) + last,
        national_id=mask_id(holder.national_id),
        birth_date=f"{holder.birth_date.year}-**-**" if holder.birth_date else None,
        sex=holder.sex,
    )


def _read(desk: Desk, *, patience: float | None) -> Holder:
    if (seen := desk.reader.holder) is not None:
        return seen
    with desk.at_card(patience):
        return desk.host.holder_reader.read_holder()

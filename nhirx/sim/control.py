"""Control software 6.0 as a local service: it holds reader, SAM and professional card, and only signs.

Paths and members are those of the one public client; ``statusCode`` 0 is success and every answer comes with HTTP 200.
Source: field-notes §5.1, §5.2.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nhirx.sim.book import Refusal, service, status
from nhirx.sim.people import HPC_ID, HPC_PIN
from nhirx.sim.world import Slot, World

Body = dict[str, Any]
Handler = Callable[[Body], Body]

_SAM_READY, _HPC_CARD, _HPC_READY = 2, 1, 3


class ControlSoftware:
    """The local endpoints. ``routes`` maps (method, path) to a handler of the JSON body."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.routes: dict[tuple[str, str], Handler] = {
            ("GET", "/api/common/v1/Status"): self.status,
            ("POST", "/api/common/v1/Initial"): self.initial,
            ("POST", "/api/common/v1/Finalize"): self.finalize,
            ("POST", "/api/sam/v1/Verification"): self.verify_sam,
            ("POST", "/api/sam/v1/Signature"): self.sign_sam,
            ("POST", "/api/hc/v1/Signature/Hc"): self.sign_hc,
            ("POST", "/api/hc/v1/Signature/HpcHc"): self.sign_hpc_hc,
            ("POST", "/api/hpc/v1/Signature"): self.sign_hpc,
            ("POST", "/api/hc/v1/Pin"): self.verify_pin,
            ("PUT", "/api/hc/v1/Pin"): self.set_pin,
            ("DELETE", "/api/hc/v1/Pin"): self.disable_pin,
            ("DELETE", "/api/hc/v1/Logout"): self.forget_card,
            ("POST", "/api/hpc/v1/Verification/Hpc"): self.verify_hpc,
            ("POST", "/api/hpc/v1/Pin"): self.change_hpc_pin,
            ("PUT", "/api/hpc/v1/Pin"): self.change_hpc_pin,
            ("DELETE", "/api/hpc/v1/Logout"): self.forget_hpc,
            ("POST", "/api/hc/v1/VirtualHc/ReadBasic"): self.read_virtual,
            ("POST", "/api/hc/v1/Verification/VirtualHc"): self.use_virtual,
        }

    # ── common ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def status(self, _: Body) -> Body:
        world = self._world
        hpc = _HPC_READY if world.hpc_verified else _HPC_CARD if world.hpc_present else 0
        return {
            "status": {
                "initialized": world.initialised,
                "sam": {"status": _SAM_READY if world.sam_verified else 0},
                "hpc": {"status": hpc},
                "hc": {"status": 0 if world.slot.person is None else 1},
            }
        }

    def initial(self, body: Body) -> Body:
        world = self._world
        if world.initialised:
            raise Refusal("already-initialised")
        if body.get("name") not in (None, "", world.sam_id) and not str(body["name"]).upper().startswith("COM"):
            raise Refusal("bad-parameter")
        world.initialised = True
        return {}

    def finalize(self, _: Body) -> Body:
        self._started()
        world = self._world
        world.initialised = world.sam_verified = world.hpc_verified = False
        world.slot.pin_verified = False
        return {}

    # ── security module and signatures ───────────────────────────────────────────────────────────────────────────────

    def verify_sam(self, _: Body) -> Body:
        self._started()
        self._world.sam_verified = True
        return {}

    def sign_sam(self, body: Body) -> Body:
        return self._sign("sam", body)

    def sign_hc(self, body: Body) -> Body:
        return self._sign("hc", body, card=True)

    def sign_hpc_hc(self, body: Body) -> Body:
        return self._sign("hpchc", body, card=True, hpc=True)

    def sign_hpc(self, body: Body) -> Body:
        return self._sign("hpc", body, hpc=True)

    def _sign(self, kind: str, body: Body, *, card: bool = False, hpc: bool = False) -> Body:
        world = self._world
        self._ready()
        wanted = str(body.get("serviceType") or "")
        if wanted not in {service(name) for name in ("read", "write", "number", "update", "test-card", "upload")}:
            raise Refusal("bad-parameter")
        parties = {"hospitalId": world.institution, "samId": world.sam_id}
        if card:
            person = world.card()
            parties |= {"hcId": person.card_number, "hcIdNo": person.national_id}
        if hpc:
            if world.behaviour.enforce_hpc and not world.hpc_verified:
                raise Refusal("hpc-not-verified")
            parties |= {"hpcId": HPC_ID, "hpcIdNo": world.pharmacist}
        return world.signer.sign_request(kind, wanted, dict(parties))

    # ── the patient's card ───────────────────────────────────────────────────────────────────────────────────────────

    def verify_pin(self, body: Body) -> Body:
        person = self._physical()
        if person.pin is None:
            raise Refusal("pin-unset")
        if str(body.get("pin")) != person.pin:
            raise Refusal("pin-wrong")
        self._world.slot.pin_verified = True
        return {}

    def set_pin(self, body: Body) -> Body:
        new = str(body.get("newPin") or "")
        person = self._physical()
        if not new.isdecimal():
            raise Refusal("bad-parameter")
        self._world.insert(replace(person, pin=new))
        self._world.slot.pin_verified = True
        return {}

    def disable_pin(self, _: Body) -> Body:
        person = self._physical()
        if person.pin and not self._world.slot.pin_verified:
            raise Refusal("pin-needed")
        self._world.insert(replace(person, pin=None))
        return {}

    def forget_card(self, _: Body) -> Body:
        """A card in the reader stays there; a virtual card is gone and the reader shows what is really in it."""
        slot = self._world.slot
        self._world.slot = Slot() if slot.virtual else Slot(slot.person)
        return {}

    def _physical(self) -> Any:
        self._ready()
        slot = self._world.slot
        if slot.person is None:
            raise Refusal("card-absent")
        if slot.virtual:
            raise Refusal("physical-only")
        return slot.person

    # ── the professional card ────────────────────────────────────────────────────────────────────────────────────────

    def verify_hpc(self, body: Body) -> Body:
        self._ready()
        if not self._world.hpc_present or str(body.get("pin")) != HPC_PIN:
            raise Refusal("hpc-not-verified")
        self._world.hpc_verified = True
        return {}

    def change_hpc_pin(self, _: Body) -> Body:
        """Taken and ignored: the sandbox has one professional card with one PIN."""
        self._ready()
        return {}

    def forget_hpc(self, _: Body) -> Body:
        self._world.hpc_verified = False
        return {}

    # ── the virtual card ─────────────────────────────────────────────────────────────────────────────────────────────

    def read_virtual(self, body: Body) -> Body:
        self._ready()
        person = self._world.take_token(str(body.get("token") or ""), spend=False)
        return {
            "cardId": person.card_number,
            "name": person.name,
            "idNo": person.national_id,
            "birthday": person.birthday,
            "sex": person.sex,
            "identityStatus": "1",
        }

    def use_virtual(self, body: Body) -> Body:
        self._ready()
        person = self._world.take_token(str(body.get("token") or ""), spend=True)
        self._world.slot = Slot(person, virtual=True)
        return {}

    # ── state ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _started(self) -> None:
        if not self._world.initialised:
            raise Refusal("not-initialised")

    def _ready(self) -> None:
        self._started()
        if not self._world.sam_verified:
            raise Refusal("sam-not-verified")


def answer(handler: Handler, body: Body) -> Body:
    """``handler``'s answer with its ``statusCode``; a refusal is an answer too."""
    try:
        return {"statusCode": status("ok")} | handler(body)
    except Refusal as refusal:
        return {"statusCode": status(refusal.name)}

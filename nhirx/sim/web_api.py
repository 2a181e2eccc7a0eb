"""The Web API of upload format 2.0: take a file, give a receipt, judge, give the result when asked later.

Source: field-notes §5.2, §5.3 of the upload format. Member names are taken in any capitals, as public programs spell them
in two ways. The path of the download with control software 6.0 is not published; it follows the older one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from nhirx.sim import inbox, results
from nhirx.sim.bench import Bench
from nhirx.sim.book import Refusal, book, return_code, service
from nhirx.sim.judge import Verdict, code_of, effect_of, judge
from nhirx.sim.world import World

Body = dict[str, Any]
_LOWER = {"ssamid": "samId", "shospid": "hospitalId", "sclientrandom": "clientRandom", "ssignature": "signature"}


class WebApi:
    """Upload and download, under both published base paths."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._asked: dict[str, int] = {}
        # Goes on after a restart, so that no second ever holds one receipt twice.
        self._serial = world.ledger.counts.get("upload", 0)
        self.routes = {("POST", f"/V{number}000/VNHI_Upload"): self.upload for number in (1, 2)} | {
            ("POST", f"/V{number}000/VNHI_Download"): self.download for number in (1, 2)
        }

    def upload(self, body: Body) -> Body:
        world = self._world
        members = self._admit(body)
        mode = members.get("stype", "")
        if mode not in book()["mode"].values():
            raise Refusal("wrong-mode")
        data = inbox.decode(members.get("spatdata", ""))
        if data is None:
            raise Refusal("other")
        file = inbox.read(data)
        modes = book()["mode"]
        with world.lock:
            bench = Bench.of(world)
            now = bench.now
            verdicts = judge(file, bench)
            self._serial += 1
            opcode = f"{now:%Y%m%d%H%M%S}{self._serial % 1_000_000:06d}{world.institution}{world.sam_id}"
            event = {
                "event": "upload",
                "opcode": opcode,
                "at": now.isoformat(),
                "mode": mode,
                "kept": mode == modes["formal"],
                "institution": world.institution,
                "sam_id": world.sam_id,
                "size": file.size,
                "sha256": hashlib.sha256(data).hexdigest(),
                "received": len(file.records),
                "received_orders": sum(len(verdict.record.orders) for verdict in verdicts),
                "valid_details": sum(verdict.state != "rejected" for verdict in verdicts),
                "valid_orders": sum(len(verdict.record.orders) for verdict in verdicts if verdict.state != "rejected"),
                "invalid_details": sum(verdict.state == "rejected" for verdict in verdicts),
                "file_errors": [{"field": note.field, "code": code_of(note)} for note in file.notes],
                "records": [_as_event(verdict) for verdict in verdicts],
            }
            # Under the lock: two uploads of one record are kept in the order in which they were judged.
            world.ledger.append(event)
        return {"Opcode": opcode}

    def download(self, body: Body) -> Body:
        members = self._admit(body)
        opcode = members.get("sopcode", "")
        upload = self._world.ledger.upload(opcode)
        if members.get("stype", "") not in book()["mode"].values():
            raise Refusal("wrong-mode")
        if upload is None:
            raise Refusal("other")
        if members.get("ssamid") != upload["sam_id"]:
            raise Refusal("wrong-sam")
        behaviour = self._world.behaviour
        asked = self._asked.get(opcode, 0)
        early = self._world.clock() < datetime.fromisoformat(upload["at"]) + timedelta(seconds=behaviour.result_seconds)
        if early or asked < behaviour.result_polls:
            self._asked[opcode] = asked + 1
            raise Refusal("not-ready")
        while len(self._asked) > 100_000:
            self._asked.pop(next(iter(self._asked)))
        return {
            "Opcode": opcode,
            "Tx_result_json": results.as_json(upload, list_accepted=behaviour.list_accepted),
            "Tx_result_txt": results.as_text(upload) or "",
        }

    def _admit(self, body: Body) -> dict[str, str]:
        """The members by their small-letter names, once the signature was verified and spent."""
        members = {str(name).lower(): value for name, value in body.items()}
        if not all(isinstance(value, str) for value in members.values()):
            raise Refusal("other")
        if members.get("shospid") != self._world.institution:
            raise Refusal("institution-unknown")
        self._world.signer.use("sam", service("upload"), {ours: members.get(theirs, "") for theirs, ours in _LOWER.items()})
        if members.get("ssamid") != self._world.sam_id:
            raise Refusal("wrong-sam")
        return members


def answer(handler: Callable[[Body], Body], body: Body) -> Body:
    """``handler``'s answer with its ``RtnCode``; a refusal is an answer too."""
    try:
        return {"RtnCode": return_code("ok")} | handler(body)
    except Refusal as refusal:
        return {"RtnCode": return_code(refusal.name)}


def _as_event(verdict: Verdict) -> dict[str, Any]:
    record = verdict.record
    content = json.dumps([record.fields, record.orders], sort_keys=True, ensure_ascii=False)
    return {
        "n": record.n,
        "visit_id": record.get("M15"),
        "state": verdict.state,
        "digest": hashlib.sha256(content.encode()).hexdigest(),
        "fields": record.fields,
        "orders": record.orders,
        "errors": [
            {"field": note.field, "order": note.order, "code": code_of(note), "effect": effect_of(note)} for note in verdict.notes
        ],
    }

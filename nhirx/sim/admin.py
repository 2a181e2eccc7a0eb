"""The simulator's own endpoints below ``/sim/``: put a card in, make something fail, look at the ledger, turn the clock."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, fields, replace
from datetime import datetime
from typing import Any

from nhirx import roc
from nhirx.errors import InvalidValue
from nhirx.sim.faults import KINDS, Faults
from nhirx.sim.people import PEOPLE, Person
from nhirx.sim.world import Behaviour, World

Body = dict[str, Any]

CARD_STATES = ("present", "absent", "expired", "pin", "wrong-person", "virtual")


class Admin:
    """Answers with what it did; a wrong call raises ``InvalidValue``, which the server turns into HTTP 400."""

    def __init__(self, world: World, faults: Faults) -> None:
        self._world, self._faults = world, faults
        self.routes: dict[tuple[str, str], Callable[[Body], Body]] = {
            ("GET", "/sim/state"): self.state,
            ("GET", "/sim/card"): self.card,
            ("POST", "/sim/card"): self.set_card,
            ("POST", "/sim/token"): self.token,
            ("GET", "/sim/people"): self.people,
            ("POST", "/sim/fail"): self.fail,
            ("DELETE", "/sim/fail"): self.clear_faults,
            ("POST", "/sim/clock"): self.clock,
            ("POST", "/sim/settings"): self.settings,
            ("POST", "/sim/hpc"): self.hpc,
            ("POST", "/sim/check"): self.check,
            ("GET", "/sim/ledger"): self.ledger,
        }

    def state(self, _: Body) -> Body:
        world = self._world
        return {
            "institution": world.institution,
            "sam_id": world.sam_id,
            "pharmacist": world.pharmacist,
            "clock": world.clock().isoformat(),
            "initialised": world.initialised,
            "sam_verified": world.sam_verified,
            "hpc": {"present": world.hpc_present, "verified": world.hpc_verified},
            "card": self.card({})["card"],
            "settings": asdict(world.behaviour),
            "faults": self._faults.waiting(),
            "fault_kinds": {kind: {"carried_out": done, "seen": seen} for kind, (done, seen) in KINDS.items()},
            "ledger": world.ledger.counts,
        }

    def card(self, _: Body) -> Body:
        slot = self._world.slot
        return {"card": None if slot.person is None else _shown(slot.person) | {"virtual": slot.virtual}}

    def set_card(self, body: Body) -> Body:
        state = body.get("state", "present")
        default = self._world.slot.person or PEOPLE[0]
        named = next((one for one in self._world.people.values() if one.national_id == body.get("national_id")), default)
        person = Person.from_json(body | ({"card_number": named.card_number} if named is not default else {}), named)
        match state:
            case "absent":
                self._world.remove()
            case "present":
                self._world.insert(person)
            case "expired":
                self._world.insert(replace(person, expired=True))
            case "pin":
                self._world.insert(replace(person, pin=str(body.get("pin", "123456"))))
            case "wrong-person":
                other = next(one for one in PEOPLE if one.national_id != default.national_id)
                self._world.insert(Person.from_json(body, other) if "national_id" in body else other)
            case "virtual":
                self._world.insert(person, virtual=True)
            case _:
                raise InvalidValue(what="state", problem="one of " + ", ".join(CARD_STATES))
        return self.card({})

    def token(self, body: Body) -> Body:
        default = next((one for one in self._world.people.values() if one.national_id == body.get("national_id")), PEOPLE[0])
        return {"token": self._world.make_token(Person.from_json(body, default) if "birth_date" in body else default)}

    def people(self, _: Body) -> Body:
        return {"people": [_shown(person) for person in self._world.people.values()]}

    def fail(self, body: Body) -> Body:
        self._faults.add(
            str(body.get("path", "*")),
            str(body.get("kind", "")),
            times=int(body.get("times", 1)),
            code=body.get("code"),
            seconds=None if body.get("seconds") is None else float(body["seconds"]),
            after=int(body.get("after", 0)),
        )
        return {"faults": self._faults.waiting()}

    def clear_faults(self, _: Body) -> Body:
        self._faults.clear()
        return {"faults": []}

    def clock(self, body: Body) -> Body:
        clock = self._world.clock
        if "set" in body:
            clock.set(_moment(body["set"]))
        if "stop" in body:
            clock.stop(_moment(body["stop"]))
        if "advance" in body:
            clock.advance(float(body["advance"]))
        if body.get("reset"):
            clock.reset()
        return {"clock": clock().isoformat()}

    def settings(self, body: Body) -> Body:
        known = {item.name: type(getattr(self._world.behaviour, item.name)) for item in fields(Behaviour)}
        for name, value in body.items():
            if name not in known or isinstance(value, bool) != (known[name] is bool):
                raise InvalidValue(what=str(name), problem="one of " + ", ".join(known))
            setattr(self._world.behaviour, name, known[name](value))
        return {"settings": asdict(self._world.behaviour)}

    def hpc(self, body: Body) -> Body:
        world = self._world
        world.hpc_present = body.get("state", "present") != "absent"
        world.hpc_verified = body.get("state") == "verified"
        return {"hpc": {"present": world.hpc_present, "verified": world.hpc_verified}}

    def check(self, body: Body) -> Body:
        """Judge an XML text without sending it: nothing is stored, no signature is needed."""
        from nhirx.sim import inbox
        from nhirx.sim.bench import Bench
        from nhirx.sim.judge import code_of, effect_of, judge

        data = str(body.get("xml", "")).encode("cp950", "replace")
        file = inbox.read(data)
        verdicts = judge(file, Bench.of(self._world))
        return {
            "file_errors": [{"field": note.field, "code": code_of(note)} for note in file.notes],
            "records": [
                {
                    "n": verdict.record.n,
                    "state": verdict.state,
                    "errors": [
                        {"field": note.field, "order": note.order, "code": code_of(note), "effect": effect_of(note)}
                        for note in verdict.notes
                    ],
                }
                for verdict in verdicts
            ],
        }

    def ledger(self, _: Body) -> Body:
        ledger = self._world.ledger
        return {"summary": ledger.summary(), "issued": ledger.issued(), "records": ledger.records()}


def _moment(value: object) -> datetime:
    return roc.parse_datetime(str(value))


def _shown(person: Person) -> Body:
    return {
        "national_id": person.national_id,
        "name": person.name,
        "birth_date": person.birthday,
        "sex": person.sex,
        "card_number": person.card_number,
        "expired": person.expired,
        "pin": person.pin,
        "visits_left": person.visits_left,
    }

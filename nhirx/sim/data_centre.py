"""The NHIA's data centre: everything that control software 6.0 does not answer itself.

Each call carries a signature made for it, used once; the card is the one that signed. Source: field-notes §5.3, §5.4.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from nhirx import roc
from nhirx.errors import InvalidValue
from nhirx.identifiers import NationalId
from nhirx.sim.book import Refusal, book
from nhirx.sim.ledger import Event
from nhirx.sim.people import Person
from nhirx.sim.world import World

Body = dict[str, Any]


class DataCentre:
    """The remote endpoints; same shape as ``ControlSoftware``."""

    def __init__(self, world: World) -> None:
        self._world = world
        paths: dict[str, Callable[[Body], Body]] = {
            "/api/v1/BasicData/Query": self.basic,
            "/api/v1/BasicData/Register": self.register,
            "/api/v1/BasicData/Register2": self.register_short,
            "/api/v1/EmergentTel/Query": self.telephone,
            "/api/v1/HcContent/Update": self.update,
            "/api/v1/Treatment/NoNeedHPC": self.treatments,
            "/api/v1/Treatment/NeedHPC": self.treatments_hpc,
            "/api/v1/CriticalIllness/Query": self.illnesses,
            "/api/v1/Prescription/Query": self.prescriptions,
            "/api/v1/SequelNumber/Next": self.next_number,
            "/api/v1/SequelNumber/Rollback": self.roll_back,
            "/api/v1/TreatmentNumber/Card": self.number_of_card,
            "/api/v1/TreatmentNumber/NoCard": self.number_without_card,
            "/api/v1/Treatment/WriteCodeFee": self.write_codes,
            "/api/v1/Prescription/Write": self.write_orders,
            "/api/v1/TeleMedicine/RequestToken": self.request_token,
            "/api/v1/TeleMedicine/ResponseToken": self.response_token,
        }
        self.routes = {("POST", path): handler for path, handler in paths.items()}
        self._last_day: dict[str, str] = {}

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def basic(self, body: Body) -> Body:
        person = self._card("hc", "read", body)
        return {
            "cardSn": person.card_number,
            "name": person.name,
            "idCardNum": person.national_id,
            "birthday": person.birthday,
            "sex": person.sex,
            "dateIssue": roc.format_date(person.issued_on),
            "cancelTermination": "1",
        }

    def register(self, body: Body) -> Body:
        answer = self.basic(body)
        person = self._world.people[answer["cardSn"]]
        return answer | self._validity(person) | {"insurerCode": "1", "insurerId": "1", "newbornBirthday": "", "newbornBaby": ""}

    def register_short(self, body: Body) -> Body:
        return self._validity(self._card("hc", "read", body))

    def _validity(self, person: Person) -> Body:
        ends = self._world.clock().date() + timedelta(days=-1 if person.expired else 365)
        return {"cardValidity": roc.format_date(ends), "treatmentCounter": str(person.visits_left)}

    def telephone(self, body: Body) -> Body:
        self._card("hc", "read", body)
        return {"tel": "0912345678"}

    def update(self, body: Body) -> Body:
        person = self._card("hc", "update", body)
        self._world.renew(person.card_number)
        return {}

    def treatments(self, body: Body) -> Body:
        self._card("hc", "read", body)
        return {"criticalIllnesses": [], "treatments": []}

    def treatments_hpc(self, body: Body) -> Body:
        self._card("hpchc", "read", body)
        return {"criticalIllnesses": [], "treatments": []}

    def illnesses(self, body: Body) -> Body:
        self._card("hpchc", "read", body)
        return {"criticalIllnesses": []}

    def prescriptions(self, body: Body) -> Body:
        self._card("hpchc", "read", body)
        return {"outpatientPrescriptions": []}

    # ── visit numbers ────────────────────────────────────────────────────────────────────────────────────────────────

    def next_number(self, body: Body) -> Body:
        world = self._world
        person = self._card("hc", "number", body)
        category = str(body.get("treatmentItem") or "").strip()
        if len(category) != 2:
            raise Refusal("bad-parameter")
        numbered = category in book()["visit"]["numbered"]
        if numbered and person.visits_left < 1:
            raise Refusal("no-visits-left")
        virtual = world.slot.virtual and world.slot.person == person
        # A category that does not count has no number of the year: the answer is null, as at the NHIA.
        serial = f"{int(world.clock().strftime('%j')):04d}" if numbered else None
        visit_id, moment = world.issue(
            "virtual-card" if virtual else "card",
            person.national_id,
            card_number=person.card_number,
            category=category,
            make_up=str(body.get("afterCheck") or "").strip(),
            serial=serial,
        )
        visited_at = roc.format_datetime(moment)
        same_day = self._last_day.get(person.card_number) == visited_at[:7]
        self._last_day[person.card_number] = visited_at[:7]
        return {
            "treatmentDateTime": visited_at,
            "sequenceNumber": serial,
            "hospitalId": world.institution,
            "signature": world.signer.visit(
                sam=world.sam_id,
                card=person.card_number,
                holder=person.national_id,
                institution=world.institution,
                visited_at=visited_at,
                visit_id=visit_id,
            ),
            "samId": world.sam_id,
            "isSameDay": same_day,
            "treatmentNumber": visit_id,
        }

    def roll_back(self, body: Body) -> Body:
        person = self._card("hc", "number", body)
        event = self._taken(person, body)
        if event["serial"] is None:
            raise Refusal("rollback-category")
        if self._world.ledger.is_rolled_back(event["visit_id"]):
            raise Refusal("rollback-twice")
        self._world.ledger.append({"event": "rolled-back", "at": self._world.clock().isoformat(), "visit_id": event["visit_id"]})
        return {}

    def number_of_card(self, body: Body) -> Body:
        return {"treatmentNumber": self._taken(self._card("hc", "number", body), body)["visit_id"]}

    def number_without_card(self, body: Body) -> Body:
        self._world.spend("sam", "number", body)
        try:
            patient = NationalId.parse(str(body.get("patientId") or "")).value
        except InvalidValue:
            raise Refusal("bad-parameter") from None
        visit_id, moment = self._world.issue("no-card", patient)
        return {
            "treatmentDateTime": roc.format_datetime(moment),
            "hospitalId": self._world.institution,
            "treatmentNumber": visit_id,
        }

    def _taken(self, person: Person, body: Body) -> Event:
        """The number of this card at the time that the request names."""
        visited_at = str(body.get("treatmentDateTime") or "").strip()
        if roc.is_datetime(visited_at):
            event = self._world.ledger.number(person.card_number, roc.parse_datetime(visited_at).isoformat())
            if event is not None:
                return event
        raise Refusal("visit-not-found")

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def write_codes(self, body: Body) -> Body:
        self._taken(self._card("hc", "write", body), body)
        return {}

    def write_orders(self, body: Body) -> Body:
        world = self._world
        person = self._card("hc", "write", body)
        visit_id = self._taken(person, body)["visit_id"]
        visited_at = str(body["treatmentDateTime"]).strip()
        lines = body.get("prescriptions")
        if not isinstance(lines, list) or not lines or len(lines) > 60 or not all(isinstance(line, dict) for line in lines):
            raise Refusal("bad-parameter")
        signed = [
            world.signer.order(
                holder=person.national_id,
                visited_at=visited_at,
                code=str(line.get("treatmentItemCode") or ""),
                usage=str(line.get("usage") or ""),
                days=line.get("days"),
                total=line.get("totalQuantity"),
            )
            for line in lines
        ]
        world.ledger.append({"event": "orders", "at": world.clock().isoformat(), "visit_id": visit_id, "lines": len(lines)})
        return {
            "signatureItems": [base64.b64encode(one).decode() for one in signed],
            "hexSignatureItems": [one.hex().upper() for one in signed],
        }

    # ── tele-medicine ────────────────────────────────────────────────────────────────────────────────────────────────

    def request_token(self, body: Body) -> Body:
        self._world.spend("sam", "read", body)
        wanted = str(body.get("patientId") or "")
        person = next((one for one in self._world.people.values() if one.national_id == wanted), None)
        if person is None:
            raise Refusal("bad-parameter")
        return {"accessToken": self._world.make_token(person)}

    def response_token(self, body: Body) -> Body:
        self._world.spend("sam", "read", body)
        person = self._world.take_token(str(body.get("accessToken") or ""), spend=True)
        return {"virtualCardToken": self._world.make_token(person)}

    # ── the card behind a signature ──────────────────────────────────────────────────────────────────────────────────

    def _card(self, kind: str, purpose: str, body: Body) -> Person:
        self._world.spend(kind, purpose, body)
        person = self._world.known(str(body.get("hcId") or ""))
        if person is None:
            raise Refusal("card-cancelled")
        # Only numbers are refused to an expired card: the manual names the code with those calls, not with readings.
        if person.expired and purpose == "number":
            raise Refusal("card-expired")
        return person

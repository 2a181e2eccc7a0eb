"""One request to dispense: once per key, the picture of an illegible sheet kept, a failed card turned into a choice of reasons."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nhirx.counter.api_plan import facts_of
from nhirx.counter.api_state import b_share
from nhirx.counter.callers import Caller
from nhirx.counter.desk import Desk
from nhirx.counter.kept import Illegible
from nhirx.counter.models import DispenseBody
from nhirx.counter.once import Note
from nhirx.counter.sender import record_event
from nhirx.counter.shown import dispensing_page
from nhirx.errors import AbnormalReasonNeeded, CheckFailed, DispensingUnfinished, NhirxError, PlanBlocked, RequestInvalid
from nhirx.model import Facts
from nhirx.outbox import Dispensing
from nhirx.outbox.states import UNFINISHED
from nhirx.tables.check_codes import described
from nhirx.tables.fields import field_words
from nhirx.tables.load import code_rows
from nhirx.tables.reader_codes import abnormal_serials


def told_error(field_and_code: str) -> dict[str, Any]:
    """``M49:D060`` with its words and what to do about it."""
    field, _, code = field_and_code.partition(":")
    name_zh, name_en = field_words(field)
    return described(field, code, severity="error").model_dump(mode="json") | {"name_zh": name_zh, "name_en": name_en}


@dataclass(slots=True)
class Request:
    desk: Desk
    caller: Caller
    body: DispenseBody
    key: str | None

    def run(self) -> dict[str, Any]:
        """The dispensing, done now or by an earlier request of the same key. Raises what ``Host.dispense`` raises and more."""
        if self.key is None:
            return self._fresh()
        with self.desk.once.alone(self.key):
            return self._earlier(self.key) or self._fresh()

    # ── asked before ─────────────────────────────────────────────────────────────────────────────────────────────────

    def _earlier(self, key: str) -> dict[str, Any] | None:
        """What the same request did before. Raises ``DispensingUnfinished`` for one that stopped in the middle."""
        note = self.desk.once.find(key)
        if note is None:
            return None
        if note.request != self._digest():
            raise RequestInvalid(where="Idempotency-Key", problem="同一個鍵已用於另一個要求 / the key belongs to another request")
        begun = note.dispensing if note.dispensing is not None else self._begun_after(note.newest)
        if begun is None:
            return None
        found = self.desk.host.outbox.journal.dispensing(begun)
        if found.state in UNFINISHED:
            raise DispensingUnfinished(id=begun, state=found.state)
        if found.state == "abandoned" and note.dispensing is None and found.reading is None:
            # The card said no and nothing was taken: as if it had never been asked.
            return None
        return self._told(begun, {"filled": "queued"}.get(found.state, found.state), found.plan)

    def _begun_after(self, newest: int) -> int | None:
        """The dispensing that this request began before a stop: this person's newest, of this very prescription."""
        mine = json.loads(self.body.prescription.model_dump_json())
        for one in self._of_person():
            if one.id > newest and one.prescription == mine:
                return one.id
        return None

    def _of_person(self) -> list[Dispensing]:
        return self.desk.host.outbox.journal.of_person(self.body.prescription.patient.national_id)

    def _digest(self) -> str:
        text = json.dumps(self.body.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)
        return self.desk.host.outbox.ring.hash(text, "request")

    # ── now ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _fresh(self) -> dict[str, Any]:
        desk, body = self.desk, self.body
        facts = facts_of(body, desk, scan=body.illegible is None)
        if facts.card.state == "failed" and facts.card.abnormal_serial is None:
            raise self._reason_needed(facts)
        newest = max((one.id for one in self._of_person()), default=0)
        if self.key is not None:
            desk.once.keep(self.key, Note(self._digest(), newest))
        picture = self._keep_picture()
        begun: int | None = None
        try:
            with desk.at_card():
                done = desk.host.dispense(
                    body.prescription,
                    facts,
                    confirmed=body.confirmed,
                    settles=body.settles,
                    virtual_token=body.virtual_token,
                )
            begun = done.id
        except NhirxError as error:
            begun = self._left_open(newest)
            if begun is not None:
                error.detail["dispensing"] = begun
                desk.hub.tell({"type": "dispensing", "id": begun, "state": "unfinished"})
            elif self.key is not None:
                desk.once.forget(self.key)
            raise self._shown(error, facts) from None
        finally:
            self._settle_picture(picture, begun)
        if begun is None:
            return {"id": None, "state": done.state, "plan": done.plan.as_json(), "record_id": None}
        if self.key is not None:
            desk.once.keep(self.key, Note(self._digest(), newest, begun))
        # What a person took upon themselves: the sheet was compared, the card is not asked and why, a number that only they could read.
        taken = {"confirmed": body.confirmed, "card": facts.card.state, "abnormal": facts.card.abnormal_serial}
        desk.host.outbox.note("dispense", who=self.caller.by, subject="journal", subject_id=begun, **taken)
        desk.sender.wake()
        desk.hub.tell({"type": "dispensing", "id": begun, "state": done.state})
        if done.queued is not None:
            desk.hub.tell(record_event(done.queued, "built", None, begun))
        warnings = [one.model_dump(mode="json") for one in done.checked]
        return self._told(begun, done.state, done.plan.as_json()) | {"checked": warnings}

    def _told(self, begun: int, state: str, plan: Any) -> dict[str, Any]:
        outbox = self.desk.host.outbox
        return dispensing_page(outbox, outbox.journal.dispensing(begun)) | {"state": state, "plan": plan}

    def _left_open(self, newest: int) -> int | None:
        return next((one.id for one in self._of_person() if one.id > newest and one.state in UNFINISHED), None)

    # ── a card that does not work ────────────────────────────────────────────────────────────────────────────────────

    def _reason_needed(self, facts: Facts) -> AbnormalReasonNeeded:
        """A person says that the card failed: which reasons fit is found out by asking it."""
        desk = self.desk
        try:
            with desk.at_card():
                desk.host.holder_reader.read_holder()
        except NhirxError as error:
            fitting, cause = abnormal_serials(error), error.code
        else:
            fitting, cause = (), "card-works"
        others = [
            code
            for code, row in code_rows("abnormal_serials").items()
            if row.attribute("status") != "true" and row.attribute("own")
        ]
        return self._candidates(cause, fitting, [*fitting, *(code for code in others if code not in fitting)])

    def _candidates(self, cause: str, fitting: tuple[str, ...], codes: list[str]) -> AbnormalReasonNeeded:
        rows = code_rows("abnormal_serials")
        listed = [
            {
                "code": code,
                "zh": rows[code].zh if code in rows else code,
                "en": rows[code].en if code in rows else code,
                "source": rows[code].source if code in rows else None,
                "suggested": code in fitting,
            }
            for code in codes
        ]
        words = {
            "zh": f"請由藥師確認原因並選擇異常就醫序號（{'、'.join(codes[:4])}…），或排除後重新讀卡（{cause}）。",
            "en": f"A pharmacist has to choose the abnormal serial that fits, or mend it and read the card again ({cause}).",
        }
        return AbnormalReasonNeeded(**words, cause=cause, candidates=listed, b_share=b_share(self.desk))

    def _shown(self, error: NhirxError, facts: Facts) -> NhirxError:
        """The error with what the page needs to go on."""
        if isinstance(error, AbnormalReasonNeeded):
            fitting = tuple(error.detail["candidates"])
            told = self._candidates(error.detail["cause"], fitting, list(fitting))
            told.detail |= {key: value for key, value in error.detail.items() if key == "dispensing"}
            return told
        if isinstance(error, PlanBlocked):
            plan = self.desk.host.plan(facts, self.body.prescription)
            error.detail["findings"] = [finding.model_dump(mode="json") for finding in plan.findings]
        if isinstance(error, CheckFailed):
            error.detail["errors"] = [told_error(one) for one in error.detail.get("errors", ())]
        return error

    # ── a sheet that nobody can read ─────────────────────────────────────────────────────────────────────────────────

    def _keep_picture(self) -> Path | None:
        declared = self.body.illegible
        if declared is None:
            return None
        ref = self.body.scan_ref
        picture = self.desk.shelf.get(ref).picture if ref else None
        kept = Illegible(declared.cause, declared.note, self.caller.by, self.desk.host.clock(), picture or None)
        return self.desk.pictures.keep(kept)

    def _settle_picture(self, picture: Path | None, dispensing: int | None) -> None:
        if picture is None:
            return
        if dispensing is None:
            self.desk.pictures.drop(picture)
            return
        self.desk.pictures.belongs(picture, dispensing)
        cause = self.body.illegible.cause if self.body.illegible else ""
        self.desk.host.outbox.note("illegible", who=self.caller.by, subject="journal", subject_id=dispensing, cause=cause)

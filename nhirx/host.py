"""Host: the one place that knows the order of the steps (``docs/architecture.md``, "One prescription").

Every step can be called on its own, so a counter page shows each as it happens, and ``dispense`` calls them in order. What
must not be lost is on disk before the next step begins: the intent before the card is asked, the visit number the moment
it is there, the record and its place in the queue in one transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Self

from nhirx import resolver
from nhirx.card.base import ControlSoftware, HolderReader
from nhirx.dispensing import Dispensing
from nhirx.errors import (
    AbnormalReasonNeeded,
    CardAbsent,
    CardError,
    PlanBlocked,
    TransitionRefused,
    TransportError,
    UnconfirmedReading,
    VisitIdNotMade,
    WrongCard,
    WrongSheet,
)
from nhirx.identifiers import VisitId
from nhirx.model import CardFacts, CardReading, Facts, Holder, MakeUpFacts, Pharmacy, Prescription, UploadPlan
from nhirx.parts import Parts
from nhirx.records.check import check_record
from nhirx.records.once import passed
from nhirx.rehearsal import WITH_CARD, rehearse, stop_on_errors
from nhirx.roc import TAIPEI
from nhirx.settings import Settings
from nhirx.tables.reader_codes import abnormal_serials

if TYPE_CHECKING:
    from nhirx_scanner import Scan, Scanner

    from nhirx.card_watch import CardWatch, Seen
    from nhirx.outbox import Outbox
    from nhirx.plugin.manager import Plugins
    from nhirx.upload.worker import Worker

_DAYS_AROUND = timedelta(days=120)
"""How far around a dispensing the plugins are asked for closed days: longer than any window of the rules."""

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(TAIPEI)


class Host:
    """One pharmacy counter. Parts that are not given are made from ``settings`` when they are first needed.

    Safe to use from several threads, except that one card is asked by one dispensing at a time.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        outbox: Outbox | None = None,
        plugins: Plugins | None = None,
        control: ControlSoftware | None = None,
        reader: HolderReader | None = None,
        scanner: Scanner | None = None,
        clock: Clock = _now,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self._parts = Parts(settings, clock, outbox=outbox, plugins=plugins, control=control, reader=reader, scanner=scanner)
        self._at_the_card = threading.Lock()

    # ── parts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def outbox(self) -> Outbox:
        return self._parts.outbox

    @property
    def plugins(self) -> Plugins:
        return self._parts.plugins

    @property
    def control(self) -> ControlSoftware:
        return self._parts.control

    @property
    def holder_reader(self) -> HolderReader | ControlSoftware:
        """Who tells whose card it is: the reader of the settings, else the control software."""
        return self._parts.reader or self.control

    def worker(self) -> Worker:
        """The sender of this host's outbox; news reaches the plugins."""
        from nhirx.news import News
        from nhirx.upload.client import UploadClient
        from nhirx.upload.worker import Worker

        client = UploadClient(self.settings, self.control.upload_signature)
        return Worker(self.outbox, client, clock=self.clock, settings=self.settings, notify=News(self.outbox, self.plugins))

    def watch_cards(self, seen: Seen | None = None) -> CardWatch:
        """Tell plugins and ``seen`` of cards put in and taken out, from its ``start`` to its ``stop`` (or use it with ``with``)."""
        from nhirx.card_watch import CardWatch

        return CardWatch(self.plugins, seen)

    def close(self) -> None:
        """Let go of card, database and plugins. What was begun is in the journal."""
        self._parts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ── the steps ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def scan(self, path: Path) -> list[Scan]:
        """Read every page of a file; the plugins hear of each."""
        from nhirx.plugin.second_look import second_look

        scans = second_look(self._parts.scanner.scan_file(path), path, self.plugins.decoders)
        for scan in scans:
            self.plugins.prescription_scanned(scan)
        return scans

    def find_prescription(self, scan: Scan) -> Prescription | None:
        """What the pharmacy's plugins know of this sheet: their own copy, else what a code on the sheet says."""
        if found := self.plugins.find_prescription(scan):
            return found
        for code in scan.codes:
            if code.kind in {"prescription-qr", "other"} and (read := self.plugins.parse_code(code.text, code.symbology)):
                return read
        return None

    def facts(
        self,
        prescription: Prescription,
        *,
        scan: Scan | None = None,
        confirmed: bool = False,
        at: datetime | None = None,
        card: CardFacts | None = None,
        make_up: MakeUpFacts | None = None,
    ) -> Facts:
        """What the resolver needs, from the settings, the prescription and the sheet.

        A visit ID that was scanned goes before the one in the pharmacy's copy when that has none; when both are there and
        differ, ``WrongSheet`` is raised: one of the two belongs to another visit and only a person can tell which. An ID
        that only text recognition saw needs a person's word (``confirmed``), else ``UnconfirmedReading``.
        """
        sheet = prescription.sheet
        scanned = scan.visit_id if scan else None
        if scanned and scan is not None and scan.confidence == "ocr" and not confirmed:
            raise UnconfirmedReading
        if scanned and sheet.visit_id and VisitId.is_valid(sheet.visit_id) and VisitId.parse(sheet.visit_id).value != scanned:
            raise WrongSheet
        if scanned and not sheet.visit_id:
            sheet = sheet.model_copy(update={"visit_id": scanned, "visit_id_state": "read"})
        own = self.settings.pharmacy
        return Facts(
            dispensed_at=at or self.clock(),
            pharmacy=Pharmacy(
                institution=self.settings.require("pharmacy.institution"),
                pharmacist=self.settings.require("pharmacy.pharmacist"),
                newly_contracted=own.newly_contracted,
                format2_since=own.format2_since,
            ),
            patient=prescription.patient,
            prescription=sheet,
            card=card or CardFacts(),
            make_up=make_up,
        )

    def plan(self, facts: Facts, prescription: Prescription | None = None) -> UploadPlan:
        """What the rules say, and what the plugins have to say of it."""
        day = facts.dispensed_at.date()
        closed = self.plugins.calendar(day - _DAYS_AROUND, day + _DAYS_AROUND)
        calendar = resolver.read_calendar(self.settings.rules.calendar_file).with_closed(closed.days)
        # No day: a record from before the go-live follows the rules of the go-live, not those of its own day.
        plan = resolver.plan(facts, settings=self.settings, calendar=calendar)
        lines = resolver.order_findings(plan, prescription) if prescription is not None else ()
        more = (*closed.findings, *lines, *self.plugins.check(plan, prescription))
        return plan.model_copy(update={"findings": (*plan.findings, *more)}) if more else plan

    def identify(
        self, facts: Facts, *, reference: str | None = None, confirmed: bool = False, control: ControlSoftware | None = None
    ) -> Holder:
        """Who is in the reader: the patient, and the person inside the visit ID, or ``WrongCard``.

        The person inside the ID is derived knowledge, so a pharmacist who has compared the papers may go on with
        ``confirmed``. A card of another person than the patient stops always. ``control`` is a virtual card's, where one is used.
        """
        holder = (control or self.holder_reader).read_holder()
        patient = facts.patient
        if holder.national_id != patient.national_id:
            raise WrongCard(which="健保卡≠處方 / card ≠ prescription")
        if holder.birth_date is not None and holder.birth_date != patient.birth_date:
            raise WrongCard(which="出生日期不符 / birth dates differ")
        text = facts.prescription.visit_id
        inside = VisitId.parse(text).belongs_to(holder.national_id) if text and VisitId.is_valid(text) else None
        # A newborn is seen on a relative's card, while the prescriber may have used the child's own number.
        if inside is False and not confirmed and patient.newborn is None:
            raise WrongCard(which="健保卡≠就醫識別碼內的身分 / card ≠ person inside the visit ID", confirmable=True)
        self.plugins.card_read(holder, reference)
        return holder

    def dispense(
        self,
        prescription: Prescription,
        facts: Facts,
        *,
        confirmed: bool = False,
        settles: int | None = None,
        virtual_token: str | None = None,
    ) -> Dispensing:
        """All steps from the plan to the outbox. When it returns, what it says is on disk.

        ``virtual_token`` is the text of the patient's virtual card code (kind ``virtual-card`` of a scan), used once and never
        kept: its card takes the place of the one in the reader.

        Raises ``PlanBlocked``, ``CheckFailed``, ``SettingMissing`` and ``WrongCard`` before anything is taken from the card;
        ``AbnormalReasonNeeded`` when the card failed and nobody has said why (call again with ``facts.card``);
        ``CheckFailed`` with the journal's number when what the card gave makes the record wrong (it stays unfinished there).
        """
        plan = self.plan(facts, prescription)
        if plan.blocking or not plan.ok:
            raise PlanBlocked(findings="、".join(finding.code for finding in plan.blocking), count=len(plan.blocking))
        if plan.action == "none":
            return Dispensing(id=None, state="none", plan=plan)
        if plan.action == "upload":
            rehearse(plan, facts, prescription, self.settings)
        holder: Holder | None = None
        with self._at_the_card:
            try:
                control = self._parts.virtual_card(virtual_token) if virtual_token else None
                if plan.call == WITH_CARD:
                    holder = self.identify(facts, reference=prescription.reference, confirmed=confirmed, control=control)
                begun = self.outbox.journal.open(plan, prescription, facts, settles=settles)
                reading = self._take(begun, plan, facts, prescription, holder, control)
            except (CardError, TransportError) as error:
                declared = self._declared(error, facts)
            else:
                if plan.action == "hold":
                    return Dispensing(id=begun, state="held", plan=plan, reading=reading)
                signatures = self._write(begun, facts, prescription, holder, reading, control)
                return self._finish(begun, plan, facts, prescription, holder, reading, signatures)
        return self.dispense(prescription, declared, confirmed=confirmed, settles=settles)

    def resume(self, dispensing: int, *, write_again: bool | None = None, confirmed: bool = False) -> Dispensing:
        """Go on with a dispensing that was stopped after the card gave its number.

        From ``numbered`` the orders are written now, so the card must be in the reader again. From ``writing`` nobody knows
        whether they stand on the card: a person says with ``write_again``. False leaves the card alone and sends the record
        without order signatures, which the NHI keeps with a warning; it may be chosen from ``numbered`` too.

        Raises ``TransitionRefused`` when no number is known (begin anew, or close it), or when the person's word is missing.
        """
        kept = self.outbox.journal.dispensing(dispensing)
        undecided = kept.state == "writing" and write_again is None
        if kept.state not in {"numbered", "writing", "written"} or undecided or kept.plan is None:
            raise TransitionRefused(state=kept.state, event="resume")
        plan = UploadPlan.model_validate(kept.plan)
        prescription = Prescription.model_validate(kept.prescription)
        facts = Facts.model_validate(kept.facts)
        signatures = kept.signatures or ()
        holder: Holder | None = None
        with self._at_the_card:
            if kept.state != "written" and write_again is not False and plan.call == WITH_CARD:
                holder = self.identify(facts, reference=prescription.reference, confirmed=confirmed)
                signatures = self._write(dispensing, facts, prescription, holder, kept.reading)
            return self._finish(dispensing, plan, facts, prescription, holder, kept.reading, signatures)

    def give_back(self, dispensing: int, *, by: str) -> bool:
        """Give the visit number back and close the dispensing, decided by a named person; False where it cannot be given back.

        Raises ``TransitionRefused`` when the dispensing holds no number.
        """
        kept = self.outbox.journal.dispensing(dispensing)
        if kept.reading is None or kept.state not in {"numbered", "writing", "written"}:
            raise TransitionRefused(state=kept.state, event="give-back")
        with self._at_the_card:
            if not self.control.roll_back(kept.reading):
                return False
        self.outbox.journal.abandon(dispensing, "given back", by=by)
        return True

    # ── inside a dispensing ───────────────────────────────────────────────────────────────────────────────────────────

    def _take(
        self,
        begun: int,
        plan: UploadPlan,
        facts: Facts,
        prescription: Prescription,
        holder: Holder | None,
        control: ControlSoftware | None,
    ) -> CardReading | None:
        """The visit number, or the ID without a card, on disk before anything else is done with it."""
        try:
            if plan.call == WITH_CARD:
                reading = (control or self.control).visit_number(
                    visit_category=plan.fields["M07"] or "",
                    make_up=facts.make_up is not None,
                    newborn_mark=plan.fields.get("M10") or " ",
                    holder=holder,
                )
            elif plan.call is not None:
                reading = self.control.no_card_id(facts.patient.national_id)
            else:
                return None
        except (CardError, WrongCard) as error:
            # The control software said no: nothing was taken. After a TransportError, or when only the ID could not be made,
            # that is not known, so then the journal keeps the dispensing open, for a person to see.
            if not isinstance(error, VisitIdNotMade):
                self.outbox.journal.abandon(begun, error.code)
            raise
        if plan.action == "hold":
            self.outbox.journal.hold(begun, reading)
        else:
            self.outbox.journal.numbered(begun, reading)
        self.plugins.visit_number_issued(reading, prescription.reference)
        return reading

    def _declared(self, error: CardError | TransportError, facts: Facts) -> Facts:
        """The facts with the reason that a person declared through a plugin, or ``AbnormalReasonNeeded``."""
        if facts.card.state != "present" or isinstance(error, CardAbsent):
            raise error
        fitting = abnormal_serials(error)
        chosen = self.plugins.choose_abnormal_reason(fitting, error if isinstance(error, CardError) else None, facts)
        if chosen is None:
            raise AbnormalReasonNeeded(cause=error.code, candidates=list(fitting)) from error
        return facts.model_copy(update={"card": CardFacts(state="failed", abnormal_serial=chosen)})

    def _write(
        self,
        begun: int,
        facts: Facts,
        prescription: Prescription,
        holder: Holder | None,
        reading: CardReading | None,
        control: ControlSoftware | None = None,
    ) -> tuple[str, ...]:
        """The orders on the card, one signature each; nothing where there is no card to write to."""
        if holder is None or reading is None:
            return ()
        orders = resolver.card_orders(prescription, facts)
        if not orders:
            return ()
        self.outbox.journal.writing(begun)
        try:
            signatures = (control or self.control).write_orders(reading, holder, orders)
        except WrongCard:
            self.outbox.journal.not_written(begun)
            raise
        self.outbox.journal.written(begun, signatures)
        return signatures

    def _finish(
        self,
        begun: int,
        plan: UploadPlan,
        facts: Facts,
        prescription: Prescription,
        holder: Holder | None,
        reading: CardReading | None,
        signatures: tuple[str, ...],
    ) -> Dispensing:
        """From what the card gave to the record in the outbox."""
        record = resolver.fill(plan, reading, prescription, signatures, settings=self.settings)
        found = check_record(record, today=facts.dispensed_at.date())
        stop_on_errors(found, begun)
        queued = self.outbox.journal.filled_and_queued(begun, record)
        passed.note(record, facts.dispensed_at.date())
        self.plugins.dispensed(record, prescription, prescription.reference)
        self.plugins.record_queued(record, prescription.reference)
        return Dispensing(
            id=begun,
            state="queued",
            plan=plan,
            holder=holder,
            reading=reading,
            record=record,
            checked=tuple(found),
            queued=queued,
        )

"""nhirx-fhir: electronic prescriptions (EP bundles) in, dispensing documents (DS bundles) out.

The exchange service itself is not public: documents come from and go to folders, and a program that may talk to the service
moves them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from nhirx import Finding, Prescription, hookimpl
from nhirx.errors import FileDamaged, SettingInvalid
from nhirx.i18n import say
from nhirx.roc import TAIPEI
from nhirx_fhir.counter import Extra, Shop
from nhirx_fhir.document import Document, NotABundle
from nhirx_fhir.folder import Inbox, Outbox
from nhirx_fhir.read import Electronic, Unreadable, read

_log = logging.getLogger("nhirx.plugin.fhir")
_OPTION = "plugins.options.fhir"
_FOLDERS = ("inbox", "outbox")
_SHOP = ("name", "phone", "address", "pharmacist", "certificate", "service_code")


class Fhir:
    """Idle until ``inbox`` is set."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(TAIPEI)) -> None:
        self._now = now
        self._inbox: Inbox | None = None
        self._outbox: Outbox | None = None
        self._shop = Shop()
        self._wait = True

    @hookimpl
    def nhirx_configure(self, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - {*_FOLDERS, *_SHOP, "write"}):
            raise SettingInvalid(setting=_OPTION, problem=f"沒有這個選項 / no such option: {', '.join(unknown)}")
        for name in _FOLDERS:
            if name in options and not Path(options[name]).is_dir():
                raise SettingInvalid(setting=f"{_OPTION}.{name}", problem=f"沒有這個資料夾 / no such folder: {options[name]}")
        if options.get("write", "accepted") not in {"accepted", "dispensed"}:
            raise SettingInvalid(setting=f"{_OPTION}.write", problem="accepted | dispensed")
        try:
            self._shop = Shop.model_validate({name: options[name] for name in _SHOP if name in options})
        except ValidationError as error:
            raise SettingInvalid(
                setting=f"{_OPTION}.{error.errors()[0]['loc'][0]}", problem="須為文字 / text is needed"
            ) from None
        self._inbox = Inbox(Path(options["inbox"])) if "inbox" in options else None
        self._outbox = Outbox(Path(options["outbox"])) if "outbox" in options else None
        self._wait = options.get("write", "accepted") == "accepted"

    @hookimpl
    def nhirx_find_prescription(self, scan: Any) -> Prescription | None:
        """Of several prescriptions of one visit, the first that was not dispensed here yet."""
        if self._inbox is None or not scan.visit_id:
            return None
        found = self._inbox.by_visit_id(scan.visit_id)
        waiting = [each for each in found if not self._is_done(each)]
        chosen = next(iter(waiting or found), None)
        return chosen.prescription if chosen else None

    @hookimpl
    def nhirx_parse_code(self, text: str) -> Prescription | None:
        """A whole bundle as text: from a reader of the electronic prescription's own code, or handed over by a program."""
        if not text.lstrip().startswith("{"):
            return None
        try:
            found = read(Document.parse(text))
        except (NotABundle, Unreadable):
            return None
        return found[0].prescription if len(found) == 1 else None

    @hookimpl
    def nhirx_check(self, prescription: Prescription | None) -> Iterator[Finding]:
        if prescription is None or (found := self._known(prescription.reference)) is None:
            return
        yield from _findings(found, prescription)
        yield from _validity(found, self._now().astimezone(TAIPEI).date())
        if self._outbox is not None:
            from nhirx_fhir.write import lacks

            extra, damaged = self._extra(found.number)
            missing = damaged or lacks(found, self._shop, extra)
            if missing:
                zh, en = "、".join(zh for zh, _ in missing), "; ".join(en for _, en in missing)
                yield _finding(
                    "fhir-document-incomplete", "warn", f"調劑單張還缺：{zh}。", f"The dispensing document still lacks: {en}."
                )

    @hookimpl
    def nhirx_dispensed(self, record: Any, prescription: Prescription, reference: str | None) -> None:
        if self._outbox is None or self._inbox is None or (found := self._known(reference)) is None:
            return
        from nhirx_fhir.strict import validated
        from nhirx_fhir.write import Incomplete, dispensing_document

        extra, damaged = self._extra(found.number)
        try:
            if damaged:
                raise Incomplete(damaged)
            bundle = dispensing_document(found, prescription, record, self._shop, extra, self._inbox.path)
        except Incomplete as error:
            _log.error("調劑單張未產生，缺少 dispensing document not written, it lacks: %s", error)
            return
        refill = prescription.sheet.refill
        self._outbox.write(found.number, refill.number if refill else extra.fill, validated(bundle), wait=self._wait)

    @hookimpl
    def nhirx_record_accepted(self, record: Any, reference: str | None) -> None:
        if self._outbox is not None and reference is not None:
            self._outbox.release(reference, record.visit_id)

    @hookimpl
    def nhirx_register_commands(self) -> Mapping[str, Callable[..., Any]]:
        def fhir_check(
            files: Annotated[list[Path], typer.Argument(help="電子處方箋 EP Bundle (JSON)")],
        ) -> int:
            """讀電子處方箋並說明讀到什麼 read electronic prescriptions and say what was understood"""
            return int(not min(map(_show, files)))

        return {"fhir-check": fhir_check}

    def _known(self, reference: str | None) -> Electronic | None:
        return self._inbox.by_number(reference) if self._inbox is not None and reference else None

    def _is_done(self, found: Electronic) -> bool:
        refill = found.prescription.sheet.refill
        return self._outbox is not None and self._outbox.is_there(found.number, refill.number if refill else None)

    def _extra(self, number: str) -> tuple[Extra, list[tuple[str, str]]]:
        """The supplement, or what is wrong with it."""
        try:
            return (self._inbox.supplement(number) if self._inbox else Extra()), []
        except FileDamaged as error:
            return Extra(), [(error.zh, error.en)]


def _findings(found: Electronic, prescription: Prescription) -> Iterator[Finding]:
    if found.cancelled:
        yield _finding(
            "fhir-cancelled",
            "block",
            "這張電子處方箋已由處方院所註銷，不可調劑。",
            "The prescriber has cancelled this prescription.",
        )
    if found.is_refill and prescription.sheet.refill is None:
        yield _finding(
            "fhir-refill-number",
            "block",
            "這是慢性病連續處方箋，但電子處方箋沒有寫明本次是第幾次領藥：請填入領藥次數。",
            "A refillable prescription does not say which fill this is: enter it.",
        )
    if found.self_paid and not prescription.orders:
        yield _finding(
            "fhir-self-paid", "block", "全部藥品為自費，沒有健保資料可上傳。", "Every line is paid by the patient: no NHI record."
        )
    elif found.self_paid:
        zh, en = (
            f"有 {found.self_paid} 項自費藥品，不列入健保上傳。",
            f"{found.self_paid} line(s) are paid by the patient and left out.",
        )
        yield _finding("fhir-self-paid", "info", zh, en)
    if found.combined:
        yield _finding(
            "fhir-combined",
            "warn",
            "同次就醫另有須一併調劑的處方箋（一般與管制藥品須在同一處調劑）。",
            "Another prescription of this visit has to be dispensed at the same place.",
        )


def _validity(found: Electronic, today: date) -> Iterator[Finding]:
    """The days that the document itself names. Only a warning: hospitals count them differently, and the rules decide."""
    first, last = found.valid
    if (first and today < first) or (last and today > last):
        zh = f"電子處方箋寫明的有效期間為 {first or '…'} 至 {last or '…'}，今天不在其中。"
        yield _finding(
            "fhir-validity", "warn", zh, f"The document says it is valid from {first or '…'} to {last or '…'}: not today."
        )


def _finding(code: str, severity: Any, zh: str, en: str) -> Finding:
    return Finding(code=code, severity=severity, zh=zh, en=en)


def _show(file: Path) -> bool:
    if not file.is_file():
        typer.echo(f"{file.name}: {say('沒有這個檔案', 'no such file')}", err=True)
        return False
    try:
        found = read(Document.parse(file.read_bytes()))
    except NotABundle as error:
        typer.echo(f"{file.name}: {error}", err=True)
        return False
    except Unreadable as error:
        typer.echo(f"{file.name}: {say('缺少或無法辨識', 'missing or unreadable')}: {error}", err=True)
        return False
    for each in found:
        orders = len(each.prescription.orders)
        words = [each.kind, say(f"{orders} 項藥品", f"{orders} line(s)")]
        words += [say(zh, en) for there, zh, en in _marks(each) if there]
        typer.echo(f"{file.name}: {each.number}  {' · '.join(filter(None, words))}")
    return True


def _marks(found: Electronic) -> list[tuple[Any, str, str]]:
    return [
        (found.cancelled, "已註銷", "cancelled"),
        (found.self_paid, f"自費 {found.self_paid} 項", f"{found.self_paid} self-paid"),
        (found.combined, "須合併調劑", "to be dispensed together"),
        (found.allowed and found.allowed > 1, f"可調劑 {found.allowed} 次", f"{found.allowed} fills"),
        (not found.prescription.sheet.visit_id, "無就醫識別碼", "no visit ID"),
    ]


__all__ = ["Fhir"]

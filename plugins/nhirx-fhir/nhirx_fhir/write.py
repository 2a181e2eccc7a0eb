"""The dispensing document (DS bundle) of one electronic prescription that was dispensed. Strict: complete, or not written.

Where the guide leaves a choice open, this writer has made one (field-notes, pharmacy workflow §3.3):

- both visit IDs stand under the guide's visit-identifier system; ``use`` tells them apart (``old`` the prescriber's,
  ``official`` this pharmacy's), and the prescriber's comes first;
- the way of dispensing is left out: the guide's list ends before the pharmacies' value, and the element is optional;
- total days are a Quantity, as the extension says, not the whole number that its examples send.

Resources are named by UUIDs made from the visit ID of the dispensing: written twice, a document is the same to the byte.
"""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from nhirx import Prescription, roc
from nhirx.model import UploadRecord
from nhirx_fhir import names
from nhirx_fhir.counter import Extra, Shop
from nhirx_fhir.document import Resource, dig, identifiers, text
from nhirx_fhir.lines import Line, pair
from nhirx_fhir.read import Electronic, institution_of, visit_id_of

_LOINC = "http://loinc.org"
_UCUM = "http://unitsofmeasure.org"
_PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_ROOT = uuid.UUID("6f1e6c2c-3b51-5d0c-9f39-8a5f3a1f7d41")


class Incomplete(ValueError):
    """The document cannot be written; ``lacks`` names every part, in Chinese and English."""

    def __init__(self, lacks: list[tuple[str, str]]) -> None:
        self.lacks = lacks
        super().__init__("; ".join(f"{zh} / {en}" for zh, en in lacks))


def lacks(found: Electronic, shop: Shop, extra: Extra) -> list[tuple[str, str]]:
    """What is missing before anything is dispensed: known from the prescription, the options and the file beside it."""
    needed: list[tuple[object, str, str]] = [
        (shop.name, "藥局名稱（選項 name）", "name of the pharmacy (option name)"),
        (shop.phone, "藥局電話（選項 phone）", "its telephone (option phone)"),
        (shop.address, "藥局地址（選項 address）", "its address (option address)"),
        (shop.pharmacist, "藥師姓名（選項 pharmacist）", "name of the pharmacist (option pharmacist)"),
        (
            shop.service_code or extra.service_code or any(order.kind == "service-fee" for order in found.prescription.orders),
            "藥事服務代碼（service_code）",
            "code of the service (service_code)",
        ),
        (extra.copayment_code, "部分負擔代碼（copayment_code）", "copayment code (copayment_code)"),
    ]
    document = found.document
    patient, encounter = document.first("Patient"), document.first("Encounter")
    doctor, hospital = document.first("Practitioner"), _hospital(found)
    needed += [
        (dig(patient, "name"), "病人姓名", "name of the patient"),
        (patient.get("gender"), "病人性別", "sex of the patient"),
        (dig(encounter, "serviceType"), "就醫科別", "department"),
        (dig(encounter, "class"), "案件分類", "case type"),
        (dig(encounter, "period", "start"), "門診日期", "day of the visit"),
        (dig(doctor, "name"), "醫師姓名", "name of the physician"),
        (dig(hospital, "name"), "處方院所名稱", "name of the prescribing institution"),
        (dig(hospital, "telecom", "value"), "處方院所電話", "its telephone"),
        (found.prescription.diagnoses, "診斷", "diagnosis"),
    ]
    if found.kind in names.CONTROLLED:
        needed += [
            (extra.recipient, "領藥者姓名、關係、電話（recipient）", "who collects (recipient)"),
            (extra.signature_file, "領藥者簽章（signature_file）", "signature of who collects (signature_file)"),
            (shop.certificate, "藥師證書字號（選項 certificate）", "pharmacist's certificate (option certificate)"),
            (identifiers(doctor), "醫師管制藥品使用執照號碼", "physician's controlled drug licence"),
            (dig(doctor, "telecom", "value"), "醫師電話", "physician's telephone"),
        ]
    if found.is_refill:
        needed.append((extra.fill or found.prescription.sheet.refill, "第幾次領藥（fill）", "which fill this is (fill)"))
    missing = [(zh, en) for there, zh, en in needed if not there]
    return missing + [lack for line in pair(found, found.prescription, extra) for lack in line.lacks()]


def dispensing_document(
    found: Electronic, prescription: Prescription, record: UploadRecord, shop: Shop, extra: Extra, folder: Path
) -> dict[str, Any]:
    """The DS bundle as JSON members. ``folder`` is where ``signature_file`` lies. Raises ``Incomplete``."""
    missing = lacks(found, shop, extra)
    lines = pair(found, prescription, extra)
    missing += [lack for line in lines for lack in line.lacks() if lack not in missing]
    if not lines:
        missing.append(("調劑的藥品", "a dispensed line"))
    if missing:
        raise Incomplete(missing)
    return _Writer(found, prescription, record, shop, extra, folder).bundle(lines)


class _Writer:
    def __init__(
        self, found: Electronic, prescription: Prescription, record: UploadRecord, shop: Shop, extra: Extra, folder: Path
    ) -> None:
        self._found, self._prescription, self._record = found, prescription, record
        self._shop, self._extra, self._folder = shop, extra, folder
        self._at = roc.parse_datetime(record.fields["M11"])
        self._entries: list[dict[str, Any]] = []

    def bundle(self, lines: list[Line]) -> dict[str, Any]:
        sections = self._sections(lines)
        composition = {
            "status": "final",
            "type": _concept(_LOINC, "29304-3", "Medication dispensed"),
            "subject": self._to("Patient"),
            "encounter": self._to("Encounter"),
            "date": self._at.isoformat(),
            "author": [self._to(name) for name in ("Hospital", "Pharmacy", "Physician", "Pharmacist")],
            "title": "調劑單張",
            "custodian": self._to("Pharmacy"),
            "section": sections,
        }
        self._add("Composition", "Composition", composition, first=True)
        return {
            "resourceType": "Bundle",
            "meta": {"profile": [f"{names.PROFILE}/Bundle-DS"]},
            "identifier": {"system": "urn:ietf:rfc:3986", "value": self._url("Bundle")},
            "type": "document",
            "timestamp": self._at.isoformat(),
            "entry": self._entries,
        }

    def _sections(self, lines: list[Line]) -> list[dict[str, Any]]:
        self._people()
        self._visit()
        conditions = self._conditions()
        drugs = [self._to(name) for line in lines for name in self._line(line)]
        self._add("ChargeItem", "ChargeItem", self._charge())
        sections = [
            _section("29762-2", "Social history Narrative", [self._to("Coverage")]),
            _section("29548-5", "Diagnosis Narrative", conditions),
            _section("29551-9", "Medication prescribed Narrative", [*drugs, self._to("ChargeItem")]),
        ]
        weight = self._found.document.first("Observation")
        if quantity := dig(weight, "valueQuantity"):
            observation = {
                "status": "final",
                "code": weight.get("code"),
                "subject": self._to("Patient"),
                "effectiveDateTime": weight.get("effectiveDateTime"),
                "valueQuantity": quantity,
            }
            self._add("Observation", "Observation", observation, profile="Observation-DS-BodyWeight")
            panel = "Vital signs, weight, height, head circumference, oxygen saturation and BMI panel"
            sections.append(_section("85353-1", panel, [self._to("Observation")]))
        if self._extra.signature_file is not None:
            self._add("Media", "Media", self._signature(self._extra.signature_file))
            sections.append(_section("85647-6", "", [self._to("Media")]))
        return sections

    # ── people, places, the visit ─────────────────────────────────────────────────────────────────────────────────────

    def _people(self) -> None:
        document, shop = self._found.document, self._shop
        person = document.first("Patient")
        patient: dict[str, Any] = {
            "extension": [{"url": names.AGE, "valueAge": {"value": self._age(), "system": _UCUM, "code": "a"}}],
            "identifier": [
                {
                    "use": "official",
                    "type": _concept("http://terminology.hl7.org/CodeSystem/v2-0203", "NNxxx"),
                    "system": "http://www.moi.gov.tw",
                    "value": self._prescription.patient.national_id,
                }
            ],
            "name": person.get("name"),
            "gender": person.get("gender"),
            "birthDate": self._prescription.patient.birth_date.isoformat(),
        }
        if recipient := self._extra.recipient:
            patient["contact"] = [
                {
                    "relationship": [{"text": recipient.relationship}],
                    "name": {"text": recipient.name},
                    "telecom": [{"system": "phone", "value": recipient.phone}],
                }
            ]
        self._add("Patient", "Patient", patient)
        hospital = _hospital(self._found)
        self._add("Hospital", "Organization", _organization(institution_of(document), hospital))
        own = {
            "name": shop.name,
            "telecom": [{"system": "phone", "value": shop.phone, "use": "work"}],
            "address": [{"use": "work", "text": shop.address}],
        }
        self._add("Pharmacy", "Organization", _organization(self._record.fields.get("M05", ""), own))
        doctor = document.first("Practitioner")
        kept = {name: doctor[name] for name in ("identifier", "name", "telecom") if doctor.get(name)}
        self._add("Physician", "Practitioner", kept)
        pharmacist: dict[str, Any] = {"name": [{"use": "official", "text": shop.pharmacist}]}
        if shop.certificate:
            pharmacist["qualification"] = [{"identifier": [{"value": shop.certificate}], "code": {"text": "藥師"}}]
        self._add("Pharmacist", "Practitioner", pharmacist)

    def _visit(self) -> None:
        encounter = self._found.document.first("Encounter")
        ids = [{"use": "old", "system": names.VISIT_ID, "value": visit_id_of(encounter)}] if visit_id_of(encounter) else []
        ids.append({"use": "official", "system": names.VISIT_ID, "value": self._record.visit_id})
        if serial := self._record.fields.get("M13") or self._prescription.sheet.visit_serial:
            ids.append({"use": "secondary", "system": names.VISIT_SERIAL, "value": serial})
        start = text(dig(encounter, "period", "start"))
        visit = {
            "identifier": ids,
            "status": "finished",
            "class": encounter.get("class"),
            "serviceType": encounter.get("serviceType"),
            "subject": self._to("Patient"),
            "period": {"start": start},
        }
        self._add("Encounter", "Encounter", visit)
        coverage: dict[str, Any] = {
            "status": "active",
            "type": _concept(f"{names.CODES}/nhi-identity-type", "00", "健保"),
            "beneficiary": self._to("Patient"),
            "payor": [self._to("Patient")],
        }
        if payment := self._prescription.payment_category:
            value = _concept(names.PAYMENT_CODES, payment)
            coverage["extension"] = [{"url": names.PAYMENT, "valueCodeableConcept": value}]
        self._add("Coverage", "Coverage", coverage, profile="Coverage-EMR")

    def _conditions(self) -> list[dict[str, str]]:
        references = []
        for position, condition in enumerate(self._found.document.all("Condition"), 1):
            name = f"Condition{position}"
            made = {member: condition[member] for member in ("clinicalStatus", "category", "code") if condition.get(member)}
            made |= {"subject": self._to("Patient"), "note": [{"text": self._extra.copayment_code}]}
            self._add(name, "Condition", made)
            references.append(self._to(name))
        return references

    def _charge(self) -> dict[str, Any]:
        own = (order.code for order in self._prescription.orders if order.kind == "service-fee")
        code = next(own, None) or self._extra.service_code or self._shop.service_code
        concept = {"coding": [{"code": code}], "text": "藥事服務代碼"}
        return {"status": "billed", "code": concept, "subject": self._to("Patient")}

    def _signature(self, file: Path) -> dict[str, Any]:
        path = self._folder / file.name  # its name alone: nothing from elsewhere on the disk gets into a document
        kind = _PICTURES.get(path.suffix.lower())
        if kind is None or not path.is_file():
            raise Incomplete([("領藥者簽章的圖檔（PNG 或 JPEG）", "picture of the signature (PNG or JPEG)")])
        content = {"contentType": kind, "data": base64.b64encode(path.read_bytes()).decode()}
        return {"status": "completed", "subject": self._to("Patient"), "encounter": self._to("Encounter"), "content": content}

    # ── a line ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _line(self, line: Line) -> tuple[str, str, str]:
        drug, request, handed = (f"{kind}{line.item}" for kind in ("Medication", "MedicationRequest", "MedicationDispense"))
        batch = self._extra.batches.get(line.item)
        medication = line.medication()
        if batch:
            medication["identifier"] = [{"value": batch}]
        self._add(drug, "Medication", medication)
        self._add(request, "MedicationRequest", self._request(line, drug))
        ids: list[dict[str, Any]] = [{"use": "usual", "value": line.item}]
        if batch:
            ids.append({"use": "secondary", "type": {"text": "藥品批號"}, "value": batch})
        self._add(
            handed,
            "MedicationDispense",
            {
                "identifier": ids,
                "status": "completed",
                "category": _concept(names.ORDER_KINDS, line.order_kind),
                "medicationReference": self._to(drug),
                "subject": self._to("Patient"),
                "context": self._to("Encounter"),
                "performer": [{"actor": self._to("Pharmacist")}],
                "authorizingPrescription": [self._to(request)],
                "quantity": line.quantity(),
                "daysSupply": {"value": line.days, "unit": "d", "system": _UCUM, "code": "d"},
                "whenHandedOver": self._at.isoformat(),
                "note": [{"text": "有" if self._extra.question else "無"}],
                "dosageInstruction": [line.dosage()],
                "substitution": {"wasSubstituted": line.substituted},
            },
        )
        return request, drug, handed

    def _request(self, line: Line, drug: str) -> dict[str, Any]:
        ids: list[dict[str, Any]] = [
            {"use": "usual", "system": names.PRESCRIPTION_NUMBER, "value": self._found.number},
        ]
        if fill := self._fill():
            ids.append({"use": "secondary", "type": {"text": "連續處方箋調劑序號"}, "value": str(fill)})
        if code := self._extra.access_code:
            ids.append({"use": "official", "type": {"text": "處方箋存取授權碼"}, "value": code})
        categories = [_concept(names.KINDS, self._found.kind), _concept(names.SELF_PAY, names.NOT_SELF_PAY)]
        return {
            "extension": [{"url": names.TOTAL_DAYS, "valueQuantity": {"value": line.total_days, "unit": "d"}}],
            "identifier": ids,
            "status": "active",
            "intent": "order",
            "category": categories,
            "medicationReference": self._to(drug),
            "subject": self._to("Patient"),
            "encounter": self._to("Encounter"),
            "authoredOn": self._at.isoformat(),
            "insurance": [self._to("Coverage")],
            "note": [{"text": "是" if self._found.combined else "否"}],
            "dispenseRequest": {
                "validityPeriod": {"start": self._at.isoformat(), "end": line.valid_until},
                "numberOfRepeatsAllowed": self._found.allowed or 1,
            },
        }

    def _fill(self) -> int | None:
        refill = self._prescription.sheet.refill
        return (refill.number if refill else self._extra.fill) if self._found.is_refill else None

    # ── names ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def _add(self, name: str, kind: str, members: Mapping[str, Any], *, first: bool = False, profile: str | None = None) -> None:
        resource = {
            "resourceType": kind,
            "id": self._url(name).rsplit(":", 1)[-1],
            "meta": {"profile": [f"{names.PROFILE}/{profile or f'{kind}-DS'}"]},
            **{member: value for member, value in members.items() if value is not None},
        }
        self._entries.insert(0 if first else len(self._entries), {"fullUrl": self._url(name), "resource": resource})

    def _to(self, name: str) -> dict[str, str]:
        return {"reference": self._url(name)}

    def _url(self, name: str) -> str:
        return f"urn:uuid:{uuid.uuid5(_ROOT, f'{self._record.visit_id}/{self._found.number}/{name}')}"

    def _age(self) -> int:
        """Whole years on the day of the visit; of the dispensing where the visit's day cannot be read."""
        born, day = self._prescription.patient.birth_date, _day(self._found) or self._at.date()
        return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def _day(found: Electronic) -> date | None:
    try:
        return datetime.fromisoformat(text(dig(found.document.first("Encounter"), "period", "start"))).date()
    except ValueError:
        return None


def _hospital(found: Electronic) -> Resource:
    code = institution_of(found.document)
    for each in found.document.all("Organization"):
        if code and any(text(item.get("value")) == code for item in identifiers(each)):
            return each
    return {}


def _organization(code: str, members: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: members[name] for name in ("name", "telecom", "address") if members.get(name)}
    kind = _concept("http://terminology.hl7.org/CodeSystem/v2-0203", "PRN")
    return {"identifier": [{"type": kind, "system": "https://www.nhi.gov.tw", "value": code}], **kept}


def _concept(system: str, code: str, display: str = "") -> dict[str, Any]:
    coding = {"system": system, "code": code}
    return {"coding": [coding | ({"display": display} if display else {})]}


def _section(code: str, title: str, entries: list[dict[str, str]]) -> dict[str, Any]:
    return {"code": _concept(_LOINC, code, title), "entry": entries}

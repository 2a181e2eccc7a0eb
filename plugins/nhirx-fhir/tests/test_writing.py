"""Dispensing documents out, and the whole way from one to the other. All people, places and numbers are invented."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fhir.resources.R4B.bundle import Bundle
from nhirx_fhir import Fhir
from nhirx_fhir.document import Document
from nhirx_fhir.invented import EMPD, SHOP, VISIT_ID, categorised, ep, line
from nhirx_fhir.read import read
from nhirx_fhir.write import Incomplete, dispensing_document

from nhirx import hookimpl
from nhirx.errors import PluginRefused
from nhirx.model import Prescription, UploadPlan, UploadRecord
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

OWN_ID = "1USE4FA11RP4J370WR4L"
PLAN = UploadPlan(ok=True, action="upload", call="1.53", fields={}, from_card=(), why={})
RECORD = UploadRecord(fields={"M05": "5901234567", "M11": "1151120090013", "M13": "0008", "M15": OWN_ID})


def parsed(bundle: Any) -> Any:
    (found,) = read(Document.parse(json.dumps(bundle)))
    return found


def scan(visit_id: str | None = VISIT_ID) -> Any:
    return SimpleNamespace(visit_id=visit_id, codes=())


def written(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))]


def resources(bundle: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == kind]


def test_document_of_an_accepted_record(counter):
    """Complete, valid R4B, every reference inside, both visit IDs told apart; out only when the NHI has accepted."""
    at = counter(ep(line(), line(2, "BC22222100")), {"copayment_code": "T1", "batches": {"1": "LOT-7"}})
    found = at.host.find_prescription(scan())
    assert () == at.host.check(PLAN, found)
    at.host.dispensed(RECORD, found, found.reference)
    before = written(at.outbox)
    at.host.record_accepted(RECORD, SimpleNamespace(opcode="OP-1"), found.reference)
    (bundle,) = written(at.outbox)

    assert [] == before
    assert [] == written(at.outbox / "waiting")
    assert Bundle.model_validate(bundle).type == "document"
    kinds = ["Composition", "Patient", "Organization", "Practitioner", "Encounter", "Coverage", "Condition", "Medication"]
    kinds += ["MedicationRequest", "MedicationDispense", "ChargeItem", "Media"]
    assert [1, 1, 2, 2, 1, 1, 1, 2, 2, 2, 1, 0] == [len(resources(bundle, kind)) for kind in kinds]
    assert "Composition" == bundle["entry"][0]["resource"]["resourceType"]
    assert [("old", VISIT_ID), ("official", OWN_ID), ("secondary", "0008")] == [
        (each["use"], each["value"]) for each in resources(bundle, "Encounter")[0]["identifier"]
    ]
    handed = resources(bundle, "MedicationDispense")
    assert [["1", "LOT-7"], ["2"]] == [[each["value"] for each in one["identifier"]] for one in handed]
    assert [(84, 28, False, "無")] * 2 == [
        (one["quantity"]["value"], one["daysSupply"]["value"], one["substitution"]["wasSubstituted"], one["note"][0]["text"])
        for one in handed
    ]
    request = resources(bundle, "MedicationRequest")[0]
    assert {"value": 28.0, "unit": "d"} == request["extension"][0]["valueQuantity"]
    assert ["A", "N"] == [each["coding"][0]["code"] for each in request["category"]]  # no way of dispensing
    assert 58 == resources(bundle, "Patient")[0]["extension"][0]["valueAge"]["value"]


def test_document_at_once(counter):
    at = counter(ep(), {"copayment_code": "T1"}, write="dispensed")
    found = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, found, found.reference)

    assert 1 == len(written(at.outbox))


def test_written_twice_it_is_the_same(counter, tmp_path):
    found, shop, extra = parsed(ep()), SHOP, {"copayment_code": "T1"}
    from nhirx_fhir.counter import Extra, Shop

    made = [dispensing_document(found, found.prescription, RECORD, Shop(**shop), Extra(**extra), tmp_path) for _ in range(2)]

    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("bundle", "extra", "options", "word"),
    [
        (ep(), {}, {}, "copayment_code"),
        (ep(), {"copayment_code": "T1"}, {"phone": ""}, "option phone"),
        (ep(Encounter={"serviceType": None}), {"copayment_code": "T1"}, {}, "department"),
        (ep(Medication={"ingredient": []}), {"copayment_code": "T1"}, {}, "line 1: strength"),
        (ep(line(dosageInstruction=[])), {"copayment_code": "T1"}, {}, "line 1: dose"),
        (ep(categorised("D")), {"copayment_code": "T1"}, {}, "signature_file"),
        (ep(), {"copayment_code": "T1", "colour": "red"}, {}, "colour"),
    ],
)
def test_incomplete_document_is_not_written_and_says_so_before(counter, caplog, bundle, extra, options, word):
    """What is missing is named as a warning before dispensing, and again when the document is not written."""
    at = counter(bundle, extra, write="dispensed", **options)
    found = at.host.find_prescription(scan())
    (warned,) = [each for each in at.host.check(PLAN, found) if each.code == "fhir-document-incomplete"]
    with caplog.at_level(logging.ERROR):
        at.host.dispensed(RECORD, found, found.reference)

    assert ("warn", True) == (warned.severity, word in warned.en)
    assert [] == written(at.outbox)
    assert word in caplog.text
    assert "A123456789" not in caplog.text + warned.zh


def test_controlled_prescription_carries_who_collected(counter):
    """Name, relationship, telephone, and the picture of the signature."""
    recipient = {"name": "李測試", "relationship": "家屬", "phone": "0900000000"}
    at = counter(
        ep(categorised("D")),
        {"copayment_code": "T1", "recipient": recipient, "signature_file": "sign.png"},
        certificate="P-1",
        write="dispensed",
    )
    (at.inbox / "sign.png").write_bytes(b"\x89PNG")
    found = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, found, found.reference)
    (bundle,) = written(at.outbox)

    assert "李測試" == resources(bundle, "Patient")[0]["contact"][0]["name"]["text"]
    assert ["image/png"] == [each["content"]["contentType"] for each in resources(bundle, "Media")]


def test_signature_is_taken_from_beside_the_document_only(counter, tmp_path):
    """A path into the rest of the disk is cut to its name."""
    (tmp_path / "secret.png").write_bytes(b"\x89PNG")
    recipient = {"name": "李測試", "relationship": "家屬", "phone": "0900000000"}
    extra = {"copayment_code": "T1", "recipient": recipient, "signature_file": "../secret.png"}
    at = counter(ep(categorised("D")), extra, certificate="P-1", write="dispensed")
    found = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, found, found.reference)

    assert [] == written(at.outbox)


def test_substituted_line(counter):
    """The substitute is named with all a drug needs; the prescription's own line stays what it was."""
    other = {"code": "XC99999100", "name": "他廠錠", "generic": "Testamine", "form": "TAB", "strength": 250, "unit": "mg"}
    at = counter(ep(), {"copayment_code": "T1", "substitutes": {"1": other}}, write="dispensed")
    found = at.host.find_prescription(scan())
    order = found.orders[0].model_copy(update={"code": "XC99999100", "substituted": True})
    at.host.dispensed(RECORD, found.model_copy(update={"orders": (order,)}), found.reference)
    (bundle,) = written(at.outbox)

    assert [True] == [each["substitution"]["wasSubstituted"] for each in resources(bundle, "MedicationDispense")]
    assert "XC99999100" == resources(bundle, "Medication")[0]["code"]["coding"][0]["code"]


def test_line_that_was_not_dispensed_is_left_out(counter):
    at = counter(ep(line(), line(2, "BC22222100")), {"copayment_code": "T1"}, write="dispensed")
    found = at.host.find_prescription(scan())
    at.host.dispensed(RECORD, found.model_copy(update={"orders": found.orders[1:]}), found.reference)

    assert [["2"]] == [
        [each["value"] for each in one["identifier"]] for one in resources(written(at.outbox)[0], "MedicationDispense")
    ]


def test_same_drug_on_two_lines_keeps_both():
    """One in the morning, another at night: each line has its own total."""
    from nhirx_fhir.counter import Extra
    from nhirx_fhir.lines import pair

    second = line(2)
    second["dispenseRequest"] = second["dispenseRequest"] | {"quantity": {"value": 7, "unit": "tablet"}}
    found = parsed(ep(line(), second))

    assert [84.0, 7.0] == [each.order.total for each in pair(found, found.prescription, Extra())]


def test_other_prescriptions_have_no_document(counter):
    """What came from elsewhere holds too little for one."""
    at = counter(ep(), {"copayment_code": "T1"}, write="dispensed")
    other = Prescription.model_validate({"patient": {"national_id": "A123456789", "birth_date": "0501231"}, "sheet": {}})
    at.host.dispensed(RECORD, other, "somebody else's")

    assert [] == written(at.outbox)


@pytest.mark.parametrize("options", [{"inbox": "nowhere"}, {"colour": "red"}, {"write": "never"}, {"name": 7}])
def test_wrong_options_refuse_the_plugin(options):
    host = Plugins(PluginSettings(options={"fhir": options}), discover=False)

    with pytest.raises(PluginRefused):
        host.register(Fhir(), "fhir")


def test_incomplete_names_both_languages():
    assert "甲 / a" == str(Incomplete([("甲", "a")]))


def test_check_command_says_what_was_understood(tmp_path, capsys):
    """One line a prescription; a file that is none gives exit code 1."""
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(ep(categorised("C"))), "utf-8")
    bad.write_text("{}", "utf-8")
    command = Fhir().nhirx_register_commands()["fhir-check"]

    assert (0, 1) == (command([good]), command([good, bad, tmp_path / "none.json"]))
    assert "good.json: RX-0001  C" in capsys.readouterr().out


def test_from_electronic_prescription_to_accepted_document(nhirx_counter, nhirx_sim, nhirx_people, tmp_path):
    """The whole way on the sandbox: found by the sheet, dispensed, uploaded, accepted, document out."""
    person = nhirx_people[0]
    visited = nhirx_sim.world.clock().replace(microsecond=0)
    visit_id, _ = nhirx_sim.world.visit_ids.make("card", "3502060427", person.national_id, visited)
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    patient = {"identifier": [{"value": person.national_id}], "birthDate": person.birth_date.isoformat()}
    ids = [{"system": f"{EMPD}/sid/visit-identifier", "value": visit_id}, {"value": "0007"}]
    encounter = {"identifier": ids, "period": {"start": visited.date().isoformat()}}
    (tmp_path / "in" / "a.json").write_text(json.dumps(ep(Patient=patient, Encounter=encounter)), "utf-8")
    (tmp_path / "in" / "a.supplement.json").write_text('{"RX-0001": {"copayment_code": "T1"}}', "utf-8")
    table = {"inbox": str(tmp_path / "in"), "outbox": str(tmp_path / "out"), **SHOP}

    class SetUp(Fhir):
        @hookimpl
        def nhirx_configure(self, options: Any) -> None:
            super().nhirx_configure(table)

    counter = nhirx_counter(SetUp())
    found = counter.host.find_prescription(scan(visit_id))
    done = counter.dispense(found.model_copy(update={"fee": 300}))
    states = counter.send()
    (bundle,) = written(tmp_path / "out")

    assert ["accepted"] == states
    assert [visit_id, done.record.visit_id] == [
        each["value"] for each in resources(bundle, "Encounter")[0]["identifier"] if each["use"] != "secondary"
    ]

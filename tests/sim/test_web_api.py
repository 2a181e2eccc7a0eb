"""Uploads over the Web API, from the request to the check result."""

from __future__ import annotations

import base64
import io
import zipfile
from typing import Any

import pytest


def test_a_good_record_is_accepted(ready: Any, records: Any, sim: Any) -> None:
    """Number, order signature, upload and result fit together without a remark."""
    record = records.normal()
    result = ready.result(ready.upload(records.xml(record)))
    assert [(rec["err_level"], rec["errors"]) for rec in result["recs"]] == [(0, [])]
    assert sim.ledger.records()[record["M15"]]["state"] == "accepted"


def test_an_abnormal_record_is_accepted(ready: Any, records: Any) -> None:
    """Without a card the ID is of the other service and nothing is signed."""
    assert ready.codes(records.abnormal()) == []


def test_the_receipt(ready: Any, records: Any) -> None:
    """Time, running number, institution and security module, 42 characters."""
    opcode = ready.upload(records.xml(records.normal()))["Opcode"]
    assert (len(opcode), opcode[20:30], opcode[30:]) == (42, "5901234567", "SAM000000001")


@pytest.mark.parametrize("path", ["/V1000/", "/V2000/"])
@pytest.mark.parametrize("camel", [True, False])
def test_both_paths_and_both_spellings(ready: Any, records: Any, path: str, camel: bool) -> None:
    """Public programs differ in both; the service takes all."""
    data = base64.b64encode(records.xml(records.normal()).encode()).decode()
    body = ready.envelope("A1", camel=camel) | {"sPatData": data}
    opcode = ready.http.post(path + "VNHI_Upload", body)["Opcode"]
    body = ready.envelope("A1", camel=camel) | {"sOpcode": opcode}
    assert ready.http.post(path + "VNHI_Download", body)["RtnCode"] == "0000"


def test_a_signature_works_once(ready: Any, records: Any, sim: Any) -> None:
    """A request sent again with the same signature is refused and stores nothing."""
    body = ready.envelope("A1") | {"sPatData": base64.b64encode(records.xml(records.normal()).encode()).decode()}
    assert [ready.http.post("/V2000/VNHI_Upload", body)["RtnCode"] for _ in range(2)] == ["0000", "9002"]
    assert sim.ledger.summary()["uploads"] == 1


def test_wrong_members(ready: Any) -> None:
    """Each has its own return code."""
    assert ready.upload("<RECS></RECS>", sType="A3")["RtnCode"] == "5003"
    assert ready.upload("<RECS></RECS>", sSignature="AAAA")["RtnCode"] == "9002"
    assert ready.upload("<RECS></RECS>", sHospId="3502060427")["RtnCode"] == "9005"
    assert ready.upload("<RECS></RECS>", sPatData="not base64!")["RtnCode"] == "9999"
    assert ready.upload("<RECS></RECS>", sPatData=5)["RtnCode"] == "9999"


def test_an_old_signature(ready: Any) -> None:
    """After an hour the signature has ended, with its own code."""
    body = ready.envelope("A1") | {"sPatData": ""}
    ready.post("/sim/clock", advance=3601)
    assert ready.http.post("/V2000/VNHI_Upload", body)["RtnCode"] == "8203"


def test_a_result_takes_its_time(ready: Any, records: Any, sim: Any) -> None:
    """Not ready as often as told, and not before the time told."""
    sim.behaviour.result_polls, sim.behaviour.result_seconds = 1, 60
    opcode = ready.upload(records.xml(records.normal()))["Opcode"]
    assert [ready.download(opcode)["RtnCode"] for _ in range(2)] == ["5002", "5002"]
    ready.post("/sim/clock", advance=61)
    assert ready.download(opcode)["RtnCode"] == "0000"


def test_a_receipt_of_nobody(ready: Any) -> None:
    """An unknown receipt has no result."""
    assert ready.download("0" * 42)["RtnCode"] == "9999"


def test_the_last_version_counts(ready: Any, records: Any, sim: Any) -> None:
    """The same visit ID sent again replaces the first; a rejected correction leaves it."""
    record = records.normal()
    ready.upload(records.xml(record))
    ready.upload(records.xml(record | {"M44": "700"}))
    ready.upload(records.xml(record | {"M44": "800", "M12": "9"}))
    kept = sim.ledger.records()[record["M15"]]
    assert (kept["state"], kept["fields"]["M44"], kept["versions"], kept["rejections"]) == ("accepted", "700", 2, 1)


def test_deleting(ready: Any, records: Any, sim: Any) -> None:
    """What was accepted can be deleted once; what is not there cannot."""
    record = records.normal()
    delete = {"H00": "1", "H01": "D", "M03": record["M03"], "M05": record["M05"], "M15": record["M15"]}
    assert ready.codes(delete) == ["M15:D001"]
    ready.upload(records.xml(record))
    assert ready.codes(delete) == []
    assert sim.ledger.records()[record["M15"]]["state"] == "deleted"
    assert ready.codes(delete) == ["M15:D001"]


@pytest.mark.parametrize("mode", ["A2", "ZZ"])
def test_a_trial_leaves_no_trace(ready: Any, records: Any, sim: Any, mode: str) -> None:
    """Precheck and interface test are judged and reported, but nothing is kept."""
    record = records.normal()
    result = ready.result(ready.upload(records.xml(record), mode=mode))
    assert [rec["errors"] for rec in result["recs"]] == [[]]
    assert sim.ledger.state_of(record["M15"]) is None


def test_one_bad_record_harms_no_other(ready: Any, records: Any) -> None:
    """Counts and levels of a mixed file; those with errors come first."""
    good, bad = records.normal(), records.normal(M13="A010")
    result = ready.result(ready.upload(records.xml(good, bad)))
    assert [result[name] for name in ("received", "valid_details", "invalid_details", "valid_orders")] == [2, 1, 1, 1]
    assert [(rec["rec_no"], rec["err_level"]) for rec in result["recs"]] == [(2, 1), (1, 0)]


def test_only_remarks_when_told_so(ready: Any, records: Any, sim: Any) -> None:
    """Whether accepted records are listed is not published, so it can be turned off."""
    sim.behaviour.list_accepted = False
    assert ready.result(ready.upload(records.xml(records.normal())))["recs"] == []


def _report(ready: Any, answer: dict[str, Any]) -> str:
    packed = base64.b64decode(ready.download(answer["Opcode"])["Tx_result_txt"])
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        return archive.read(archive.namelist()[0]).decode("cp950")


def test_the_text_report(ready: Any, records: Any) -> None:
    """Twelve bracketed values, a line of 75 signs, the record without M14 and its reasons."""
    record = records.normal(M13="A010")
    record["orders"][0]["D09"] = "0"
    head, block = _report(ready, ready.upload(records.xml(record))).split("=" * 75)
    assert ("檢核結果" in head, head.count("["), head.count("]")) == (True, 12, 12)
    assert "第[1]筆" in block
    assert f"M15=[ {record['M15']} ]" in block
    assert ("M21=[ NULL ]" in block, "M14=" in block) == (True, False)
    assert "錯誤原因:D09[1]:D040;M13:AD14;D11[1]:16;" in block


def test_no_report_without_remarks(ready: Any, records: Any) -> None:
    """A file that is all right has a JSON result only."""
    answer = ready.upload(records.xml(records.normal()))
    assert ready.download(answer["Opcode"])["Tx_result_txt"] == ""


def test_big5_and_utf8(ready: Any, records: Any, sim: Any) -> None:
    """Both encodings are read, and what arrives is what was written."""
    for encoding in ("cp950", "utf-8"):
        record = records.normal()
        record["orders"][0]["D15"] = "飯後服用"
        assert ready.result(ready.upload(records.xml(record).encode(encoding)))["valid_details"] == 1
        assert sim.ledger.records()[record["M15"]]["orders"][0]["D15"] == "飯後服用"

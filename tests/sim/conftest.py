"""A running sandbox, and a hand-made client that speaks to it as a vendor's program would."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nhirx.http import JsonService
from nhirx.settings import ServiceSettings
from nhirx.sim import Behaviour, Simulator


class Client:
    """Calls over real TLS, checked against the sandbox's CA."""

    def __init__(self, sim: Simulator) -> None:
        self.sim = sim
        self.records = Records(self)
        self.http = JsonService(ServiceSettings(url=sim.url, ca_file=sim.ca_file, timeout=5.0))

    def get(self, path: str) -> dict[str, Any]:
        return self.http.get(path)

    def post(self, path: str, /, **body: Any) -> dict[str, Any]:
        return self.http.post(path, body)

    def start(self) -> None:
        self.post("/api/common/v1/Initial")
        self.post("/api/sam/v1/Verification")
        self.post("/api/hpc/v1/Verification/Hpc", pin="000000")

    def signed(self, service: str, kind: str = "hc") -> dict[str, Any]:
        paths = {
            "hc": "/api/hc/v1/Signature/Hc",
            "hpchc": "/api/hc/v1/Signature/HpcHc",
            "sam": "/api/sam/v1/Signature",
            "hpc": "/api/hpc/v1/Signature",
        }
        answer = self.post(paths[kind], serviceType=service)
        assert answer.pop("statusCode") == 0
        return answer

    def number(self, category: str = "AF") -> dict[str, Any]:
        return self.post(
            "/api/v1/SequelNumber/Next", treatmentItem=category, babyTreatment=" ", afterCheck="1", **self.signed("03")
        )

    def no_card_id(self, patient: str = "A123456789") -> dict[str, Any]:
        return self.post("/api/v1/TreatmentNumber/NoCard", patientId=patient, **self.signed("03", "sam"))

    def write(self, visited_at: str, *lines: dict[str, Any]) -> dict[str, Any]:
        return self.post(
            "/api/v1/Prescription/Write", treatmentDateTime=visited_at, prescriptions=list(lines), **self.signed("02")
        )

    def upload(self, xml: str | bytes, *, mode: str = "A1", camel: bool = True, **changes: Any) -> dict[str, Any]:
        data = xml.encode("cp950") if isinstance(xml, str) else xml
        body = self.envelope(mode, camel=camel) | {"sPatData": base64.b64encode(data).decode()} | changes
        return self.http.post("/V2000/VNHI_Upload", body)

    def download(self, opcode: str, **changes: Any) -> dict[str, Any]:
        return self.http.post("/V2000/VNHI_Download", self.envelope("A1") | {"sOpcode": opcode} | changes)

    def envelope(self, mode: str, *, camel: bool = True) -> dict[str, Any]:
        signed = self.signed("30", "sam")
        names = ("sSamId", "sHospId", "sClientRandom") if camel else ("sSamid", "sHospid", "sClientrandom")
        return {
            names[0]: signed["samId"],
            names[1]: signed["hospitalId"],
            names[2]: signed["clientRandom"],
            "sSignature": signed["signature"],
            "sType": mode,
            "sUploadDT": "20261122101500000",
        }

    def result(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The JSON check result of an upload that was taken."""
        assert answer["RtnCode"] == "0000", answer
        for _ in range(20):
            found = self.download(answer["Opcode"])
            if found["RtnCode"] == "0000":
                decoded: dict[str, Any] = json.loads(base64.b64decode(found["Tx_result_json"]))
                return decoded
        raise AssertionError("no result")

    def codes(self, record: dict[str, Any], **more: Any) -> list[str]:
        """``field:code`` for every remark about one record."""
        rec = self.result(self.upload(xml(record), **more))["recs"][0]
        return [
            error["field"] + (f"[{error['order']}]" if error["order"] else "") + ":" + error["code"] for error in rec["errors"]
        ]


def xml(*records: dict[str, Any]) -> str:
    """An upload file; a record is its H and M fields and ``orders``."""
    parts = []
    for record in records:
        head = "".join(f"<{k}>{v}</{k}>" for k, v in record.items() if k[0] == "H" and v)
        main = "".join(f"<{k}>{v}</{k}>" for k, v in record.items() if k[0] == "M" and v)
        lines = "".join(
            "<MB2>" + "".join(f"<{k}>{v}</{k}>" for k, v in line.items() if v) + "</MB2>" for line in record.get("orders", ())
        )
        parts.append(f"<REC><MSH>{head}</MSH><MB><MB1>{main}</MB1>{lines}</MB></REC>")
    return '<?xml version="1.0" encoding="Big5"?>\n<RECS>' + "".join(parts) + "</RECS>"


@pytest.fixture
def sim(tmp_path: Path) -> Iterator[Simulator]:
    with Simulator(tmp_path / "sandbox", behaviour=Behaviour(result_polls=0)) as running:
        yield running


@pytest.fixture
def client(sim: Simulator) -> Iterator[Client]:
    one = Client(sim)
    yield one
    one.http.close()


@pytest.fixture
def make_client() -> Iterator[Callable[[Simulator], Client]]:
    """Clients of other simulators than the fixture's, closed at the end."""
    made: list[Client] = []

    def make(sim: Simulator) -> Client:
        made.append(Client(sim))
        return made[-1]

    yield make
    for one in made:
        one.http.close()


@pytest.fixture
def ready(client: Client) -> Client:
    """A client whose control software is started, with SAM and professional card verified."""
    client.start()
    return client


class Records:
    """Records that the sandbox accepts, made by really asking for their numbers."""

    xml = staticmethod(xml)

    def __init__(self, client: Client) -> None:
        self.client = client

    def normal(self, **changes: Any) -> dict[str, Any]:
        number = self.client.number()
        visited_at = number["treatmentDateTime"]
        line = {"treatmentItem": "1", "treatmentItemCode": "AC12345100", "usage": "QD", "days": 28, "totalQuantity": "28.00"}
        signature = self.client.write(visited_at, line)["hexSignatureItems"][0]
        order = {
            "D01": visited_at,
            "D02": "1",
            "D03": "001",
            "D04": "A",
            "D05": "A",
            "D06": "AC12345100",
            "D08": "QD",
            "D09": "28",
            "D10": "00028.0",
            "D11": signature,
            "D14": "PO",
        }
        record = {
            "H00": "1",
            "H01": "A",
            "M01": number["samId"],
            "M02": "000012345678",
            "M03": "A123456789",
            "M04": "0501231",
            "M05": number["hospitalId"],
            "M06": "B200000002",
            "M07": "AF",
            "M11": visited_at,
            "M12": "1",
            "M14": number["signature"],
            "M15": number["treatmentNumber"],
            "M16": "9" * 20,
            "M17": "3502060427",
            "M18": "0007",
            "M19": "1130305093000",
            "M20": "28",
            "M23": "0",
            "M24": "1",
            "M35": "I10",
            "M44": "600",
            "M51": "4",
        }
        return record | {"orders": [order]} | changes

    def abnormal(self, **changes: Any) -> dict[str, Any]:
        made = self.client.no_card_id()
        normal = self.normal()
        order = {key: value for key, value in normal["orders"][0].items() if key != "D11"} | {"D01": made["treatmentDateTime"]}
        gone = dict.fromkeys(("M01", "M02", "M14"))
        return (
            normal
            | gone
            | {"H01": "B", "M13": "A010", "M11": made["treatmentDateTime"], "M15": made["treatmentNumber"], "orders": [order]}
            | changes
        )


@pytest.fixture
def records(ready: Client) -> Records:
    return Records(ready)

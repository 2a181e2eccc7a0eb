"""The four ways to the card, each with a bench that can do the same things to it: one interface for the contract tests."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from nhirx.card.base import ControlSoftware
from nhirx.card.control6 import Control6
from nhirx.card.cshis import Cshis
from nhirx.card.gateway import VirtualGateway
from nhirx.card.virtual import Token, VirtualCard, now
from nhirx.settings import ControlSettings, CshisSettings, PharmacySettings, ServiceSettings, Settings
from nhirx.sim.people import PEOPLE, Person
from nhirx.sim.simulator import Simulator

MING, LING = PEOPLE[0], PEOPLE[1]
INSTITUTION = "5901234567"
VISIT_ID = "00006GA11RP4J3DM2VA7"


class Bench(ABC):
    """One back end and what can be done to it. ``limit`` is the seconds a call may take here."""

    name: str
    limit = 1.0
    control: ControlSoftware
    made_by = "card"
    has_roll_back_of_years = True

    @abstractmethod
    def insert(self, person: Person) -> None:
        """Whose card is in the reader, or on the phone, from now on."""

    @abstractmethod
    def remove(self) -> None:
        """No card."""

    @abstractmethod
    def expire(self, *, for_ever: bool = False) -> None:
        """The card has to be updated; with ``for_ever`` an update does not help."""

    @abstractmethod
    def number_answers(self, code: int, *, with_number: bool = True) -> None:
        """The next visit number comes with this code, and with or without the number."""

    @abstractmethod
    def cut_network(self) -> None:
        """The data centre is out of reach."""

    @abstractmethod
    def hang(self, what: str) -> None:
        """The next call of this kind (``read``, ``number``, ``write``) does not answer."""

    @abstractmethod
    def asked(self, what: str) -> int:
        """How many calls of this kind (``number``, ``update``, ``write``, ``id``) there were."""

    def close(self) -> None:
        self.control.close()


# ── control software 6.0 ─────────────────────────────────────────────────────────────────────────────────────────────

_PATHS = {
    "read": "/api/v1/BasicData/Query",
    "number": "/api/v1/SequelNumber/Next",
    "update": "/api/v1/HcContent/Update",
    "write": "/api/v1/Prescription/Write",
    "id": "/api/v1/TreatmentNumber/Card",
}


class Control6Bench(Bench):
    name = "control6"

    def __init__(self, folder: Path) -> None:
        self.sim = Simulator(folder / "sim").start()
        self._seen: list[str] = []
        for key, handler in list(self.sim._server.routes.items()):
            self.sim._server.routes[key] = self._watched(key[1], handler)
        settings = self.sim.settings()
        quick = settings.control.local.model_copy(update={"timeout": self.limit})
        control = settings.control.model_copy(update={"local": quick, "data_centre": quick})
        self.settings = settings.model_copy(update={"control": control})
        self.control = self.make()

    def make(self) -> ControlSoftware:
        return Control6(self.settings)

    def _watched(self, path: str, handler: Any) -> Any:
        def answer(body: Any) -> Any:
            self._seen.append(path)
            return handler(body)

        return answer

    def insert(self, person: Person) -> None:
        self.sim.insert_card(person)

    def remove(self) -> None:
        self.sim.remove_card()

    def expire(self, *, for_ever: bool = False) -> None:
        if for_ever:
            self.sim.fail(_PATHS["number"], "status-code", code=3201, times=99)
        else:
            self.sim.insert_card(MING, expired=True)

    def number_answers(self, code: int, *, with_number: bool = True) -> None:
        if not with_number:
            self.sim.fail(_PATHS["number"], "status-code", code=code, times=2)
            return
        key = ("POST", _PATHS["number"])
        handler = self.sim._server.routes[key]
        gone = {"treatmentNumber": None} if code == 5174 else {}
        self.sim._server.routes[key] = lambda body: handler(body) | {"statusCode": code} | gone

    def cut_network(self) -> None:
        self.sim.fail("/api/v1/*", "status-code", code=1700, times=99)

    def hang(self, what: str) -> None:
        self.sim.fail(_PATHS[what], "accept-then-hang", seconds=self.limit * 5)

    def asked(self, what: str) -> int:
        return self._seen.count(_PATHS[what])

    def close(self) -> None:
        super().close()
        self.sim.stop()


class VirtualBench(Control6Bench):
    """The same services with a token in the place of the card."""

    name = "virtual"
    made_by = "virtual-card"
    has_roll_back_of_years = True

    def make(self) -> ControlSoftware:
        return VirtualCard(self.settings, Token(self.sim.virtual_card_token(MING), now()))

    def insert(self, person: Person) -> None:
        self.control.close()
        self.control = VirtualCard(self.settings, Token(self.sim.virtual_card_token(person), now()))

    def remove(self) -> None:
        self.control.close()
        self.control = VirtualCard(self.settings, Token("no such token", now()))

    def expire(self, *, for_ever: bool = False) -> None:
        if for_ever:
            super().expire(for_ever=True)
        else:
            self.insert(dataclasses.replace(MING, expired=True))


# ── control software 5.x ─────────────────────────────────────────────────────────────────────────────────────────────

_CALLS = {
    "read": "hisGetBasicData",
    "number": "hisGetSeqNumber256N1",
    "update": "csUpdateHCContents",
    "write": "hisWriteMultiPrescriptSign",
    "id": "hisGetTreatNumICCard",
}


def built_library(folder: Path) -> Path:
    """The stub library, compiled now."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    assert compiler, "a C compiler is missing: apt-get install gcc"
    library = folder / "cshis50.so"
    source = Path(__file__).with_name("stub") / "cshis.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-o", library, source], check=True)
    return library


class CshisBench(Bench):
    name = "cshis"

    def __init__(self, folder: Path, library: Path) -> None:
        self.state = folder / "stub"
        self._values: dict[str, str] = {}
        self.set()
        # The helper inherits the environment of whoever starts it.
        os.environ["CSHIS_STUB"] = str(self.state)
        cshis = CshisSettings(library=library, limit=self.limit)
        self.settings = Settings(pharmacy=PharmacySettings(institution=INSTITUTION), control=ControlSettings(cshis=cshis))
        self.control = Cshis(self.settings)
        self.insert(MING)

    def set(self, **values: Any) -> None:
        self._values |= {key.replace("__", "."): str(value) for key, value in values.items()}
        changed = self.state.with_suffix(".new")
        changed.write_text("".join(f"{key}={value}\n" for key, value in self._values.items()))
        changed.replace(self.state)

    def calls(self) -> list[str]:
        log = Path(f"{self.state}.log")
        return log.read_text().split() if log.exists() else []

    def insert(self, person: Person) -> None:
        self.set(card=1, id=person.national_id, birth=person.birthday, number=person.card_number)

    def remove(self) -> None:
        self.set(card=0)

    def expire(self, *, for_ever: bool = False) -> None:
        self.set(**{"stays_expired" if for_ever else "expired": 1})

    def number_answers(self, code: int, *, with_number: bool = True) -> None:
        self.set(code__hisGetSeqNumber256N1=code, no_number=0 if with_number else 1)

    def cut_network(self) -> None:
        self.set(network=0)

    def hang(self, what: str) -> None:
        self.set(hang=_CALLS[what])

    def asked(self, what: str) -> int:
        return self.calls().count(_CALLS[what])


# ── the local gateway of the virtual card ────────────────────────────────────────────────────────────────────────────


class Gateway:
    """What the gateway does, on a free port of this machine; plain HTTP, as the real one."""

    def __init__(self) -> None:
        self.person: Person | None = MING
        self.tokens = {"token-1"}
        self.present = False
        self.seen: list[str] = []
        self.bodies: list[dict[str, Any]] = []
        self.codes: dict[str, list[int]] = {}
        self.hanging: set[str] = set()
        self.network = True
        self.spelling = "ERRORCODE"
        self.no_number = False
        self.ended = threading.Event()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps(gateway.answer(self.path.rsplit("/", 1)[-1], body), ensure_ascii=False).encode()
                with contextlib.suppress(OSError):
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
                """Silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.ended.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        self.seen.append(name)
        self.bodies.append(body)
        if name in self.hanging:
            self.hanging.discard(name)
            self.ended.wait(10)
        code, buffer = self.do(name, body)
        forced = self.codes.get(name)
        if forced and code == 0:
            code = forced.pop(0) if len(forced) > 1 else forced[0]
        return {self.spelling: str(code) if self.spelling == "statusCode" else code} | ({"pBuffer": buffer} if buffer else {})

    def do(self, name: str, body: dict[str, Any]) -> tuple[int, str]:
        if name in ("VHCcsOpenCom", "VHCcsCloseCom"):
            return 0, ""
        if not self.network:
            return 4061, ""
        if name == "uploadqrcode":
            known = body["QRCodeString"] in self.tokens
            self.present = self.present or known
            self.tokens.discard(body["QRCodeString"])
            return (0 if known else 1019), ""
        if not self.present or self.person is None:
            return 1023, ""
        person = self.person
        wide = 20 - len(person.name.encode("big5hkscs"))
        if name == "VHChisGetBasicData":
            basic = f"{person.card_number:<12}{person.name}{' ' * wide}{person.national_id}{person.birthday}{person.sex}1090101"
            return 0, basic + "1" + " " * 14
        if name == "VHChisGetSeqNumber256N1":
            assert body["cTreatItem"] == "AF "
            assert body["cTreatAfterCheck"] in ("1", "2")
            if self.no_number:
                return 0, ""
            return 0, f"1151120090013W001{INSTITUTION}{'A' * 256}SAM000000001N{VISIT_ID}"
        if name == "VHChisWriteMultiPrescriptSign":
            if body["pPatientID"] != person.national_id + " ":
                return 5020, ""
            data = body["pDataWrite"]
            lines = [data[at : at + 61] for at in range(0, len(data), 61)]
            return 0, "".join(hashlib.sha1(line.encode()).hexdigest().upper() for line in lines)
        if name == "VHCcsUnGetSeqNumber":
            return 5151, ""
        return 1099, ""


_GATEWAY = {
    "read": "VHChisGetBasicData",
    "number": "VHChisGetSeqNumber256N1",
    "update": "VHCcsUpdateHCContents",
    "write": "VHChisWriteMultiPrescriptSign",
    "id": "VHChisGetTreatNumICCard",
}


class GatewayBench(Bench):
    name = "gateway"
    made_by = "virtual-card"

    def __init__(self, folder: Path) -> None:
        self.gateway = Gateway()
        # IDs without a card and upload signatures come from the pharmacy's own software.
        self.own = Control6Bench(folder)
        service = ServiceSettings(url=self.gateway.url, timeout=self.limit)
        self.settings = Settings(control=ControlSettings(gateway=service))
        self.control = self.make("token-1")

    def make(self, token: str) -> ControlSoftware:
        return VirtualGateway(self.settings, Token(token, now()), companion=self.own.control)

    def insert(self, person: Person) -> None:
        self.control.close()
        self.gateway.person, self.gateway.present = person, False
        token = f"token-{time.monotonic_ns()}"
        self.gateway.tokens.add(token)
        self.control = self.make(token)

    def remove(self) -> None:
        self.gateway.person = None

    def expire(self, *, for_ever: bool = False) -> None:
        self.gateway.codes[_GATEWAY["number"]] = [5003]

    def number_answers(self, code: int, *, with_number: bool = True) -> None:
        self.gateway.codes[_GATEWAY["number"]] = [code]
        self.gateway.no_number = not with_number

    def cut_network(self) -> None:
        self.gateway.network = False

    def hang(self, what: str) -> None:
        self.gateway.hanging.add(_GATEWAY[what])

    def asked(self, what: str) -> int:
        return self.gateway.seen.count(_GATEWAY[what])

    def close(self) -> None:
        super().close()
        self.own.close()
        self.gateway.close()

"""``Simulator``: the whole sandbox inside this process, for tests and demos; ``nhirx sim`` runs the same one by itself."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from nhirx.sim.book import book
from nhirx.sim.certificates import certificates
from nhirx.sim.faults import Faults
from nhirx.sim.ledger import Ledger
from nhirx.sim.people import INSTITUTION, PEOPLE, PHARMACIST, SAM_ID, Person
from nhirx.sim.server import Server
from nhirx.sim.world import Behaviour, World


class Simulator:
    """Listens from construction on, answers from ``start`` (or ``with``) on, until ``stop``.

    ``data`` keeps certificate, key and ledger: a second simulator on the same folder knows what the first one did. A
    sandbox folder is used by one simulator at a time. ``port`` 0 takes a free one. ``behaviour`` can also be changed later,
    as ``sim.behaviour.result_polls = 0``.
    """

    def __init__(
        self,
        data: Path,
        port: int = 0,
        *,
        clock: Callable[[], datetime] | None = None,
        behaviour: Behaviour | None = None,
        institution: str = INSTITUTION,
        sam_id: str = SAM_ID,
        pharmacist: str = PHARMACIST,
    ) -> None:
        self.world = World.open(
            Path(data), clock=clock, behaviour=behaviour, institution=institution, sam_id=sam_id, pharmacist=pharmacist
        )
        self.faults = Faults()
        files = certificates(Path(data))
        self.ca_file, self.fingerprint = files.ca_file, files.fingerprint
        try:
            self._server = Server(port, self.world, self.faults, files)
        except OSError:
            self.world.close()
            raise
        self._thread: threading.Thread | None = None

    # ── life ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> Self:
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="nhirx-sim", daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """End every connection and close the ledger. May be called twice."""
        if self._thread is not None:
            self._server.stop()
            self._thread.join()
            self._thread = None
        else:
            self._server.server_close()
        self.world.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    # ── where ────────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def port(self) -> int:
        return self._server.port

    @property
    def url(self) -> str:
        """Base URL of every service."""
        return f"https://127.0.0.1:{self.port}"

    def describe(self) -> dict[str, Any]:
        """What ``nhirx sim`` prints (contract §8)."""
        return {
            "control_software": self.url,
            "data_centre": self.url,
            "web_api": self.url,
            "card": f"{self.url}/sim/card",
            "ca_file": str(self.ca_file.resolve()),
            "fingerprint": self.fingerprint,
            "port": self.port,
            "pid": os.getpid(),
        }

    def settings(self) -> Any:
        """``nhirx.settings.Settings`` of a pharmacy that has this sandbox for control software and NHIA."""
        from nhirx.settings import (
            ControlSettings,
            PharmacySettings,
            RecordSettings,
            ServiceSettings,
            Settings,
            UploadSettings,
        )

        service = ServiceSettings(url=self.url, ca_file=self.ca_file, timeout=10.0)
        return Settings(
            pharmacy=PharmacySettings(institution=self.world.institution, pharmacist=self.world.pharmacist),
            # The pharmacy's value is not published; the sandbox judges none, so any two characters show the way.
            record=RecordSettings(medical_category=book()["sandbox"]["medical-category"]),
            control=ControlSettings(kind="control6", local=service, data_centre=service),
            upload=UploadSettings(service=service, retry_first=0.1, retry_limit=2.0, poll_first=0.1),
        )

    def settings_file(self) -> str:
        """The same as a settings file (TOML), for programs that are not this one."""
        settings, service = self.settings(), {"url": self.url, "ca_file": self.ca_file.resolve().as_posix()}
        tables: dict[str, dict[str, str]] = {
            "pharmacy": {"institution": settings.pharmacy.institution, "pharmacist": settings.pharmacy.pharmacist},
            "record": {"medical_category": settings.record.medical_category},
            "control": {"kind": settings.control.kind},
            "control.local": service,
            "control.data_centre": service,
            "upload.service": service,
        }
        # A JSON string is a basic string of TOML.
        lines = (
            f"[{name}]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
            for name, table in tables.items()
        )
        return "\n".join(lines)

    # ── what a test does to it ───────────────────────────────────────────────────────────────────────────────────────

    @property
    def behaviour(self) -> Behaviour:
        return self.world.behaviour

    @property
    def ledger(self) -> Ledger:
        """What was issued, sent and accepted: ``issued()``, ``records()``, ``state_of(visit_id)``."""
        return self.world.ledger

    def insert_card(self, person: Person | None = None, *, virtual: bool = False, **changes: Any) -> Person:
        """Put in the card of ``person`` (王小明 unless told), with ``changes`` such as ``expired=True`` or ``pin="1234"``."""
        from dataclasses import replace

        holder = replace(person or PEOPLE[0], **changes)
        self.world.insert(holder, virtual=virtual)
        return holder

    def remove_card(self) -> None:
        self.world.remove()

    def virtual_card_token(self, person: Person | None = None) -> str:
        """The text in the QR code of a virtual card: five minutes, one use."""
        return self.world.make_token(person or PEOPLE[0])

    def fail(
        self, path: str, kind: str, *, times: int = 1, code: Any = None, seconds: float | None = None, after: int = 0
    ) -> None:
        """Make the next ``times`` requests to ``path`` (``*`` matches) fail; kinds are in ``nhirx.sim.faults.KINDS``."""
        self.faults.add(path, kind, times=times, code=code, seconds=seconds, after=after)

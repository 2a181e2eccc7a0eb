"""The program is killed hundreds of times, and the other side's ledger says whether anything was lost or sent wrongly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nhirx.identifiers import VisitId
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.settings import Settings
from nhirx.sim import Behaviour, Simulator
from nhirx.sim.proxy import KINDS

AGENT = Path(__file__).with_name("agent.py")
KILLS = {"sqlite": 330, "postgresql": 175}


def test_no_kill_loses_a_number_or_sends_a_record_wrongly(database_url: str, tmp_path: Path, record_property) -> None:
    """Every number issued ends in exactly one accepted record or in front of a person; every record is what was signed."""
    kind = database_url.split(":", maxsplit=1)[0]
    seed = int(os.environ.get("NHIRX_FAULT_SEED", "20261120"))
    ring = KeyRing.new()
    with Simulator(tmp_path / "sandbox", behaviour=Behaviour(result_polls=0, auto_start=True)) as sim:
        settings = sim.settings()
        service = settings.upload.service.model_copy(update={"timeout": 3.0})
        fast = {"service": service, "lease": 1.0, "poll_first": 0.0, "retry_first": 0.01, "retry_limit": 0.1}
        settings = settings.model_copy(update={"upload": settings.upload.model_copy(update=fast)})
        proxy = _proxy(sim.port, seed)
        config = {
            "url": database_url,
            "admin": service.model_dump(mode="json"),
            "ring": ring.format(),
            "settings": _through(settings, proxy.url).model_dump_json(),
            "kills": KILLS[kind],
            "told": str(tmp_path / "told"),
            "seconds": 500,
            "seed": seed,
        }
        (tmp_path / "config.json").write_text(json.dumps(config), "utf-8")
        done = subprocess.run(
            [sys.executable, AGENT, tmp_path / "config.json"], capture_output=True, text=True, timeout=600, check=False
        )
        spoilt = proxy.end()
        assert done.returncode == 0, done.stderr[-4000:]
        told = json.loads(done.stdout.splitlines()[-1])
        issued, records = sim.ledger.issued(), sim.ledger.records()
        uploads = [record for event in sim.ledger.events("upload") for record in event["records"]]
    with Outbox(database_url, ring=ring) as outbox:
        ledger = _judged(outbox, issued, records, uploads)
        lines = outbox.verify_trail()
    ledger |= {"database": kind, "seed": seed, "kills": told["killed"], "lives": told["lives"], "audit_lines": lines}
    ledger |= {"spoilt": sum(spoilt.values()), "steps": told["steps"], "aimed": told["aimed"]}
    record_property("ledger", ledger)

    assert told["killed"] - told["aimed"] >= KILLS[kind]
    # At every step, inside and between all transactions, at least one was killed.
    assert [] == told["left"]
    assert {"open", "numbered", "written", "filled_and_queued", "claim", "sent_and_claim", "unchecked", "checked"} <= set(
        told["doing"]
    )
    # Every kind but what needs more bytes than came.
    assert len(spoilt) >= len(KINDS) - 2, spoilt
    assert ledger["issued"] > told["killed"] / 4
    assert ledger["accepted"] > ledger["issued"] / 2
    assert (0, 0) == (ledger["lost"], ledger["sent_wrong"])
    assert ledger["issued"] == ledger["accepted"] + ledger["with_a_person"]


@dataclass
class _Proxy:
    """``nhirx.sim.proxy`` as a process of its own: the network between the counter and everything else."""

    process: subprocess.Popen[str]
    url: str

    def end(self) -> dict[str, int]:
        """How often it spoilt a connection in which way."""
        said, _ = self.process.communicate(timeout=30)
        spoilt: dict[str, int] = json.loads(said)
        return spoilt


def _proxy(port: int, seed: int) -> _Proxy:
    words = ["--to", f"127.0.0.1:{port}", "--chance", "0.025", "--seed", str(seed), "--seconds", "0.05", "--hang", "0.2"]
    process = subprocess.Popen(
        [sys.executable, "-m", "nhirx.sim.proxy", *words, "--until-stdin-closes"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return _Proxy(process, json.loads(process.stdout.readline())["url"])


def _through(settings: Settings, url: str) -> Settings:
    """The same settings with every service behind ``url``. TLS goes through to the sandbox."""
    part = {"url": url}
    control = settings.control.model_copy(
        update={
            "local": settings.control.local.model_copy(update=part),
            "data_centre": settings.control.data_centre.model_copy(update=part),
        }
    )
    upload = settings.upload.model_copy(update={"service": settings.upload.service.model_copy(update=part)})
    return settings.model_copy(update={"control": control, "upload": upload})


def _judged(outbox: Outbox, issued: dict[str, Any], records: dict[str, Any], uploads: list[dict[str, Any]]) -> dict[str, int]:
    accepted = with_a_person = lost = sent_wrong = 0
    for visit_id, event in issued.items():
        mine = outbox.queue.find(visit_id=visit_id)
        at_the_nhi = records.get(visit_id, {}).get("state")
        if at_the_nhi == "accepted" and [item.state for item in mine].count("accepted") == 1:
            accepted += 1
        elif any(one.state in ("opened", "held") for one in outbox.journal.of_person(event["national_id"])):
            with_a_person += 1  # the number was taken and its answer never arrived: the journal shows the intent
        else:
            lost += 1
    for record in uploads:
        (item,) = outbox.queue.find(visit_id=record["visit_id"])
        signed = issued[record["visit_id"]]["national_id"]
        same = record["fields"] == item.record.fields and record["orders"] == list(item.record.orders)
        if not same or record["fields"]["M03"] != signed or not VisitId.parse(record["visit_id"]).belongs_to(signed):
            sent_wrong += 1
    return {
        "issued": len(issued),
        "accepted": accepted,
        "with_a_person": with_a_person,
        "lost": lost,
        "sent_wrong": sent_wrong,
        "uploads": len(uploads),
        "sent_again": sum(record["versions"] > 1 for record in records.values()),
    }

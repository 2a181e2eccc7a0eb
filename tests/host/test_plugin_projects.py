"""Plugins of this repository at a real counter: found in the pharmacy's own data, accepted, and noted there."""

from __future__ import annotations

import csv
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from nhirx_csv import CsvPlugin
from nhirx_tutorial import TutorialPlugin

from nhirx.host import Host
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings
from nhirx.sim import Simulator


def whole_way(sim: Simulator, folder: Path, clock: Callable[[], Any], plugins: Plugins, visit_id: str) -> str:
    """From the scanned ID to the NHI's answer, with nothing but what the plugins know; the state of the record."""
    settings = sim.settings().model_copy(
        update={"outbox": sim.settings().outbox.model_copy(update={"url": f"sqlite:///{(folder / 'o.sqlite').as_posix()}"})}
    )
    scan: Any = SimpleNamespace(visit_id=visit_id, visit_ids=(visit_id,), codes=(), status="found", confidence="agreed")
    with Host(settings, plugins=plugins, clock=clock) as host:
        prescription = host.find_prescription(scan)
        assert prescription is not None
        done = host.dispense(prescription, host.facts(prescription, scan=scan))
        worker = host.worker()
        for _ in range(20):
            worker.step()
            host.outbox.queue.hurry()
            state = host.outbox.queue.item(done.queued or 0).state
            if state not in {"built", "sending", "sent"}:
                break
        return state


def test_csv_export_to_results(sim: Simulator, tmp_path: Path, clock: Any, sheet_id: str) -> None:
    """A folder of exports in, a results file out, with the reference of the pharmacy's system on every line."""
    export = tmp_path / "export"
    export.mkdir()
    head = (
        "處方編號,就醫識別碼,就醫序號,身分證號,出生日期,院所代號,就醫日期時間,院所格式,診斷碼,給藥日份,給付類別,藥費,部分負擔,"
        "調劑序次,可調劑次數,本次日數,總日數,藥品代碼,用法,天數,總量,途徑"
    )
    row = f"rx-9,{sheet_id},0007,A123456789,0501231,3502060427,1151118093000,2.0,I10,28,4,600,0,1,3,28,84,AC12345100,QD,28,28,PO"
    (export / "a.csv").write_bytes(f"{head}\r\n{row}\r\n".encode("cp950"))
    plugins = Plugins(PluginSettings(options={"csv": {"folder": str(export)}}), discover=False)
    plugins.register(CsvPlugin(now=clock), "csv")

    state = whole_way(sim, tmp_path, clock, plugins, sheet_id)
    results = list(csv.DictReader((tmp_path / "nhirx-results.csv").read_text("utf-8-sig").splitlines()))

    assert "accepted" == state
    assert [("queued", "rx-9"), ("accepted", "rx-9")] == [(line["state"], line["reference"]) for line in results]
    assert results[1]["opcode"]


def test_plugin_of_the_howto_to_the_opcode(sim: Simulator, tmp_path: Path, clock: Any, sheet_id: str) -> None:
    """What a newcomer writes in forty lines takes a prescription from a database to an accepted record, noted in it."""
    database = sqlite3.connect(tmp_path / "pharmacy.db")
    script = (
        (Path(__file__).parents[2] / "docs" / "howto" / "write-a-plugin.md")
        .read_text("utf-8")
        .split("```sql\n")[1]
        .split("```")[0]
    )
    database.executescript(script)
    sheet = [sheet_id, "0007", "3502060427", "1151118093000", "A123456789", "0501231", "I10", 3, "4", 600]
    database.execute("INSERT INTO prescription VALUES (7, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", sheet)
    database.execute("INSERT INTO drug VALUES (7, 'AC12345100', 'TID', 3, 9, 'PO')")
    database.commit()
    plugins = Plugins(PluginSettings(options={"tutorial": {"database": str(tmp_path / "pharmacy.db")}}), discover=False)
    plugins.register(TutorialPlugin(), "tutorial")

    state = whole_way(sim, tmp_path, clock, plugins, sheet_id)
    ((opcode,),) = database.execute("SELECT opcode FROM prescription").fetchall()
    database.close()

    assert "accepted" == state
    assert opcode

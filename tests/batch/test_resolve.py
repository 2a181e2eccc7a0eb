"""From the pages of a batch to plans: what becomes of each page, and exactly one line a page whatever ends the run.

Long because all of it stands on one pharmacy system of invented sheets, which is worth reading once.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from nhirx import hookimpl
from nhirx.batch import plans
from nhirx.batch.plans import Planning
from nhirx.batch.resolve import Resolver
from nhirx.cli import main
from nhirx.errors import BatchExists, ComponentMissing, SettingMissing
from nhirx.host import Host
from nhirx.model import CardFacts, CardReading, Finding, Order, Patient, Prescription, PrescriptionFacts
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.roc import TAIPEI
from nhirx.settings import Settings
from samples.ids import visit_id

AT = datetime(2026, 11, 20, 9, 0, 13, tzinfo=TAIPEI)
PERSON = "A123456789"


def sheet(seconds=0):
    """A visit ID of the patient of these tests, made two days before the dispensing."""
    return visit_id(PERSON, AT - timedelta(days=2, seconds=seconds), "7TEST0")


def prescription(text, **changes):
    usual = Prescription(
        patient=Patient(national_id=PERSON, birth_date="0501231"),
        sheet=PrescriptionFacts(
            visit_id=text,
            visit_serial="0007",
            institution="3502060427",
            visited_at=AT - timedelta(days=2),
            prescriber_format="2.0",
        ),
        diagnoses=("I10",),
        days=7,
        payment_category="4",
        fee=300,
        orders=(Order(code="AC12345100", usage="TID", days=7, total=21, route="PO"),),
        reference="rx-1",
    )
    return Prescription.model_validate(dict(usual) | changes)


class System:
    """A pharmacy system: prescriptions by visit ID; ``asked`` is for whom it was asked."""

    def __init__(self, *known):
        self.known = {one.sheet.visit_id: one for one in known}
        self.asked = []

    @hookimpl
    def nhirx_find_prescription(self, scan):
        self.asked.append(scan.visit_id)
        if scan.visit_id == "broken":
            raise RuntimeError("A123456789")
        return self.known.get(scan.visit_id)


def settings(**changes):
    tree = {
        "pharmacy": {"institution": "5901012345", "pharmacist": "B223456782"},
        "record": {"medical_category": "00"},
    }
    for name, table in changes.items():
        tree[name] = tree.get(name, {}) | table
    return Settings.model_validate(tree)


@pytest.fixture
def open_host():
    """A host with ``plugin`` in it, and no other."""
    hosts = []

    def make(plugin, clock=lambda: AT, **changes):
        loaded = Plugins(discover=False)
        if plugin is not None:
            loaded.register(plugin, "system")
        hosts.append(Host(settings(**changes), plugins=loaded, clock=clock))
        return hosts[-1]

    yield make
    for host in hosts:
        host.close()


def row(text, number=1, **changes):
    """A line of ``results.jsonl``."""
    usual = {
        "path": f"{number:03d}.png",
        "page": 1,
        "status": "found" if text else "none",
        "visit_id": text,
        "visit_ids": [text] if text else [],
        "codes": [],
        "evidence": [],
        "confidence": "checked" if text else None,
        "reasons": [],
        "same_visit_id_as": None,
        "same_picture_as": None,
        "review": None,
    }
    return usual | changes


@pytest.fixture
def planned(tmp_path):
    """Plan rows: ``lines`` of plans.jsonl, ``counts``."""
    out = tmp_path / "out"

    def call(host, *rows, at=AT, outbox=None, whole_ids=False):
        (out / "work").mkdir(parents=True, exist_ok=True)
        (out / "results.jsonl").write_text("".join(json.dumps(one) + "\n" for one in rows))
        counts = plans.write(out, Planning(host, at, outbox), whole_ids=whole_ids)
        text = (out / "plans.jsonl").read_bytes()
        return SimpleNamespace(
            lines=[json.loads(line) for line in text.splitlines()], counts=counts, bytes=text, work=out / "work"
        )

    return call


def codes(line, severity="block"):
    return [finding["code"] for finding in line["findings"] if finding["severity"] == severity]


def test_page_with_its_prescription_is_planned(open_host, planned):
    """Down to the checks of the record, masked, and nothing was asked of a card: there is none here."""
    done = planned(open_host(System(prescription(sheet()))), row(sheet()))

    (line,) = done.lines
    assert ("planned", "rx-1", "upload", "1.53", "card", "upload") == tuple(
        line[name] for name in ("status", "reference", "action", "call", "needs", "run")
    )
    assert [] == codes(line)
    assert PERSON not in done.bytes.decode()
    assert sheet() not in done.bytes.decode()
    assert ("A1", {"planned": 1}, {"upload": 1}, {"card": 1}) == tuple(
        done.counts[name] for name in ("mode", "by_status", "run", "needs")
    )


def test_whole_ids_where_asked_for(open_host, planned):
    (line,) = planned(open_host(System(prescription(sheet()))), row(sheet()), whole_ids=True).lines

    assert (sheet(), PERSON, sheet()) == (line["visit_id"], line["fields"]["M03"], line["fields"]["M16"])


def test_every_page_has_one_line_and_its_reason(open_host, planned):
    host = open_host(System(prescription(sheet())))
    place = {"path": "001.png", "page": 1}
    done = planned(
        host,
        row(sheet(), 1),
        row(sheet(5), 2),
        row(None, 3),
        row(None, 4, status="error", error={"code": "file-empty", "zh": "", "en": ""}),
        row(None, 5, status="several", visit_ids=[sheet(6), sheet(7)]),
        row(sheet(), 6, same_visit_id_as=place),
        row(sheet(8), 7, confidence="ocr"),
        row("broken", 8),
        row(None, 9, status="conflict"),
    )

    assert [
        ("planned", []),
        ("no-prescription", ["no-prescription"]),
        ("no-id", ["none"]),
        ("no-id", ["error"]),
        ("blocked", ["several-sheets"]),
        ("blocked", ["same-visit-id"]),
        ("no-prescription", ["no-prescription"]),
        ("blocked", ["plugin-failed"]),
        ("no-id", ["conflict"]),
    ] == [(line["status"], codes(line)) for line in done.lines]
    assert {"blocked": 3, "no-id": 3, "no-prescription": 2, "planned": 1} == done.counts["by_status"]
    assert {"plugin-failed": 1, "same-visit-id": 1, "several-sheets": 1} == {
        code: stop["pages"] for code, stop in done.counts["stops"].items()
    }
    assert all(finding["zh"] and finding["en"] for line in done.lines for finding in line["findings"])
    assert PERSON not in done.bytes.decode()


def test_reading_of_text_only_waits_for_a_person(open_host, planned):
    (line,) = planned(open_host(System(prescription(sheet()))), row(sheet(), confidence="ocr")).lines

    assert ("blocked", ["unconfirmed-reading"]) == (line["status"], codes(line))


def test_check_of_the_record_blocks_with_its_field(open_host, planned):
    """No diagnosis: the rules have nothing against it, the check of the record has."""
    (line,) = planned(open_host(System(prescription(sheet(), diagnoses=()))), row(sheet())).lines

    assert "blocked" == line["status"]
    assert "M35" in {finding["field"] for finding in line["findings"] if finding["severity"] == "block"}
    assert (None, None) == (line["needs"], line["run"])


def test_plugin_may_block(open_host, planned):
    class Stern(System):
        @hookimpl
        def nhirx_check(self, plan):
            return Finding(code="stern", severity="block", zh="不行", en=f"no, {PERSON}")

    (line,) = planned(open_host(Stern(prescription(sheet()))), row(sheet())).lines

    assert ("blocked", ["stern"]) == (line["status"], codes(line))
    assert PERSON not in line["findings"][-1]["en"]


def test_sheet_that_only_the_pharmacy_system_knows(open_host, planned):
    """No code could be read, and the system names the prescription all the same, with its visit ID."""

    class Knows(System):
        @hookimpl
        def nhirx_find_prescription(self, scan):
            return prescription(sheet())

    (line,) = planned(open_host(Knows()), row(None, status="unreadable")).lines

    assert "planned" == line["status"]


@pytest.mark.parametrize(
    ("pharmacy", "upload", "later", "expected"),
    [
        ({}, {}, timedelta(hours=1), ("upload", "card")),
        ({}, {}, timedelta(hours=25), ("late", "card")),
        ({}, {"mode": "A2"}, timedelta(hours=1), ("precheck", "card")),
        ({"format2_since": "1160101"}, {}, timedelta(hours=1), ("precheck", "card")),
        ({"format2_since": "1151121"}, {}, timedelta(days=3), ("late", "old-record")),
    ],
    ids=["today", "after-a-day", "mode-a2", "before-the-go-live", "never-sent-before-the-go-live"],
)
def test_what_a_plan_is_for(open_host, planned, pharmacy, upload, later, expected):
    """Today's upload, a late one, or one for the 預檢; and what the record still lacks."""
    host = open_host(System(prescription(sheet())), clock=lambda: AT + later, pharmacy=pharmacy, upload=upload)
    (line,) = planned(host, row(sheet())).lines

    assert expected == (line["run"], line["needs"])


def test_sheet_that_was_dispensed_already(open_host, planned, tmp_path):
    """Its record in the queue, or the dispensing that is held, is named instead of a second one being planned."""
    from nhirx import resolver

    mine, other = prescription(sheet()), prescription(sheet(9))
    host = open_host(System(mine, other))
    outbox = Outbox(f"sqlite:///{(tmp_path / 'outbox.sqlite').as_posix()}", clock=lambda: AT, ring=KeyRing.new())
    facts = host.facts(mine)
    plan = host.plan(facts, mine)
    reading = CardReading(
        made_by="card", visited_at=AT, institution="5901012345", visit_id=visit_id(PERSON, AT, "7TEST1"), sam_id="0" * 12,
        card_number="0" * 12, security_signature="0" * 256,
    )  # fmt: skip
    begun = outbox.journal.open(plan, mine, facts)
    outbox.journal.numbered(begun, reading)
    record = resolver.fill(plan, reading, mine, ["0" * 40], settings=host.settings)
    queued = outbox.journal.filled_and_queued(begun, record)
    owed = host.facts(other, card=CardFacts(state="absent"))
    held = outbox.journal.open(host.plan(owed, other), other, owed)
    outbox.journal.hold(held)

    done = planned(host, row(sheet(), 1), row(sheet(9), 2), outbox=outbox)
    outbox.close()

    assert [
        ("dispensed", {"queue": queued, "dispensing": begun, "state": "built"}),
        ("dispensed", {"queue": None, "dispensing": held, "state": "held"}),
    ] == [(line["status"], line["record"]) for line in done.lines]
    assert {"built": 1, "held": 1} == done.counts["records"]


def test_stopped_and_resumed_is_the_same_as_undisturbed(open_host, planned, monkeypatch, tmp_path):
    """Stopped at every page in turn, the last line cut in half each time: the same bytes, and no page planned twice."""
    system = System(*(prescription(sheet(number)) for number in range(0, 8, 2)))
    rows = [row(sheet(number), number) for number in range(8)]
    whole = planned(open_host(system), *rows).bytes
    (tmp_path / "out").rename(tmp_path / "undisturbed")
    line, made = Resolver.line, []

    def stops(resolver, one):
        if len(made) in (1, 3, 4, 7) and one["path"] not in stopped:
            stopped.add(one["path"])
            raise KeyboardInterrupt
        made.append(one["path"])
        return line(resolver, one)

    stopped = set()
    monkeypatch.setattr(Resolver, "line", stops)
    for _ in range(4):
        with pytest.raises(KeyboardInterrupt):
            planned(open_host(system, clock=lambda: AT + timedelta(hours=5)), *rows, at=None if made else AT)
        with (tmp_path / "out" / "work" / "plans.jsonl").open("ab") as file:
            file.write(b'{"path": "0')
    done = planned(open_host(system, clock=lambda: AT + timedelta(hours=5)), *rows, at=None)

    assert whole == done.bytes
    assert [one["path"] for one in rows] == made


def test_a_later_run_asks_again_for_what_was_missing(open_host, planned):
    """The export came later: what was planned stays, the others are asked about again."""
    system = System(prescription(sheet(1)))
    rows = [row(sheet(number), number) for number in range(3)]
    planned(open_host(system), *rows)
    system.known[sheet(2)] = prescription(sheet(2))
    system.asked.clear()
    done = planned(open_host(system), *rows)

    assert ["no-prescription", "planned", "planned"] == [line["status"] for line in done.lines]
    assert [sheet(0), sheet(2)] == system.asked


def test_another_time_begins_anew(open_host, planned):
    system = System(prescription(sheet()))
    planned(open_host(system), row(sheet()))
    done = planned(open_host(system), row(sheet()), at=AT + timedelta(hours=1))

    assert "2026-11-20T10:00:13+08:00" == done.counts["at"]
    assert 2 == len(system.asked)


def test_pages_that_came_later_are_added(open_host, planned):
    """As a watched folder does."""
    system = System(prescription(sheet(0)), prescription(sheet(1)))
    planned(open_host(system), row(sheet(0), 0))
    done = planned(open_host(system), row(sheet(0), 0), row(sheet(1), 1))

    assert ["planned", "planned"] == [line["status"] for line in done.lines]
    assert [sheet(0), sheet(1)] == system.asked


def test_the_word_of_a_person_goes_before_what_was_read(open_host, planned, tmp_path):
    """After the review the pages that were decided about are planned with it, also one that was planned before."""
    system = System(prescription(sheet(0)), prescription(sheet(1)))
    rows = [
        row(None, 0),
        row(sheet(2), 1, confidence="single"),
        row(sheet(0), 2, confidence="ocr"),
        row(None, 3),
        row(sheet(1), 4),
        row(None, 5, status="conflict"),
    ]
    before = planned(open_host(system), *rows)
    decisions = [
        (0, "visit-id", [sheet(0)]),
        (1, "visit-id", [sheet(7)]),
        (1, "visit-id", [sheet(1)]),
        (2, "visit-id", [sheet(0)]),
        (3, "later", []),
        (4, "not-prescription", []),
        (5, "illegible", []),
    ]
    told = [{"path": rows[at]["path"], "page": 1, "decision": word, "visit_ids": ids} for at, word, ids in decisions]
    text = "".join(json.dumps(one) + "\n" for one in told) + '{"path": "half'
    (tmp_path / "out" / "decisions.jsonl").write_text(text)
    after = planned(open_host(system), *rows)

    assert ["no-id", "no-prescription", "blocked", "no-id", "planned", "no-id"] == [line["status"] for line in before.lines]
    assert ["planned", "planned", "blocked", "no-id", "no-id", "no-id"] == [line["status"] for line in after.lines]
    assert ["same-visit-id"] == codes(after.lines[2])


_RUN = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from test_resolve import AT, System, prescription, settings, sheet
from nhirx import hookimpl
from nhirx.batch import plans
from nhirx.host import Host
from nhirx.plugin.manager import Plugins
class Mortal(System):
    @hookimpl
    def nhirx_find_prescription(self, scan):
        if len(self.asked) == int(sys.argv[2]):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().nhirx_find_prescription(scan)
loaded = Plugins(discover=False)
loaded.register(Mortal(*(prescription(sheet(number)) for number in range(0, 200, 2))), "system")
with Host(settings(), plugins=loaded, clock=lambda: AT) as host:
    plans.write(Path(sys.argv[1]), plans.Planning(host, AT), whole_ids=False)
"""


def test_killed_and_resumed(open_host, planned, tmp_path):
    """SIGKILL at some page, three times: the bytes of an undisturbed run, a line a page, no finished page asked for again."""
    rows = [row(sheet(number), number) for number in range(200)]
    whole = planned(open_host(System(*(prescription(sheet(number)) for number in range(0, 200, 2)))), *rows).bytes
    out = tmp_path / "killed"
    (out / "work").mkdir(parents=True)
    (out / "results.jsonl").write_bytes((tmp_path / "out" / "results.jsonl").read_bytes())
    here = Path(__file__).resolve()
    ended = []
    for deadly in (20, 0, 150, -1):
        command = [sys.executable, "-c", _RUN, str(out), str(deadly), str(here.parent), str(here.parents[2])]
        process = subprocess.run(command, check=False)
        ended.append((process.returncode, (out / "work" / "plans.jsonl").read_bytes().count(b"\n")))

    assert [(-signal.SIGKILL, 20), (-signal.SIGKILL, 20), (-signal.SIGKILL, 170), (0, 201)] == ended
    assert whole == (out / "plans.jsonl").read_bytes()
    assert 200 == len(whole.splitlines())


def test_what_would_stop_every_page_is_told_first(open_host):
    with pytest.raises(ComponentMissing):
        Planning(open_host(None)).check()
    with pytest.raises(SettingMissing):
        Planning(open_host(System(), pharmacy={"institution": None})).check()
    Planning(open_host(System())).check()


def test_batch_from_pages_to_plans(tmp_path, draw, batch, open_host):
    """From the pictures on: summary, report and plans tell the same; a second run with other sources is refused."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, text in (("a", sheet()), ("b", None)):
        (folder / f"{name}.png").write_bytes(draw.png(draw.page(text)))
    done = batch(folder, planning=Planning(open_host(System(prescription(sheet()))), AT))

    lines = [json.loads(line) for line in (done.out / "plans.jsonl").read_text("utf-8").splitlines()]
    assert ["planned", "no-id"] == [line["status"] for line in lines]
    assert {"no-id": 1, "planned": 1} == done.summary["plans"]["by_status"]
    assert json.loads((done.out / "summary.json").read_text("utf-8")) == done.summary
    report = (done.out / "report.html").read_text("utf-8")
    assert "處方與檢核" in report
    assert sheet() not in report
    with pytest.raises(BatchExists):
        batch(tmp_path, resume=True)


def test_command(tmp_path, draw, capfd, monkeypatch):
    """With an installed plugin, its exports and the settings file; no outbox is made by looking for one."""
    monkeypatch.setenv("NHIRX_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("NHIRX_BLOCK_PLUGINS", "tutorial,house-rules,watch,webhook,bridge,sql,fhir,dotmatrix,rxqr")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.png").write_bytes(draw.png(draw.page(sheet())))
    (tmp_path / "export").mkdir()
    (tmp_path / "export" / "a.csv").write_text(
        "處方編號,就醫識別碼,就醫序號,身分證號,出生日期,院所代號,就醫日期時間,診斷碼,給藥日份,給付類別,藥費,藥品代碼,用法,天數,總量,途徑\n"
        f"R1,{sheet()},0007,{PERSON},0501231,3502060427,1151118090013,I10,7,4,300,AC12345100,TID,7,21,PO\n",
        "utf-8",
    )
    (tmp_path / "nhirx.toml").write_text(
        '[pharmacy]\ninstitution = "5901012345"\npharmacist = "B223456782"\n[record]\nmedical_category = "00"\n'
        f"[plugins.options.csv]\nfolder = '{tmp_path / 'export'}'\n"
    )

    def call(*words):
        with pytest.raises(SystemExit) as caught:
            main(["batch", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--workers", "1", "--json", *words])
        return caught.value.code, json.loads(capfd.readouterr().out)

    config = ("--config", str(tmp_path / "nhirx.toml"))
    code, answer = call("--resolve", *config, "--at", "1151120090013")

    assert (0, {"planned": 1}) == (code, answer["plans"]["by_status"])
    assert "2026-11-20T09:00:13+08:00" == answer["plans"]["at"]
    assert not (tmp_path / "data" / "outbox.sqlite").exists()
    code, answer = call("--at", "1151120090013", "--resume")
    assert (2, "invalid-value") == (code, answer["error"]["code"])

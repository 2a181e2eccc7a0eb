"""Everything that a full run leaves behind is searched for the person: files, logs, what the commands print."""

from __future__ import annotations

import gzip
import io
import logging
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError

from nhirx import logs
from nhirx.errors import NhirxError
from nhirx.host import Host
from nhirx.model import Prescription
from nhirx.outbox import open_outbox
from nhirx.outbox.engine import Database
from nhirx.outbox.schema import queue
from nhirx.plugin.manager import Plugins
from nhirx.settings import OutboxSettings
from nhirx.sim import Simulator
from nhirx.sim.people import PEOPLE

NAME, NUMBER, BIRTH = "王小明", "A123456789", "0501231"


def _secrets(prescription: Prescription, made: str) -> list[bytes]:
    """Every spelling in which the person could be found."""
    words = [NAME, NUMBER, NUMBER[:9], BIRTH, "1961-12-31", prescription.sheet.visit_id or "", made]
    return [word.encode(encoding) for word in words if word for encoding in ("utf-8", "big5", "utf-16-le")]


def _found(data: bytes, secrets: list[bytes]) -> list[bytes]:
    return [secret for secret in secrets if secret in data]


class Server:
    """The files of the PostgreSQL behind ``url``: of its own database, and of what every database shares only what came since."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._folder = Path(url.partition("host=")[2])
        self._from = self._end()

    def left(self) -> dict[str, bytes]:
        """Tables, indexes, write-ahead log and the server's own log, by name."""
        with Database(self._url).engine.connect() as connection:
            connection.execute(text("CHECKPOINT"))
            oid = connection.execute(text("SELECT oid FROM pg_database WHERE datname = current_database()")).scalar()
        (first, start), (last, end) = self._from, self._end()
        data = self._folder / "data"
        found = {str(path): path.read_bytes() for path in (data / "base" / str(oid)).iterdir()}
        for path in (data / "pg_wal").iterdir():
            if path.is_file() and first <= path.name <= last:
                content = path.read_bytes()
                found[str(path)] = content[start if path.name == first else 0 : end if path.name == last else None]
        return found | {str(path): path.read_bytes() for path in self._folder.glob("*.log")}

    def _end(self) -> tuple[str, int]:
        with Database(self._url).engine.connect() as connection:
            row = connection.execute(
                text("SELECT file_name, file_offset FROM pg_walfile_name_offset(pg_current_wal_insert_lsn())")
            )
            name, offset = row.one()
        return str(name), int(offset)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where everything of this person lies, also what programs leave in homes, folders for temporary files and where they stand."""
    folder = tmp_path / "world"
    places = {
        "NHIRX_DATA": "home",
        "HOME": "user",
        "USERPROFILE": "user",
        "XDG_CACHE_HOME": "user/cache",
        "TMPDIR": "tmp",
        "TEMP": "tmp",
    }
    for variable, name in (places | {"XDG_DATA_HOME": "user/data", "XDG_STATE_HOME": "user/state"}).items():
        (folder / name).mkdir(parents=True, exist_ok=True)
        monkeypatch.setenv(variable, str(folder / name))
    monkeypatch.setattr("tempfile.tempdir", None)
    (folder / "here").mkdir()
    monkeypatch.chdir(folder / "here")
    return folder


def test_a_full_run_leaves_nothing_that_names_the_patient(
    tmp_path: Path,
    world: Path,
    database_url: str,
    clock: Callable[[], datetime],
    prescription: Prescription,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Database, write-ahead log, the server's files, key file, backup, export, temporary files, log at DEBUG, errors, what is printed."""
    home = world / "home"
    server = None if database_url.startswith("sqlite") else Server(database_url)
    url = f"sqlite:///{(home / 'outbox.sqlite').as_posix()}" if server is None else database_url
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(logs.MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("nhirx")
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    said: list[str] = []
    try:
        with Simulator(data=tmp_path / "sim", clock=clock) as sim:
            sim.behaviour.result_polls = 0
            settings = sim.settings().model_copy(update={"outbox": OutboxSettings(url=url)})
            with Host(settings, outbox=open_outbox(settings, clock=clock), plugins=Plugins(discover=False), clock=clock) as host:
                sim.insert_card(PEOPLE[1])
                for fault in ("wrong-card", "status-code"):
                    if fault == "status-code":
                        sim.insert_card()
                        sim.fail("/api/v1/SequelNumber/Next", "status-code", code=4050)
                    with pytest.raises(NhirxError) as stopped:
                        host.dispense(prescription, host.facts(prescription))
                    said += [str(stopped.value), repr(stopped.value), str(stopped.value.as_json())]
                done = host.dispense(prescription, host.facts(prescription))
                worker = host.worker()
                for _ in range(20):
                    worker.step()
                    host.outbox.queue.hurry()
                assert "accepted" == host.outbox.queue.item(done.queued or 0).state
                said += [repr(done), repr(done.record), repr(prescription), str(host.outbox.show(done.queued or 0))]
                made = done.record.visit_id if done.record else ""
                with host.outbox.database.writing() as connection, pytest.raises(DBAPIError):
                    # The database says why it refuses, and may quote the row in its log.
                    connection.execute(update(queue).values(state="nonsense"))
                commands = (("list", "--json"), ("backup", "backup.gz"), ("export", "export.jsonl"))
                commands = (
                    *(("outbox", *each) for each in commands),
                    ("audit", "list"),
                    ("doctor", "--only", "database", "--only", "clock"),
                )
                for words in commands if server is None else commands[:1]:
                    ended = subprocess.run(
                        [sys.executable, "-m", "nhirx", *words],
                        env=os.environ | {"NHIRX_OUTBOX_URL": url},
                        capture_output=True,
                        check=False,
                    )
                    said.append(ended.stdout.decode() + ended.stderr.decode())
                # While everything is open, so that the write-ahead log is searched too.
                left = {str(path.relative_to(world)): path.read_bytes() for path in world.rglob("*") if path.is_file()}
                left |= {"backup": gzip.decompress(left["here/backup.gz"])} if server is None else server.left()
    finally:
        root.removeHandler(handler)
        root.setLevel(logging.NOTSET)
    secrets = _secrets(prescription, made)

    assert ({"home/outbox.key", "backup", "here/export.jsonl"} if server is None else {"home/outbox.key"}) <= set(left)
    assert {} == {name: hits for name, data in left.items() if (hits := _found(data, secrets))}
    assert [] == _found(log.getvalue().encode(), secrets)
    assert {} == {words[:60]: hits for words in said if (hits := _found(words.encode(), secrets))}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_search_finds_what_a_server_keeps(database_url: str) -> None:
    """A name that somebody writes in clear is seen in the tables and in the write-ahead log: the search above can fail."""
    server = Server(database_url)
    with Database(database_url).engine.begin() as connection:
        connection.execute(text("CREATE TABLE careless AS SELECT CAST(:name AS text) AS name"), {"name": NAME})
    places = {name for name, data in server.left().items() if NAME.encode() in data}

    assert {True, False} == {"/pg_wal/" in name for name in places}

"""Every schema that pharmacies have on their disks is brought up to date with everything in it, on both databases."""

from __future__ import annotations

import base64
import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from nhirx.errors import FileDamaged, StoreError
from nhirx.outbox import Outbox, archive, engine, migrations
from nhirx.outbox.engine import Database
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.migrations import config, upgrade

FOLDER = Path(__file__).with_name("released")
FILES = sorted(FOLDER.glob("*.json"))


def put(connection: Connection, told: dict[str, Any]) -> None:
    """The rows as they were stored, without a word of today's program."""
    for line in told["rows"]:
        row = {name: value if not isinstance(value, dict) else _plain(value) for name, value in line["row"].items()}
        names = ", ".join(f'"{name}"' for name in row)
        places = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO {line['table']} ({names}) VALUES ({places})"), row)


def _plain(value: dict[str, Any]) -> Any:
    return value["t"] if "t" in value else base64.b64decode(value["b"])


def test_every_migration_has_its_released_outbox() -> None:
    """``python tests/outbox/released/make.py`` makes the one of a new schema."""
    scripts = ScriptDirectory.from_config(config())

    assert sorted(script.revision for script in scripts.walk_revisions()) == [file.stem for file in FILES]


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_released_outbox_is_brought_up_to_date_with_everything_in_it(file: Path, database_url: str) -> None:
    told = json.loads(file.read_text("utf-8"))
    ring = KeyRing.parse(json.dumps(told["ring"]))
    database = Database(database_url)
    with database.writing() as connection:
        upgrade(connection, file.stem)
        put(connection, told)
    database.close()
    with Outbox(database_url, ring=ring) as outbox:
        problems, lines = archive.inspect(outbox), outbox.verify_trail()
        states = {name: number for name, number in outbox.counts().items() if number}
        people = [one.state for one in outbox.journal.of_person("A123456789")]
        ids = {item.record.visit_id for item in outbox.queue.find()}

    events = sum(line["table"] == "events" for line in told["rows"])
    records = [line["row"] for line in told["rows"] if line["table"] == "queue"]

    assert ([], events) == (problems, lines)
    assert ["abandoned", "filled", "held", "numbered", "opened"] == people
    assert {"unfinished": 2, "held": 1} == {name: states.pop(name) for name in ("unfinished", "held")}
    assert states == {state: [row["state"] for row in records].count(state) for state in {row["state"] for row in records}}
    assert len(ids) == len(records) == 7


def backup(path: Path, told: dict[str, Any], ring: KeyRing, schema: str) -> None:
    """A backup as the program of ``schema`` wrote it."""
    digest, lines = ring.chain("", "nhirx-outbox-backup"), []
    for line in told["rows"]:
        lines.append(json.dumps({"table": line["table"], "row": line["row"]}).encode() + b"\n")
        digest = ring.chain(digest, lines[-1].decode())
    head = {"format": "nhirx-outbox-backup", "version": 1, "schema": schema, "made_at": "2026-01-02T03:04:05+08:00"}
    foot = {"rows": len(lines), "digest": digest}
    path.write_bytes(gzip.compress(b"".join([json.dumps(head).encode() + b"\n", *lines, json.dumps(foot).encode() + b"\n"])))


@pytest.mark.parametrize("tomorrow", [False, True], ids=["today", "tomorrow"])
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_backup_of_a_released_schema_is_restored(
    file: Path, tomorrow: bool, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By today's program and by one whose schema has gone on since: then the rows go through the newer migration."""
    told = json.loads(file.read_text("utf-8"))
    ring = KeyRing.parse(json.dumps(told["ring"]))
    backup(tmp_path / "backup.gz", told, ring, file.stem)
    if tomorrow:
        _schema_goes_on(tmp_path / "tomorrow", monkeypatch)
    with Outbox(database_url, ring=ring) as outbox:
        rows = archive.restore(outbox, tmp_path / "backup.gz")
        problems, lines = archive.inspect(outbox), outbox.verify_trail()
        ids = {item.record.visit_id for item in outbox.queue.find()}
        with outbox.database.reading() as connection:
            kinds = {kind for (kind,) in connection.execute(text("SELECT kind FROM queue"))}

    stored = {line["row"]["kind"] for line in told["rows"] if line["table"] == "queue"}

    assert [] == problems
    assert len(told["rows"]) == rows
    assert sum(line["table"] == "events" for line in told["rows"]) == lines
    assert 7 == len(ids)
    assert kinds == ({"moved"} if tomorrow else stored)
    assert [] == list(tmp_path.rglob("nhirx-restore-*")), "the copy beside is gone"


def test_a_damaged_backup_of_an_older_schema_reaches_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = json.loads(FILES[0].read_text("utf-8"))
    ring = KeyRing.parse(json.dumps(told["ring"]))
    line = next(line for line in told["rows"] if line["table"] == "events")
    line["row"]["who"] = "somebody else"
    backup(tmp_path / "backup.gz", told, ring, FILES[0].stem)
    _schema_goes_on(tmp_path / "tomorrow", monkeypatch)
    with Outbox(f"sqlite:///{tmp_path / 'restored.sqlite'}", ring=ring) as outbox:
        with pytest.raises(FileDamaged, match="audit trail"):
            archive.restore(outbox, tmp_path / "backup.gz")

        assert 0 == sum(outbox.counts().values())
        assert [] == list(tmp_path.rglob("nhirx-restore-*"))


def test_a_backup_of_a_newer_schema_is_refused(tmp_path: Path) -> None:
    told = json.loads(FILES[0].read_text("utf-8"))
    ring = KeyRing.parse(json.dumps(told["ring"]))
    backup(tmp_path / "backup.gz", told, ring, "9999")
    with Outbox(f"sqlite:///{tmp_path / 'restored.sqlite'}", ring=ring) as outbox:
        with pytest.raises(StoreError, match="9999"):
            archive.restore(outbox, tmp_path / "backup.gz")

        assert 0 == sum(outbox.counts().values())


def _schema_goes_on(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more migration after the newest, which changes what the rows hold and adds a column."""
    folder.mkdir()
    newest = FILES[-1].stem
    (folder / "9000_tomorrow.py").write_text(
        "import sqlalchemy as sa\nfrom alembic import op\n\n"
        f"revision, down_revision, branch_labels, depends_on = '9000', '{newest}', None, None\n\n\n"
        "def upgrade():\n"
        "    op.add_column('queue', sa.Column('later', sa.Text()))\n"
        "    op.execute(\"UPDATE queue SET kind = 'moved'\")\n",
        encoding="utf-8",
    )
    released = Path(migrations.__file__).with_name("versions")
    plain = migrations.config

    def longer(connection: Connection | None = None) -> Config:
        made = plain(connection)
        made.set_main_option("path_separator", "os")
        made.set_main_option("version_locations", f"{released}{os.pathsep}{folder}")
        return made

    monkeypatch.setattr(migrations, "config", longer)
    monkeypatch.setattr(archive, "HEAD", "9000")
    monkeypatch.setattr(engine, "HEAD", "9000")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_released_migration_is_never_changed(file: Path, tmp_path: Path) -> None:
    """What it makes is what it made when it was released: pharmacies that ran it will not run it again."""
    database = Database(f"sqlite:///{tmp_path / 'outbox.sqlite'}")
    with database.writing() as connection:
        upgrade(connection, file.stem)
        words = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name")
        schema = [sql for (sql,) in words if "sqlite_sequence" not in sql]
    database.close()

    assert json.loads(file.read_text("utf-8"))["schema"] == schema

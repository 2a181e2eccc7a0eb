"""Every schema that pharmacies have on their disks is brought up to date with everything in it, on both databases."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from nhirx.outbox import Outbox, archive
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

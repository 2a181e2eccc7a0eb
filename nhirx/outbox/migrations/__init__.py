"""Numbered changes of the schema, run with Alembic when a database is older than the program."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config(connection: Connection | None = None) -> Config:
    made = Config(attributes={"connection": connection})
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return made


def upgrade(connection: Connection, to: str = "head") -> None:
    """Run what is missing up to ``to`` inside the transaction that ``connection`` is in."""
    command.upgrade(config(connection), to)

"""The SQL plugin on SQLite and on PostgreSQL, with a schema such as pharmacy programs have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from nhirx_sql import SqlPlugin
from sqlalchemy import Column, Date, DateTime, Engine, Integer, MetaData, Numeric, String, Table, create_engine, select

from nhirx.errors import PluginFailed, PluginRefused
from nhirx.model import CardReading, CheckError, Prescription, Receipt, UploadRecord
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

VISIT_ID = "0USE4FA11RP4J370WR4K"  # of A123456789, made on 109-01-14 (derived)
NOW = datetime(2026, 11, 20, 1, 0, 13, tzinfo=UTC)
RECORD = UploadRecord(fields={"M15": VISIT_ID})
RECEIPT = Receipt(opcode="OP-1", received_at=NOW)

META = MetaData()
CUSTOMER = Table(
    "customer", META, Column("id", Integer, primary_key=True), Column("id_number", String(12)), Column("birthday", Integer)
)
PRESCRIPTION = Table(
    "prescription",
    META,
    Column("id", Integer, primary_key=True),
    Column("customer", Integer),
    Column("printed_visit_id", String(20)),
    Column("hospital", String(10)),
    Column("serial", Integer),
    Column("seen_at", DateTime),
    Column("seen_on", Date),
    Column("days", Integer),
    Column("icd", String(40)),
    Column("fill", Integer),
    Column("fills", Integer),
)
MEDICINE = Table(
    "medicine",
    META,
    Column("prescription", Integer),
    Column("nhi_code", String(12)),
    Column("frequency", String(18)),
    Column("amount", Numeric(10, 2)),
)
WAITING = Table(
    "waiting",
    META,
    Column("prescription", Integer),
    Column("state", String(20)),
    Column("opcode", String(30)),
    Column("codes", String(200)),
    Column("words", String(400)),
    Column("done_at", DateTime),
)
HEAD = """SELECT p.id AS reference, c.id_number AS national_id, c.birthday AS birth_date, p.hospital AS institution,
  p.serial AS visit_serial, p.seen_at AS visited_at, p.days AS days, p.icd AS diagnoses, p.fill AS refill_number, p.fills AS refill_of
  FROM prescription p JOIN customer c ON c.id = p.customer WHERE """
MAPPING = f'''
[find]
by_visit_id = """{HEAD} p.printed_visit_id = :visit_id"""
by_holder = """{HEAD} p.printed_visit_id IS NULL AND TRIM(c.id_number) = :national_id AND p.seen_on = :day"""
orders = "SELECT nhi_code AS code, frequency AS usage, amount AS total FROM medicine WHERE prescription = CAST(:reference AS INTEGER) ORDER BY nhi_code"

[news]
number_issued = "UPDATE waiting SET state = 'number', words = :visit_serial WHERE prescription = CAST(:reference AS INTEGER)"
dispensed = "UPDATE waiting SET state = 'dispensed' WHERE prescription = CAST(:reference AS INTEGER)"
queued = "INSERT INTO waiting (prescription, state) VALUES (CAST(:reference AS INTEGER), 'queued')"
accepted = "UPDATE waiting SET state = 'accepted', opcode = :opcode, done_at = :time WHERE prescription = CAST(:reference AS INTEGER)"
rejected = "UPDATE waiting SET state = 'rejected', codes = :errors, words = :words WHERE prescription = CAST(:reference AS INTEGER)"
'''


@pytest.fixture
def pharmacy(database_url: str) -> Iterator[Engine]:
    """A pharmacy's database with three prescriptions."""
    engine = create_engine(database_url.replace("postgresql:", "postgresql+psycopg:"))
    META.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            CUSTOMER.insert(),
            [
                {"id": 1, "id_number": "A123456789  ", "birthday": 501231},
                {"id": 2, "id_number": "B200000004", "birthday": 600101},
            ],
        )
        seen = datetime(2020, 1, 14, 23, 36, 15)  # noqa: DTZ001 - as such programs store it
        row = {
            "customer": 1,
            "printed_visit_id": VISIT_ID,
            "hospital": "3502060427",
            "serial": 7,
            "seen_at": seen,
            "seen_on": seen.date(),
            "days": 28,
            "icd": "E119,I10",
            "fill": 2,
            "fills": 3,
        }
        connection.execute(
            PRESCRIPTION.insert(), [{"id": 10} | row, {"id": 11} | row | {"customer": 2, "printed_visit_id": None}]
        )
        connection.execute(
            MEDICINE.insert(),
            [
                {"prescription": 10, "nhi_code": code, "frequency": "QD", "amount": Decimal(amount)}
                for code, amount in (("AC12345100", "28"), ("BC22222100", "2.5"))
            ],
        )
    yield engine
    engine.dispose()


@pytest.fixture
def host(pharmacy: Engine, tmp_path: Path) -> Iterator[Any]:
    made = []

    def build(text: str = MAPPING, **options: Any) -> Plugins:
        (tmp_path / "mapping.toml").write_text(text, "utf-8")
        mine = {"mapping": str(tmp_path / "mapping.toml"), "url": pharmacy.url.render_as_string(hide_password=False)} | options
        plugins = Plugins(PluginSettings(options={"sql": mine}), discover=False)
        plugins.register(SqlPlugin(now=lambda: NOW), "sql")
        made.append(plugins)
        return plugins

    yield build
    for plugins in made:
        plugins.close()


def scan(visit_id: str | None = VISIT_ID) -> Any:
    return SimpleNamespace(visit_id=visit_id, codes=())


def test_finds_the_prescription(host):
    """Padded texts, ROC days and serials as integers, times without offset, decimals: all as the record needs them."""
    found = host().find_prescription(scan())

    assert ("10", "A123456789", date(1961, 12, 31)) == (found.reference, found.patient.national_id, found.patient.birth_date)
    assert ("3502060427", "0007", VISIT_ID) == (found.sheet.institution, found.sheet.visit_serial, found.sheet.visit_id)
    assert "2020-01-14T23:36:15+08:00" == found.sheet.visited_at.isoformat()
    assert (2, 3, 28, ("E119", "I10")) == (found.sheet.refill.number, found.sheet.refill.of, found.days, found.diagnoses)
    assert [("AC12345100", 28.0), ("BC22222100", 2.5)] == [(order.code, order.total) for order in found.orders]


def test_unknown_sheet_is_not_found(host):
    assert host().find_prescription(scan("1USE4FA11RP4J370WR4M")) is None
    assert host().find_prescription(scan(None)) is None


def test_by_holder_where_the_system_has_no_visit_id(host, pharmacy):
    """By the person and the day inside the scanned ID; taken only when one fits."""
    with pharmacy.begin() as connection:
        connection.execute(PRESCRIPTION.update().where(PRESCRIPTION.c.id == 10).values(printed_visit_id=None))
    assert "10" == host().find_prescription(scan()).reference
    with pharmacy.begin() as connection:
        connection.execute(PRESCRIPTION.update().where(PRESCRIPTION.c.id == 11).values(customer=1))

    assert host().find_prescription(scan()) is None


def test_two_rows_for_one_visit_id_are_not_guessed_between(host, pharmacy):
    with pharmacy.begin() as connection:
        connection.execute(PRESCRIPTION.update().values(printed_visit_id=VISIT_ID))

    assert host().find_prescription(scan()) is None


def test_news_comes_into_the_tables(host, pharmacy):
    """From the queue to the answer, each step as the mapping says."""
    plugins = host()
    prescription = Prescription.model_validate({"patient": {"national_id": "A123456789", "birth_date": "0501231"}, "sheet": {}})
    steps = [
        lambda: plugins.record_queued(RECORD, "10"),
        lambda: plugins.visit_number_issued(
            CardReading(made_by="card", visited_at=NOW, institution="5901234567", visit_id=VISIT_ID, visit_serial="0008"), "10"
        ),
        lambda: plugins.dispensed(RECORD, prescription, "10"),
        lambda: plugins.record_rejected(RECORD, None, (CheckError(field="M15", code="D002", zh="識別碼有誤"),), "10"),
        lambda: plugins.record_accepted(RECORD, RECEIPT, "10"),
    ]
    states = []
    for step in steps:
        step()
        with pharmacy.connect() as connection:
            states.append(connection.execute(select(WAITING.c.state)).scalar_one())
    with pharmacy.connect() as connection:
        row = connection.execute(select(WAITING)).mappings().one()

    assert ["queued", "number", "dispensed", "rejected", "accepted"] == states
    assert ("OP-1", "M15:D002", "識別碼有誤") == (row["opcode"], row["codes"], row["words"])
    assert NOW.replace(tzinfo=None) == row["done_at"]


def test_news_about_nobodys_prescription_is_said(host, caplog):
    """An UPDATE that meets no row is logged, without the key."""
    host().record_accepted(RECORD, RECEIPT, "99")

    assert "changed no row" in caplog.text
    assert "99" not in caplog.text


def test_broken_statement_is_our_error_without_values(host, caplog):
    """The driver's text may repeat what was looked for; only its kind and code are told."""
    plugins = host(
        '[find]\nby_visit_id = "SELECT nothing FROM nowhere WHERE a = :visit_id"\n[news]\nqueued = "UPDATE nowhere SET a = :visit_id"'
    )

    with pytest.raises(PluginFailed) as caught:
        plugins.find_prescription(scan())
    plugins.record_queued(RECORD, "10")

    assert "nhirx-sql" in caught.value.en
    assert VISIT_ID not in caught.value.en + caplog.text
    assert "nhirx_record_queued" in caplog.text


def test_database_that_goes_away_and_comes_back(host, pharmacy):
    """A connection that died between two calls is replaced."""
    plugins = host()
    assert plugins.find_prescription(scan())
    if pharmacy.dialect.name == "postgresql":
        with pharmacy.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )

    assert plugins.find_prescription(scan())


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("", "find.by_visit_id"),
        ("[find]\nby_visit_id = ''", "find.by_visit_id"),
        ("[find]\nby_visit_id = 'SELECT 1 WHERE 1 = :visitid'", "visitid"),
        ("[find]\nby_visit_id = 'SELECT 1'\nby_name = 'SELECT 1'", "find.by_name"),
        ("[find]\nby_visit_id = 'SELECT 1'\n[news]\nacepted = 'SELECT 1'", "news.acepted"),
        ("[find]\nby_visit_id = 'SELECT 1'\n[nws]", "nws"),
        ("[find", "mapping.toml"),
    ],
)
def test_wrong_mapping_is_refused_at_start(host, text, where):
    with pytest.raises(PluginRefused, match=where):
        host(text)


@pytest.mark.parametrize(
    ("columns", "word"),
    [
        ("1 AS reference, 'A123456789' AS national_id, '0501231' AS birthdate", "birthdate"),
        ("1 AS reference, 'A1' AS national_id, '0501231' AS birth_date", "patient.national_id"),
        ("'A123456789' AS national_id, '0501231' AS birth_date", "reference"),
    ],
)
def test_wrong_column_is_named(host, columns, word):
    """A misspelt alias, a value that cannot be, a column that is missing."""
    plugins = host(f'[find]\nby_visit_id = "SELECT {columns}"\norders = "SELECT \'X\' AS code"')

    with pytest.raises(PluginFailed, match=word):
        plugins.find_prescription(scan())


@pytest.mark.parametrize(
    "options", [{"url": "no url"}, {"url": "nosuch://x"}, {"url": ""}, {"mapping": "/nowhere"}, {"urls": "x"}], ids=str
)
def test_wrong_options_are_refused(host, options, monkeypatch):
    monkeypatch.delenv("NHIRX_SQL_URL", raising=False)

    with pytest.raises(PluginRefused):
        host(**options)


def test_url_from_the_environment(host, pharmacy, monkeypatch):
    """Where a password belongs."""
    monkeypatch.setenv("NHIRX_SQL_URL", pharmacy.url.render_as_string(hide_password=False))

    assert host(url="").find_prescription(scan())


def test_idle_without_a_mapping():
    plugins = Plugins(discover=False)
    plugins.register(SqlPlugin(), "sql")
    plugins.record_queued(RECORD, "10")

    assert plugins.find_prescription(scan()) is None

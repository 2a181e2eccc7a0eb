"""The test of the how-to, as it stands there, and what happens without options and with wrong ones."""

import sqlite3
from types import SimpleNamespace

import pytest
from nhirx_tutorial import TutorialPlugin

from nhirx.errors import FileMissing


def test_finds_and_marks(tmp_path):
    path = tmp_path / "pharmacy.db"
    database = sqlite3.connect(path)
    database.execute(
        "CREATE TABLE prescription (id INTEGER PRIMARY KEY, visit_id, visit_serial, institution, visited_at,"
        " national_id, birth_date, diagnosis, days, payment_category, fee, opcode)"
    )
    database.execute("CREATE TABLE drug (prescription INTEGER, code, usage, days, total, route)")
    sheet = ["0USE4FA11RP4J370WR4K", "0007", "3502060427", "1090114233615", "A123456789", "0501231", "I10", 3, "4", 600]
    database.execute("INSERT INTO prescription VALUES (7, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)", sheet)
    database.execute("INSERT INTO drug VALUES (7, 'AC12345100', 'TID', 3, 9, 'PO')")
    database.commit()
    plugin = TutorialPlugin()
    plugin.nhirx_configure({"database": str(path)})

    found = plugin.nhirx_find_prescription(SimpleNamespace(visit_id="0USE4FA11RP4J370WR4K"))
    plugin.nhirx_record_accepted(SimpleNamespace(opcode="OP-1"), found.reference)

    assert "AC12345100" == found.orders[0].code
    assert [("OP-1",)] == database.execute("SELECT opcode FROM prescription").fetchall()
    database.close()
    plugin.db.close()


def test_idle_without_options():
    """Installed and not set up, it says nothing."""
    plugin = TutorialPlugin()
    plugin.nhirx_configure({})
    plugin.nhirx_record_accepted(SimpleNamespace(opcode="OP-1"), "7")

    assert plugin.nhirx_find_prescription(SimpleNamespace(visit_id="0USE4FA11RP4J370WR4K")) is None


def test_missing_database_is_an_error(tmp_path):
    """Named in the settings and not there: said at once, not at the first prescription."""
    with pytest.raises(FileMissing):
        TutorialPlugin().nhirx_configure({"database": str(tmp_path / "none.db")})

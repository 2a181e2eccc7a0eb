"""The plugin by itself; on real databases it is tested in the host's suite (tests/plugin/test_sql_databases.py)."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime
from decimal import Decimal

import pytest
from nhirx_sql.rows import plain

from nhirx.roc import TAIPEI


def test_idle_plugin_costs_nothing():
    """Installed and not set up, it does not load SQLAlchemy: every start of nhirx would wait for it."""
    code = "import nhirx_sql, sys; nhirx_sql.SqlPlugin().nhirx_configure({}); print('sqlalchemy' in sys.modules)"

    assert "False" == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("national_id", "A123456789  ", "A123456789"),
        ("visit_serial", "    ", None),
        ("visit_serial", 7, "0007"),
        ("birth_date", 501231, "0501231"),
        ("birth_date", Decimal(501231), "0501231"),
        ("birth_date", datetime(1961, 12, 31), date(1961, 12, 31)),  # noqa: DTZ001
        ("birth_date", date(1961, 12, 31), date(1961, 12, 31)),
        ("visited_at", datetime(2026, 11, 18, 9, 30), datetime(2026, 11, 18, 9, 30, tzinfo=TAIPEI)),  # noqa: DTZ001
        ("visited_at", date(2026, 11, 18), None),
        ("visited_at", 1151118093000, "1151118093000"),
        ("institution", 501234567, "0501234567"),
        ("total", Decimal("2.50"), 2.5),
        ("total", Decimal("28.00"), 28),
        ("payment_category", 4, "4"),
        ("days", 28, 28),
        ("long_term", True, True),
        ("fee", None, None),
    ],
)
def test_values_of_foreign_schemas(name, value, expected):
    """As such columns hold them; zeros that a number column has lost are put back."""
    assert expected == plain(name, value)
    assert type(expected) is type(plain(name, value))

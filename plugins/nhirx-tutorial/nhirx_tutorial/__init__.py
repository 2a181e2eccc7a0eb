"""nhirx-tutorial: prescriptions from a SQLite database, and a mark on each one that was accepted."""

import sqlite3
from pathlib import Path

from nhirx import Prescription, hookimpl
from nhirx.errors import FileMissing


class TutorialPlugin:
    db = None

    @hookimpl
    def nhirx_configure(self, options):
        if "database" in options:
            if not Path(options["database"]).is_file():
                raise FileMissing(path=options["database"])
            self.db = sqlite3.connect(options["database"])
            self.db.row_factory = sqlite3.Row

    @hookimpl
    def nhirx_find_prescription(self, scan):
        found = self.db and self.db.execute("SELECT * FROM prescription WHERE visit_id = ?", [scan.visit_id]).fetchone()
        if not found:
            return None
        drugs = self.db.execute("SELECT code, usage, days, total, route FROM drug WHERE prescription = ?", [found["id"]])
        return Prescription(
            reference=str(found["id"]),
            patient={name: found[name] for name in ("national_id", "birth_date")},
            sheet={name: found[name] for name in ("visit_id", "visit_serial", "institution", "visited_at")},
            diagnoses=[found["diagnosis"]],
            orders=[dict(drug) for drug in drugs],
            **{name: found[name] for name in ("days", "payment_category", "fee")},
        )

    @hookimpl
    def nhirx_record_accepted(self, receipt, reference):
        if self.db is not None and reference is not None:
            with self.db:
                self.db.execute("UPDATE prescription SET opcode = ? WHERE id = ?", [receipt.opcode, reference])

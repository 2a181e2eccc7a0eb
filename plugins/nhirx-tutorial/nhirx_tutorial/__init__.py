"""nhirx-tutorial: prescriptions from a SQLite database, and a mark on each one that was accepted."""

import sqlite3
from pathlib import Path

from nhirx import Prescription, hookimpl
from nhirx.errors import FileMissing


class TutorialPlugin:
    database = None

    @hookimpl
    def nhirx_configure(self, options):
        if "database" in options:
            if not Path(options["database"]).is_file():
                raise FileMissing(path=options["database"])
            self.database = sqlite3.connect(options["database"])
            self.database.row_factory = sqlite3.Row

    @hookimpl
    def nhirx_find_prescription(self, scan):
        if self.database is None or scan.visit_id is None:
            return None
        found = self.database.execute("SELECT * FROM prescription WHERE visit_id = ?", [scan.visit_id]).fetchone()
        if found is None:
            return None
        drugs = self.database.execute("SELECT code, usage, days, total FROM drug WHERE prescription = ?", [found["id"]])
        return Prescription(
            reference=str(found["id"]),
            patient={"national_id": found["national_id"], "birth_date": found["birth_date"]},
            sheet={"visit_id": scan.visit_id, "institution": found["institution"]},
            orders=[dict(drug) for drug in drugs],
        )

    @hookimpl
    def nhirx_record_accepted(self, receipt, reference):
        if self.database is not None and reference is not None:
            with self.database:
                self.database.execute("UPDATE prescription SET opcode = ? WHERE id = ?", [receipt.opcode, reference])

"""The mapping that the README shows, on the tables that it names: from the sheet to the line in the pharmacy's own table."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text("utf-8")
TABLES = """
CREATE TABLE customer (id INTEGER, id_number TEXT, birthday TEXT);
CREATE TABLE prescription (id INTEGER, customer INTEGER, hospital TEXT, seen_at TEXT, serial TEXT, days INTEGER, icd TEXT,
                           printed_visit_id TEXT);
CREATE TABLE medicine (prescription INTEGER, nhi_code TEXT, frequency TEXT, days INTEGER, amount REAL, route TEXT);
CREATE TABLE waiting (prescription INTEGER, opcode TEXT, done_at TEXT, codes TEXT, words TEXT);
INSERT INTO medicine VALUES (7, 'AC12345100', 'TID', 7, 21, 'PO');
INSERT INTO waiting (prescription) VALUES (7);
"""


def test_mapping_of_the_readme(nhirx_counter, nhirx_prescription, nhirx_sheet, tmp_path):
    made = nhirx_prescription()
    sheet, patient = made.sheet, made.patient
    (mapping,) = (block for block in re.findall(r"```toml\n(.*?)```", README, flags=re.S) if "[find]" in block)
    # Its statement for systems without the visit ID is shown with dots.
    (tmp_path / "nhirx-sql.toml").write_text(re.sub(r"^by_holder = .*\n", "", mapping, flags=re.M), "utf-8")
    pharmacy = sqlite3.connect(tmp_path / "pharmacy.db")
    pharmacy.executescript(TABLES)
    pharmacy.execute("INSERT INTO customer VALUES (1, ?, ?)", [patient.national_id, patient.birth_date.isoformat()])
    values = [sheet.institution, sheet.visited_at.isoformat(), sheet.visit_serial, sheet.visit_id]
    pharmacy.execute("INSERT INTO prescription VALUES (7, 1, ?, ?, ?, 7, 'I10', ?)", values)
    pharmacy.commit()
    url = f"sqlite:///{(tmp_path / 'pharmacy.db').as_posix()}"

    counter = nhirx_counter(options={"sql": {"mapping": str(tmp_path / "nhirx-sql.toml"), "url": url}})
    [scan] = counter.host.scan(nhirx_sheet(made))
    counter.dispense(counter.host.find_prescription(scan))

    assert ["accepted"] == counter.send()
    assert pharmacy.execute("SELECT opcode FROM waiting").fetchone()[0]
    pharmacy.close()

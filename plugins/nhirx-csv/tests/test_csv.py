"""A folder of exports as pharmacy programs write them, through the plugin and through nhirx."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from nhirx_csv import CsvPlugin
from nhirx_csv.folder import Folder
from nhirx_csv.results import Results

from nhirx.errors import FileDamaged, PluginRefused
from nhirx.model import CheckError, Receipt, UploadRecord
from nhirx.plugin.manager import Plugins
from nhirx.settings import PluginSettings

VISIT_ID = "0USE4FA11RP4J370WR4K"  # of A123456789, made 109-01-14 23:36:15 (derived)
NOW = datetime(2026, 11, 20, 1, 0, 13, tzinfo=UTC)
HEAD = "處方編號,就醫識別碼,就醫序號,身分證號,出生日期,院所代號,診斷碼,給藥日份,藥品代碼,用法,天數,總量"
ROW = f"R1,{VISIT_ID},0007,A123456789,0501231,3502060427,E119 I10,28,AC12345100,QD,28,28"


def scan(visit_id: str | None = VISIT_ID) -> Any:
    return SimpleNamespace(visit_id=visit_id)


def export(folder: Any, *lines: str, name: str = "export.csv", encoding: str = "utf-8-sig", end: str = "\r\n") -> Any:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_bytes((end.join(lines) + end).encode(encoding))
    return path


def find(folder: Any, visit_id: str = VISIT_ID, columns: dict[str, str] | None = None, orders: str | None = None) -> Any:
    return Folder(folder, columns=columns or {}, orders=orders).find(visit_id)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "cp950"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_reads_what_the_sheet_needs(tmp_path, encoding, end):
    """Everything a record needs, from either encoding and either line end."""
    export(tmp_path, HEAD, ROW, encoding=encoding, end=end)

    found = find(tmp_path)

    assert ("R1", "A123456789", "3502060427", "0007") == (
        found.reference,
        found.patient.national_id,
        found.sheet.institution,
        found.sheet.visit_serial,
    )
    assert ("E119", "I10") == found.diagnoses
    assert 28 == found.days
    assert [("AC12345100", "QD", 28, 28.0)] == [(o.code, o.usage, o.days, o.total) for o in found.orders]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators(tmp_path, separator):
    """Excel in some language settings writes semicolons; some programs write tabs."""
    export(tmp_path, HEAD.replace(",", separator), ROW.replace(",", separator))

    assert "R1" == find(tmp_path).reference


def test_repeated_rows_are_lines(tmp_path):
    """Rows that follow with the same reference are further drugs of the prescription."""
    export(tmp_path, HEAD, ROW, ROW.replace("AC12345100", "BC22222100"), "R2,,,A123456789,0501231,,,,DD,,,")

    assert ["AC12345100", "BC22222100"] == [order.code for order in find(tmp_path).orders]


def test_lines_in_a_second_file(tmp_path):
    """Programs with two tables export two files."""
    export(tmp_path, "處方編號,就醫識別碼,身分證號,出生日期", f"R1,{VISIT_ID},A123456789,0501231")
    export(tmp_path, "處方編號,藥品代碼,總量", "R2,XX11,1", "R1,AC12345100,28", "R1,BC22222100,2.5", name="明細.csv")

    found = find(tmp_path, orders="明細*.csv")

    assert [("AC12345100", 28.0), ("BC22222100", 2.5)] == [(order.code, order.total) for order in found.orders]


def test_header_names_of_the_house(tmp_path):
    """Any header can be mapped; the mapped name replaces the usual one."""
    export(tmp_path, "單號,識別碼,ID,生日", f"R1,{VISIT_ID},A123456789,1961-12-31")
    columns = {"reference": "單號", "visit_id": "識別碼", "national_id": "ID", "birth_date": "生日"}

    assert "R1" == find(tmp_path, columns=columns).reference


def test_by_patient_when_the_export_has_no_visit_id(tmp_path):
    """The only prescription of the patient that the visit ID names is taken, and gets the scanned ID."""
    export(tmp_path, "處方編號,身分證號,出生日期", "R1,B200000002,0600101", "R2,A123456789,0501231")

    found = find(tmp_path)

    assert ("R2", VISIT_ID) == (found.reference, found.sheet.visit_id)


def test_by_patient_never_guesses(tmp_path):
    """Two prescriptions of the patient: neither is taken."""
    export(tmp_path, "處方編號,身分證號,出生日期", "R1,A123456789,0501231", "R2,A123456789,0501231")

    assert find(tmp_path) is None


def test_by_patient_looks_at_the_day(tmp_path):
    """With a visit day in the export, only the one of the scanned ID's day fits."""
    head = "處方編號,身分證號,出生日期,就醫日期時間"
    export(
        tmp_path, head, "R1,A123456789,0501231,1090113", "R2,A123456789,0501231,1090114", "R3,A123456789,0501231,1090115090000"
    )

    found = find(tmp_path)

    assert "R2" == found.reference
    assert found.sheet.visited_at is None


def test_a_row_with_another_visit_id_is_not_the_patients_own(tmp_path):
    """A row that has a visit ID is matched by that alone."""
    export(tmp_path, HEAD, ROW.replace(VISIT_ID, "0USE4FA11RP4J370WR4L"))

    assert find(tmp_path) is None


def test_wrong_cell_names_file_line_and_column_but_not_the_person(tmp_path):
    """The message leads to the cell; it does not repeat what stands in it."""
    export(tmp_path, HEAD, ROW.replace("0501231", "0509931"))

    with pytest.raises(FileDamaged) as caught:
        find(tmp_path)

    assert "export.csv" in caught.value.zh
    assert "第 2 行" in caught.value.zh
    assert "birth_date" in caught.value.zh
    assert "0509931" not in caught.value.zh


@pytest.mark.parametrize("other", ["R9,,0007,A1,x,,,,,,,", "R9,,,,,,,,,,,", ",,,,,,,,,,,"])
def test_other_peoples_broken_rows_do_not_matter(tmp_path, other):
    """One wrong row in an export of thousands stops nobody else's prescription."""
    export(tmp_path, HEAD, other, ROW)

    assert "R1" == find(tmp_path).reference


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\x80\x81\xff\xff\r\n", "Big5"),
        (b"", "標題列"),
        (f"{HEAD}\r\n{ROW},extra,cells".encode(), "欄位過多"),
        (f'{HEAD}\r\n"R1,{VISIT_ID}'.encode(), "export.csv"),
    ],
)
def test_broken_file_is_named(tmp_path, content, words):
    (tmp_path / "export.csv").write_bytes(content)

    with pytest.raises(FileDamaged, match=words):
        find(tmp_path)


def test_changed_file_is_read_again(tmp_path):
    """The export is written anew every few minutes."""
    folder = Folder(tmp_path, columns={})
    export(tmp_path, HEAD, "R9,,,,,,,,,,,")
    assert folder.find(VISIT_ID) is None
    path = export(tmp_path, HEAD, ROW)
    os.utime(path, ns=(1, 1))

    assert folder.find(VISIT_ID).reference == "R1"


def host(tmp_path: Any, **options: Any) -> Plugins:
    plugins = Plugins(PluginSettings(options={"csv": {"folder": str(tmp_path / "export"), **options}}), discover=False)
    plugins.register(CsvPlugin(now=lambda: NOW), "csv")
    return plugins


def rows(path: Any) -> list[dict[str, str]]:
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert path.read_bytes().endswith(b"\r\n")
    return list(csv.DictReader(path.read_text("utf-8-sig").splitlines()))


def test_results_come_back(tmp_path):
    """Found through nhirx, queued, rejected, accepted: one line each, as Excel reads it."""
    export(tmp_path / "export", HEAD, ROW)
    plugins = host(tmp_path)
    record, receipt = UploadRecord(fields={"M15": VISIT_ID}), Receipt(opcode="OP-1", received_at=NOW)
    reference = plugins.find_prescription(scan()).reference
    plugins.record_queued(record, reference)
    plugins.record_rejected(record, receipt, (CheckError(field="M15", code="D002", zh="識別碼有誤"),), reference)
    plugins.record_rejected(record, None, (), None)
    plugins.record_accepted(record, receipt, reference)

    written = rows(tmp_path / "nhirx-results.csv")

    assert [
        ("queued", "R1", "", ""),
        ("rejected", "R1", "OP-1", "M15:D002"),
        ("rejected", "", "", ""),
        ("accepted", "R1", "OP-1", ""),
    ] == [(row["state"], row["reference"], row["opcode"], row["errors"]) for row in written]
    assert {NOW.isoformat(timespec="seconds")} == {row["time"] for row in written}
    assert "識別碼有誤" == written[1]["說明"]


def test_results_inside_the_folder_are_no_export(tmp_path):
    """The results file is left out when the folder is searched."""
    export(tmp_path / "export", HEAD, ROW)
    plugins = host(tmp_path, results=str(tmp_path / "export" / "results.csv"))
    plugins.record_queued(UploadRecord(fields={"M15": VISIT_ID}), "R1")

    assert plugins.find_prescription(scan()).patient.national_id == "A123456789"


def test_locked_results_wait(tmp_path, monkeypatch):
    """While Excel holds the file the lines wait beside it; the next result takes them along, in order."""
    results = Results(tmp_path / "r.csv")
    results.add(["1"])
    append = Results._append

    def locked(self: Results, path: Any, content: bytes, *, header: bool) -> None:
        if path.name == "r.csv":
            raise PermissionError(13, "in use")
        append(self, path, content, header=header)

    monkeypatch.setattr(Results, "_append", locked)
    results.add(["2"])
    results.add(["3"])
    assert b"2\r\n3\r\n" == (tmp_path / "r.waiting.csv").read_bytes()
    monkeypatch.setattr(Results, "_append", append)
    results.add(["4"])

    assert ["1", "2", "3", "4"] == (tmp_path / "r.csv").read_text("utf-8-sig").split()[1:]
    assert not (tmp_path / "r.waiting.csv").exists()


def test_torn_line_does_not_swallow_the_next(tmp_path):
    """After a power failure the last line may be half."""
    path = tmp_path / "r.csv"
    Results(path).add(["1"])
    path.write_bytes(path.read_bytes() + b"2,half")
    Results(path).add(["3"])

    assert ["1", "2,half", "3"] == path.read_text("utf-8-sig").split()[1:]


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@x"])
def test_no_cell_is_a_formula(tmp_path, cell):
    """A reference is foreign text; Excel must not run it."""
    Results(tmp_path / "r.csv").add([cell])

    assert f"'{cell}" == (tmp_path / "r.csv").read_text("utf-8-sig").split()[1]


@pytest.mark.parametrize(
    "options",
    [{"folder": "/nowhere/at/all"}, {"floder": "x"}, {"columns": {"colour": "x"}}],
    ids=["no folder", "misspelt", "column"],
)
def test_wrong_options_refuse_the_plugin(options):
    """Refused with the option's name; nhirx itself goes on."""
    plugins = Plugins(PluginSettings(options={"csv": options}), discover=False)

    with pytest.raises(PluginRefused, match=r"plugins\.options\.csv"):
        plugins.register(CsvPlugin(), "csv")
    assert plugins.find_prescription(scan()) is None


def test_idle_without_a_folder(tmp_path, monkeypatch):
    """Installed and not set up, it finds nothing and writes nothing."""
    monkeypatch.chdir(tmp_path)
    plugins = Plugins(discover=False)
    plugins.register(CsvPlugin(), "csv")
    plugins.record_queued(UploadRecord(fields={"M15": VISIT_ID}), "R1")

    assert plugins.find_prescription(scan()) is None
    assert [] == list(tmp_path.iterdir())


def test_csv_check_as_a_command(tmp_path):
    """``nhirx csv-check --json`` in a process of its own: what can be read, and what cannot, with its line."""
    export(tmp_path / "export", HEAD, ROW, "R2,,,A1,0501231,,,,,,,")
    config = tmp_path / "nhirx.toml"
    config.write_text(f"[plugins.options.csv]\nfolder = '{tmp_path / 'export'}'\n", "utf-8")
    environment = os.environ | {"NHIRX_CONFIG": str(config)}

    ended = subprocess.run(
        [sys.executable, "-m", "nhirx", "csv-check", "--json"], env=environment, capture_output=True, check=False
    )
    answer = json.loads(ended.stdout)

    assert 1 == ended.returncode
    assert 2 == answer["prescriptions"]
    assert [3] == [problem["line"] for problem in answer["problems"]]

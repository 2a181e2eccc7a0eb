"""Coverage-guided fuzzing of upload files and reports; run by hand, what it finds goes into ``corpus/``.

    python tests/records/fuzz_bytes.py xml|report SECONDS [FOLDER]

Needs atheris (``pip install atheris``, Linux and macOS). FOLDER collects inputs that reach new branches; it starts from the
corpus here. Quiet means: it ends by itself when the time is over.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from datetime import date
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nhirx.records"]):
    from nhirx.records.check import check_file
    from nhirx.records.compare import compare
    from nhirx.records.convert import convert
    from nhirx.records.report import read_report
    from nhirx.records.report_json import read_answer
    from nhirx.records.xml import read

from nhirx.errors import NhirxError

HERE = Path(__file__).parent


def upload_file(data: bytes) -> None:
    with suppress(NhirxError):
        check_file(data, date(2026, 11, 22)).as_json()
    with suppress(NhirxError):
        compare(data, data).as_json()
    with suppress(NhirxError):
        for record in read(data):
            convert(record)


def report(data: bytes) -> None:
    with suppress(NhirxError):
        read_report(data).as_json()
    with suppress(NhirxError):
        read_answer(data.decode("utf-8", "replace")).as_json()


if __name__ == "__main__":
    what, seconds, *folder = sys.argv[1:]
    folders = [*folder, str(HERE / "corpus")]
    atheris.Setup(
        [sys.argv[0], f"-max_total_time={seconds}", "-max_len=4096", *folders], {"xml": upload_file, "report": report}[what]
    )
    atheris.Fuzz()

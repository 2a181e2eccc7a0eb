"""Encoding and checking an upload file, beside lxml merely parsing and re-serialising the same bytes.

    python benchmarks/records/run.py [--records 10000] [--rounds 5]

Promised: encode + check takes at most twice the time of lxml (the product of the same bytes, without a check), and reading a
file ten times as long takes no more memory. The records are synthetic, all different, two to four orders each.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import multiprocessing
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

from lxml import etree

from nhirx.identifiers.national_id import check_digit
from nhirx.identifiers.visit_id import ALPHABET
from nhirx.model import UploadRecord
from nhirx.records import xml
from nhirx.records.check import check_record, check_records
from nhirx.records.source import Document
from nhirx.roc import TAIPEI, format_date, format_datetime

TODAY = date(2026, 11, 30)
LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZ"


def base34(value: int, places: int) -> str:
    text = ""
    for _ in range(places):
        value, rest = divmod(value, 34)
        text = ALPHABET[rest] + text
    return text


def visit_id(prefix: int, person: str, moment: datetime) -> str:
    second = int((moment - datetime(moment.year, 1, 1, tzinfo=TAIPEI)).total_seconds())
    return base34(prefix, 6) + person[:2] + base34(int(person[2:9]), 5) + base34(moment.year - 1911, 2) + base34(second, 5)


def record(number: int) -> UploadRecord:
    """The ``number``-th record: a person who does not exist, an ordinary or a refill prescription, a time of November."""
    noise = hashlib.sha512(str(number).encode()).hexdigest().upper()
    nine = LETTERS[number % len(LETTERS)] + str(1 + number % 2) + f"{number * 7919 % 10_000_000:07d}"
    person = nine + str(check_digit(nine))
    moment = datetime(2026, 11, 1, 8, 30, tzinfo=TAIPEI) + timedelta(seconds=number * 97 % (28 * 86_400))
    prescribed = moment - timedelta(days=1, seconds=number % 5000)
    refill = number % 3 == 0
    days = "28" if refill else "3"
    time_ = format_datetime(moment)
    fields = {
        "H00": "1", "H01": "A", "M01": "SAM000000001", "M02": f"{number:012d}", "M03": person,
        "M04": format_date(date(1940, 1, 1) + timedelta(days=number * 37 % 25_000)), "M05": "5901234567", "M06": "B200000004", "M07": "AF",
        "M11": time_, "M12": "1", "M14": (noise * 2)[:256], "M15": visit_id(number + 40_000_000, person, moment),
        "M16": visit_id(number * 3 + 70_000_000, person, prescribed), "M17": "3502060427", "M18": f"{1 + number % 1500:04d}",
        "M19": format_datetime(prescribed), "M20": days, "M23": "0", "M35": "I10" if refill else "J069", "M44": str(200 + number % 900),
        "M45": "0", "M51": "4", "M56": "30",
    }  # fmt: skip
    fields |= {"M21": "84", "M26": "3", "M33": str(1 + number % 3)} if refill else {"M24": "1"}
    drug = {
        "D01": time_, "D02": "1", "D04": "C" if refill else "A", "D05": "A", "D08": "BID", "D09": days, "D10": "00056.0", "D14": "PO",
    }  # fmt: skip
    orders = [
        drug | {"D03": f"{line:03d}", "D06": f"AC{number * line % 100_000_000:08d}", "D11": noise[line : line + 40]}
        for line in range(1, 2 + number % 3)
    ]
    orders.append({"D01": time_, "D02": "9", "D03": f"{len(orders) + 1:03d}", "D06": "05202B", "D10": "00001.0"})
    return UploadRecord(fields=fields, orders=tuple(orders))


def best(functions: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Least processor seconds of each. In turns, so that a busy spell of the machine hits all of them alike."""
    times: dict[str, list[float]] = {name: [] for name in functions}
    for _ in range(rounds):
        for name, function in functions.items():
            start = time.process_time()
            function()
            times[name].append(time.process_time() - start)
    return {name: min(measured) for name, measured in times.items()}


def speed(count: int, rounds: int) -> dict[str, float]:
    records = [record(number) for number in range(count)]
    data = xml.write(records)
    errors = [finding for item in records for finding in check_record(item, TODAY) if finding.severity != "pending"]
    if errors:
        raise SystemExit(f"the synthetic records are not clean: {errors[0].field} {errors[0].code}")

    def ours() -> None:
        for item in records:
            check_record(item, TODAY)
        xml.write(records)

    def theirs() -> None:
        etree.tostring(etree.fromstring(data), encoding="Big5")

    def file() -> None:
        for _ in check_records(data, TODAY, Document()):
            pass

    figures = best({"ours": ours, "lxml": theirs, "check_file": file, "write": lambda: xml.write(records)}, rounds)
    return {
        "records": count,
        "megabytes": round(len(data) / 1e6, 1),
        "encode_and_check_s": round(figures["ours"], 3),
        "encode_s": round(figures["write"], 3),
        "lxml_parse_and_serialise_s": round(figures["lxml"], 3),
        "ratio": round(figures["ours"] / figures["lxml"], 2),
        "read_and_check_file_s": round(figures["check_file"], 3),
    }


def _peak(path: str, send: object) -> None:
    import resource

    for _ in check_records(path, TODAY, Document()):
        pass
    send.send(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)  # type: ignore[attr-defined]


def peak(count: int) -> float:
    """Peak memory in MB of a fresh process that checks a file of ``count`` records."""
    context = multiprocessing.get_context("spawn")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "upload.xml")
        with path.open("wb") as file:
            xml.write_to(file, _records(count))
        receive, send = context.Pipe(duplex=False)
        process = context.Process(target=_peak, args=(str(path), send))
        process.start()
        kilobytes = receive.recv()
        process.join()
    return round(kilobytes / 1024, 1)


def _records(count: int) -> Iterator[UploadRecord]:
    for number in range(count):
        yield record(number)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    # Memory first: a child's high-water mark starts at what its parent holds when it is made.
    found: dict[str, object] = {"peak_mb": peak(arguments.records), "peak_mb_of_tenfold": peak(arguments.records * 10)}
    found |= speed(arguments.records, arguments.rounds)
    if arguments.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:28} {value}")
    grown = float(str(found["peak_mb_of_tenfold"])) - float(str(found["peak_mb"]))
    return 0 if float(str(found["ratio"])) <= 2.0 and grown < 16 else 1


if __name__ == "__main__":
    sys.exit(main())

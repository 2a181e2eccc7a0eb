"""A counter whose program is killed again and again. Run by ``test_kill.py`` as a process of its own, with a JSON object as argument.

For every life it forks a child that starts like the real program (finish what an earlier life left, serve one more patient, send what
is due), and that is killed with SIGKILL: at a random one of its failpoints (before and after each SQL statement, before each commit,
before and after each request), or after a random time. Then once more at each of the steps of an undisturbed life that were not hit by
chance. At the end it lives on until nothing is left to do, and prints what it did.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import re
import signal
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from nhirx import roc
from nhirx.card.base import CardOrder
from nhirx.card.control6 import Control6
from nhirx.errors import NhirxError
from nhirx.http import JsonService
from nhirx.identifiers.national_id import check_digit
from nhirx.model import CardReading, UploadRecord
from nhirx.outbox import Outbox
from nhirx.outbox.engine import Database
from nhirx.outbox.keys import KeyRing
from nhirx.outbox.prepared import Prepared
from nhirx.outbox.store import now
from nhirx.settings import ServiceSettings, Settings
from nhirx.upload import UploadClient, Worker

FAULTS = (
    ("*VNHI_Upload", ("refuse", "reset", "html", "half-json", "http500", "accept-then-reset", "lie-length")),
    ("*VNHI_Upload", ("answer-twice", "missing-keys", "accept-then-hang", "hang", "slow")),
    ("*VNHI_Download", ("reset", "html", "half-json", "lie-length", "missing-keys")),
    ("/api/v1/SequelNumber/Next", ("accept-then-reset", "half-json", "reset")),
    ("/api/v1/Prescription/Write", ("accept-then-reset", "reset")),
    ("/api/sam/v1/Signature", ("reset", "html")),
    ("*", ("tls-expired", "tls-wrong-name", "tls-unknown-ca")),
)


_TABLE = re.compile(r"\b(?:INTO|UPDATE|FROM)\s+(\w+)")
_WHEN_SPOILT = ("failed", "unclear", "block", "look_again")
_PLAIN = JsonService.request
_STATEMENTS = {name: getattr(Prepared, name) for name in ("rows", "insert", "run")}
_FINISH = Database._finish


class Points:
    """Counts failpoints and kills this very process at the one that was drawn: the number of one, or the name of a step.

    A step is what the outbox is doing (``claim``) with what it says to the database there (``UPDATE queue``), or a request.
    """

    def __init__(self, fatal: int | str, told: Path | None = None) -> None:
        self.passed = 0
        self.steps: set[str] = set()
        self.fatal = fatal
        self.told = told

    def __call__(self, when: str, what: str) -> None:
        self.passed += 1
        step = f"{_doing()} {when} {what}"
        self.steps.add(step)
        if self.fatal in (self.passed, step):
            if self.told is not None:
                with self.told.open("a", encoding="utf-8") as file:
                    file.write(f"{step}\n")
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, plain: Callable[..., Any]) -> Callable[..., Any]:
        def counted(statement: Prepared, *words: Any) -> Any:
            self("before", _said(statement._text))
            answer = plain(statement, *words)
            self("after", _said(statement._text))
            return answer

        return counted

    def arm(self, outbox: Outbox) -> None:
        engine = outbox.database.engine
        event.listen(engine, "before_cursor_execute", lambda _, __, statement, *___: self("before", _said(statement)))
        event.listen(engine, "after_cursor_execute", lambda _, __, statement, *___: self("after", _said(statement)))
        if outbox.database.is_sqlite:
            # There the statements of ``prepared``, and the commits, pass by these events.
            for name, plain in _STATEMENTS.items():
                setattr(Prepared, name, self.around(plain))

            def finish(database: Database, connection: Connection) -> None:
                self("before", "commit")
                _FINISH(database, connection)

            Database._finish = finish  # type: ignore[method-assign]
        else:
            event.listen(engine, "commit", lambda _: self("before", "commit"))

        def request(service: JsonService, method: str, path: str, *words: Any, **more: Any) -> dict[str, Any]:
            self("before", path)
            answer = _PLAIN(service, method, path, *words, **more)
            self("after", path)
            return answer

        JsonService.request = request  # type: ignore[method-assign]


def _doing() -> str:
    """The method of journal or queue that somebody outside called."""
    name, frame = "", sys._getframe(2)
    while frame is not None:
        code = frame.f_code
        if code.co_filename.endswith(("journal.py", "queue.py")) and not code.co_name.startswith("_"):
            name = code.co_name
        frame = frame.f_back  # type: ignore[assignment]
    return name


def _said(statement: str) -> str:
    """Verb and table."""
    found = _TABLE.search(statement)
    return f"{statement.split(maxsplit=1)[0]} {found[1] if found else ''}"


class Counter:
    """One life of the program at the counter."""

    def __init__(self, config: dict[str, Any], points: Points) -> None:
        self.settings = Settings.model_validate_json(config["settings"])
        self.outbox = Outbox(config["url"], ring=KeyRing.parse(config["ring"]), who="counter")
        points.arm(self.outbox)
        self.control = Control6(self.settings)
        # Past the proxy: the hand that puts the card in is no network.
        self.admin = JsonService(ServiceSettings.model_validate(config["admin"]))
        self.client = UploadClient(self.settings, self.control.upload_signature)
        self.worker = Worker(self.outbox, self.client, clock=now, settings=self.settings)

    def finish_what_was_left(self) -> None:
        """A dispensing with a number goes on with the patient's card; one without stays for a person to look at."""
        for left in self.outbox.journal.unfinished():
            if left.reading is not None and left.facts is not None:
                self.insert_card(left.facts["patient"]["national_id"])
                self.fill(left.id, left.reading, left.signatures)

    def serve(self, number: int) -> None:
        patient = national_id(number)
        self.insert_card(patient)
        dispensing = self.outbox.journal.open({"n": number}, None, {"patient": {"national_id": patient}})
        reading = self.control.visit_number(visit_category="AF")
        self.outbox.journal.numbered(dispensing, reading)
        self.fill(dispensing, reading, None)

    def fill(self, dispensing: int, reading: CardReading, signatures: tuple[str, ...] | None) -> None:
        holder = self.control.read_holder()
        if signatures is None:
            signatures = self.control.write_orders(reading, holder, [CardOrder("1", "AC12345100", "QD", 28, 28.0)])
            self.outbox.journal.written(dispensing, signatures)
        at = roc.format_datetime(reading.visited_at)
        order = {
            "D01": at, "D02": "1", "D03": "001", "D04": "A", "D05": "A", "D06": "AC12345100", "D08": "QD", "D09": "28",
            "D10": "00028.0", "D11": signatures[0], "D14": "PO",
        }  # fmt: skip
        fields = {
            "H00": "1", "H01": "A", "M01": reading.sam_id, "M02": holder.card_number, "M03": holder.national_id,
            "M04": roc.format_date(holder.birth_date), "M05": reading.institution, "M06": "B200000002", "M07": "AF", "M11": at,
            "M12": "1", "M14": reading.security_signature, "M15": reading.visit_id, "M16": "9" * 20, "M17": "3502060427",
            "M18": "0007", "M19": "1130305093000", "M20": "28", "M23": "0", "M24": "1", "M35": "I10", "M44": "600", "M51": "4",
        }  # fmt: skip
        self.outbox.journal.filled_and_queued(dispensing, UploadRecord(fields=fields, orders=(order,)))

    def insert_card(self, patient: str) -> None:
        self.admin.post("/sim/card", {"national_id": patient, "visits_left": 10_000, "pin": None})

    def close(self) -> None:
        for part in (self.control, self.admin, self.client, self.outbox):
            part.close()

    def fail(self, draw: random.Random) -> None:
        path, kinds = draw.choice(FAULTS)
        self.admin.post("/sim/fail", {"path": path, "kind": draw.choice(kinds), "seconds": 0.15})


def national_id(number: int) -> str:
    first = f"A1{number:07d}"
    return f"{first}{check_digit(first)}"


def life(config: dict[str, Any], number: int, points: Points, draw: random.Random) -> None:
    counter = Counter(config, points)
    for step in (
        lambda: counter.fail(draw) if draw.random() < 0.2 else None,
        counter.finish_what_was_left,
        lambda: counter.serve(number),
        counter.worker.step,
        counter.worker.step,
    ):
        try:
            step()
        except NhirxError as error:
            # What a person at the counter would see; the program goes on.
            sys.stderr.write(f"{error.code}\n")
    counter.close()


def live_on(config: dict[str, Any]) -> dict[str, int]:
    """Without being killed any more, until nothing is left that a program can do."""
    counter = Counter(config, Points(-1))
    for _ in range(20):
        # A certificate that was to be wrong spoils one connection, which may be this one.
        with contextlib.suppress(NhirxError):
            counter.admin.request("DELETE", "/sim/fail")
            break
    until = time.monotonic() + 30
    while time.monotonic() < until:
        # The proxy goes on spoiling connections.
        with contextlib.suppress(NhirxError):
            counter.finish_what_was_left()
        counter.outbox.queue.hurry()
        counter.worker.step()
        counts = counter.outbox.counts()
        busy = any(left.reading is not None for left in counter.outbox.journal.unfinished())
        if not busy and not counts["built"] + counts["sending"] + counts["sent"]:
            return counts
        time.sleep(0.05)
    raise TimeoutError(counts)


def main(config: dict[str, Any]) -> None:
    draw = random.Random(config["seed"])
    done = {"lives": 0, "killed": 0, "by_time": 0, "aimed": 0, "ended": 0, "broken": 0}
    # A life that nothing disturbs passes about 145 of them.
    most_points, began = 150, time.monotonic()
    told, steps = Path(config["told"]), set[str]()
    told.touch()
    # Before the first fork, so that no child spends its short life on imports; again where the network spoilt it.
    for number in (0, *range(1_000_000, 1_000_020)):
        whole = Points(-1)
        life(config, number, whole, draw)
        steps |= {step for step in whole.steps if step.split(" ")[0] not in _WHEN_SPOILT}
        if {"sent_and_claim", "checked"} <= {step.split(" ")[0] for step in steps}:
            break

    def next_step() -> str | None:
        """One of an undisturbed life at which none was killed so far."""
        return next(iter(sorted(steps - set(told.read_text("utf-8").splitlines()))), None)

    tries = 0
    while done["killed"] < config["kills"] or (next_step() is not None and tries < 5 * len(steps)):
        assert done["broken"] == 0, "a life ended by an error that nobody expected"
        assert time.monotonic() - began < config["seconds"], f"too slow: {done}"
        fatal: int | str
        if by_chance := done["killed"] < config["kills"]:
            by_time = draw.random() < 0.2
            # Half of them late in a life, where the record is on its way and its Opcode comes back.
            fatal = -1 if by_time else draw.randint(1 if draw.random() < 0.5 else 70, most_points)
        else:
            by_time, fatal, tries = False, next_step() or "", tries + 1
        seed, pause = draw.random(), draw.random() * 0.15
        done["lives"] += 1
        child = os.fork()
        if child == 0:
            try:
                life(config, done["lives"], Points(fatal, told), random.Random(seed))
                os._exit(0)
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(70)
        if by_time:
            time.sleep(pause)
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
            done["killed"] += 1
            done["by_time"] += by_time
            done["aimed"] += not by_chance
        else:
            done["ended" if os.waitstatus_to_exitcode(status) == 0 else "broken"] += 1
    done["milliseconds"] = round((time.monotonic() - began) * 1000)
    left = steps - set(told.read_text("utf-8").splitlines())
    walked = {"steps": len(steps), "doing": sorted({step.split(" ")[0] for step in steps}), "left": sorted(left)}
    print(json.dumps(done | walked | {"counts": live_on(config)}))


if __name__ == "__main__":
    main(json.loads(Path(sys.argv[1]).read_text("utf-8")))

"""Everything the simulated services share: one pharmacy, its readers, the people, the clock and the ledger."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nhirx.errors import InvalidValue
from nhirx.sim.book import Refusal, service
from nhirx.sim.clock import Clock
from nhirx.sim.ledger import Ledger
from nhirx.sim.people import HPC_ID, HPC_PIN, INSTITUTION, PEOPLE, PHARMACIST, SAM_ID, Person
from nhirx.sim.signatures import Signer
from nhirx.sim.visit_ids import VisitIds

TOKEN_SECONDS = 300
"""A virtual card's token holds five minutes and one use."""


@dataclass(slots=True)
class Behaviour:
    """What a vendor may want otherwise. Changed by ``POST /sim/settings``; a restart begins with the defaults."""

    result_polls: int = 1
    """How often a check result is not ready yet before it is."""
    result_seconds: float = 0.0
    """How long after the upload a result becomes ready."""
    list_accepted: bool = True
    """Whether the JSON result also lists records without any remark."""
    answer_seconds: float = 0.0
    """Delay of every answer."""
    auto_start: bool = False
    """Whether the control software begins initialised with a verified SAM and HPC."""
    enforce_hpc: bool = True
    """Whether calls that need the professional card refuse without its PIN."""


@dataclass(slots=True)
class Slot:
    """The card reader: what is in it and what was verified since it went in."""

    person: Person | None = None
    virtual: bool = False
    pin_verified: bool = False


@dataclass(slots=True)
class Token:
    person: Person
    ends: datetime
    used: bool = False


@dataclass(slots=True)
class World:
    """State of one sandbox. Every method that changes it holds ``lock``."""

    folder: Path
    institution: str
    sam_id: str
    pharmacist: str
    clock: Clock
    signer: Signer
    ledger: Ledger
    visit_ids: VisitIds
    behaviour: Behaviour
    lock: threading.RLock = field(default_factory=threading.RLock)
    initialised: bool = False
    sam_verified: bool = False
    hpc_present: bool = True
    hpc_verified: bool = False
    slot: Slot = field(default_factory=Slot)
    people: dict[str, Person] = field(default_factory=lambda: {person.card_number: person for person in PEOPLE})
    tokens: dict[str, Token] = field(default_factory=dict)

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        clock: Callable[[], datetime] | None = None,
        behaviour: Behaviour | None = None,
        institution: str = INSTITUTION,
        sam_id: str = SAM_ID,
        pharmacist: str = PHARMACIST,
    ) -> World:
        """The sandbox of ``folder``: its key and its ledger are kept there, so visits made before a restart stay valid."""
        folder.mkdir(parents=True, exist_ok=True)
        now = Clock(clock)
        ledger = Ledger(folder / "ledger.jsonl")
        signer = Signer(_key(folder / "sandbox.json"), now)

        def remember(code: str) -> None:
            ledger.append({"event": "institution", "code": code})

        world = cls(
            folder=folder,
            institution=institution,
            sam_id=sam_id,
            pharmacist=pharmacist,
            clock=now,
            signer=signer,
            ledger=ledger,
            visit_ids=VisitIds(signer, ledger.institutions, remember),
            behaviour=behaviour or Behaviour(),
        )
        for event in ledger.events():
            if event["event"] == "updated":
                world._renew(event["card_number"])
            elif event["event"] == "issued":
                moment = datetime.fromisoformat(event["visited_at"])
                world.visit_ids.recall(event["made_by"], event["national_id"], moment)
        world.slot = Slot(PEOPLE[0])
        if world.behaviour.auto_start:
            world.initialised = world.sam_verified = world.hpc_verified = True
        return world

    # ── the reader ───────────────────────────────────────────────────────────────────────────────────────────────────

    def insert(self, person: Person, *, virtual: bool = False) -> None:
        """Put a card in the reader (and the person on the books of the data centre)."""
        with self.lock:
            self.people[person.card_number] = person
            self.slot = Slot(person, virtual=virtual)

    def remove(self) -> None:
        with self.lock:
            self.slot = Slot()

    def card(self) -> Person:
        """The holder of the card in the reader. Raises ``Refusal``: no card, PIN not verified."""
        person = self.slot.person
        if person is None:
            raise Refusal("card-absent")
        if person.pin and not self.slot.pin_verified and not self.slot.virtual:
            raise Refusal("pin-needed")
        return person

    def known(self, card_number: str) -> Person | None:
        return self.people.get(card_number)

    def renew(self, card_number: str) -> None:
        """Update the contents of a card, which ends its expiry."""
        with self.lock:
            self._renew(card_number)
            self.ledger.append({"event": "updated", "at": self.clock().isoformat(), "card_number": card_number})

    def _renew(self, card_number: str) -> None:
        from dataclasses import replace

        person = self.people.get(card_number)
        if person is None:
            return
        self.people[card_number] = replace(person, expired=False)
        if self.slot.person is person:
            self.slot.person = self.people[card_number]

    # ── virtual cards ────────────────────────────────────────────────────────────────────────────────────────────────

    def make_token(self, person: Person) -> str:
        """What the QR code of a virtual card holds; the real text is opaque and so is this."""
        with self.lock:
            now = self.clock()
            self.tokens = {text: token for text, token in self.tokens.items() if token.ends > now - timedelta(hours=1)}
            text = secrets.token_urlsafe(48)
            self.people[person.card_number] = person
            self.tokens[text] = Token(person, now + timedelta(seconds=TOKEN_SECONDS))
            return text

    def take_token(self, text: str, *, spend: bool) -> Person:
        """The holder behind a token. Raises ``Refusal``: unknown, timed out, already used."""
        with self.lock:
            token = self.tokens.get(text)
            if token is None:
                raise Refusal("token-malformed")
            if token.used:
                raise Refusal("token-used")
            if self.clock() > token.ends:
                raise Refusal("token-timed-out")
            token.used = token.used or spend
            return token.person

    # ── numbers ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def issue(self, made_by: str, person_id: str, **more: Any) -> tuple[str, datetime]:
        """A new visit ID, on the ledger before anyone hears of it."""
        with self.lock:
            try:
                visit_id, second = self.visit_ids.make(made_by, self.institution, person_id, self.clock())
            except (ValueError, InvalidValue):
                raise Refusal("bad-parameter") from None
        self.ledger.append(
            {
                "event": "issued",
                "at": self.clock().isoformat(),
                "visit_id": visit_id,
                "visited_at": second.isoformat(),
                "made_by": made_by,
                "national_id": person_id,
                "institution": self.institution,
                **more,
            }
        )
        return visit_id, second

    def spend(self, kind: str, purpose: str, body: dict[str, Any]) -> None:
        """Verify and use up the signature in ``body``, which must be of this pharmacy's SAM."""
        self.signer.use(kind, service(purpose), body)
        if body.get("samId") != self.sam_id:
            raise Refusal("signature-wrong")

    def close(self) -> None:
        self.ledger.close()


def _key(file: Path) -> bytes:
    try:
        return bytes.fromhex(json.loads(file.read_text("utf-8"))["key"])
    except FileNotFoundError:
        key = secrets.token_bytes(32)
        partial = file.with_suffix(".new")
        partial.write_text(json.dumps({"key": key.hex()}), "utf-8")
        os.replace(partial, file)  # noqa: PTH105 - the words say what happens: an atomic swap
        return key


__all__ = ["HPC_ID", "HPC_PIN", "Behaviour", "Slot", "World"]

"""The states of a dispensing and of a queued record, and every step between them, written down once.

The tables below are read by the program: nothing moves along an arrow that is not in them. ``·`` is "not there yet".
"""

from __future__ import annotations

from dataclasses import dataclass

from nhirx.errors import TransitionRefused

# event      from                              to           when
_JOURNAL = """
  open       ·                               → opened       the plan is on disk, the card has not been asked yet
  number     opened                          → numbered     the card, or the no-card call, gave a number or a visit ID
  start      numbered writing                → writing      the orders are about to be written: a stop here leaves open whether they were
  keep       writing                         → numbered     the card refused before anything was written: another card, or none
  write      numbered writing                → written      the orders are on the card, their signatures are here
  hold       opened numbered                 → held         card owed: an ID was taken, nothing may be uploaded yet
  fill       opened numbered writing written → filled       the record is complete and stands in the queue, in one transaction
  settle     held                            → settled      the make-up dispensing is filled
  abandon    opened                          → abandoned    nothing was taken from the card
  give-up    opened numbered writing written held → abandoned    a named person decided so; what the card gave is kept
"""

_QUEUE = """
  put        ·                               → built        the record is complete, not sent
  claim      built                           → sending      one sender holds it until its lease ends
  fail       sending                         → built        not taken; due again later
  lapse      sending                         → built        the lease ended without an answer: same record again, the last write wins
  doubt      sending                         → stuck        no answer, and the key is not unique: a second copy could count twice
  block      built sending sent              → stuck        a person has to look; the reason is kept
  receive    built sending sent stuck        → sent         the service took it; the Opcode is on disk
  accept     sent                            → accepted     checked, no error
  reject     sent                            → rejected     checked, with errors; a corrected record is a new row
  retry      stuck rejected                  → built        a person sends the same record again
  supersede  built stuck rejected            → superseded   a newer record of the same visit took its place, such as a correction
  withdraw   built stuck rejected            → withdrawn    a named person decided that it is not to be sent
"""


@dataclass(frozen=True, slots=True)
class Transition:
    event: str
    before: tuple[str, ...]
    after: str
    why: str


def _read(text: str) -> dict[str, Transition]:
    table: dict[str, Transition] = {}
    for line in text.strip().splitlines():
        left, right = line.split("→")
        event, *before = left.split()
        after, why = right.strip().split(maxsplit=1)
        table[event] = Transition(event, tuple(state for state in before if state != "·"), after, why)
    return table


JOURNAL = _read(_JOURNAL)
QUEUE = _read(_QUEUE)
JOURNAL_STATES = tuple(dict.fromkeys(step.after for step in JOURNAL.values()))
QUEUE_STATES = tuple(dict.fromkeys(step.after for step in QUEUE.values()))

UNFINISHED = ("opened", "numbered", "writing", "written")
"""Journal states that a restart finds when the program was stopped in the middle."""

LIVE = ("built", "sending")
"""Queue states in which a record stands before the service; a younger one of the same visit waits behind it."""


def refused(state: str | None, event: str) -> TransitionRefused:
    """The error for a step that the tables do not have. ``state`` None: there is no such record."""
    return TransitionRefused(state=state or "不存在 / absent", event=event)

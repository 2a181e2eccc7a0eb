"""The worker: takes due records out of the queue, sends them, and follows them until the NHI has said yes or no.

The order that loses nothing: claim (on disk) → sign → send → Opcode on disk → only then anything else. A stop anywhere leaves a record
that is due again, held by a lease that ends, or sent with its Opcode.
"""

from __future__ import annotations

import logging
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from nhirx.errors import CheckFailed, NhirxError, RecordMalformed, ResultNotReady, StoreError, TransportError, UploadRefused
from nhirx.model import CheckResult, Receipt
from nhirx.outbox import Outbox, Queued
from nhirx.records.once import passed
from nhirx.settings import Settings
from nhirx.upload.breaker import Breaker, Pause
from nhirx.upload.client import Packed, UploadClient, server_time
from nhirx.upload.hours import Hours

Notify = Callable[[str, Queued, CheckResult | None], None]
"""Called with ``sent``, ``accepted``, ``rejected`` or ``stuck``, after the fact is on disk."""

Outcome = Receipt | NhirxError
Flight = Future[Outcome | None]

_log = logging.getLogger(__name__)
_LONGEST_LOOK = timedelta(minutes=10)


@dataclass(slots=True)
class Progress:
    """What one step did, in records. ``pause``: why and until when the service is left alone."""

    sent: int = 0
    failed: int = 0
    accepted: int = 0
    rejected: int = 0
    stuck: int = 0
    pause: Pause | None = None

    @property
    def moved(self) -> bool:
        return bool(self.sent or self.accepted or self.rejected or self.stuck)


class Worker:
    """One sender. Several may work one outbox, in one program or in many."""

    def __init__(
        self,
        outbox: Outbox,
        client: UploadClient,
        *,
        clock: Callable[[], datetime],
        settings: Settings,
        notify: Notify | None = None,
    ) -> None:
        self._outbox = outbox
        self._client = client
        self._clock = clock
        self._settings = settings.upload
        self._notify = notify
        self._wake = threading.Event()
        self._breaker = Breaker(self._settings.retry_first, self._settings.retry_limit)
        self._hours = Hours.of(self._settings)
        self._lease = timedelta(seconds=self._settings.lease)
        self.skew: timedelta | None = None
        """How far this machine's clock is ahead of the service's, as the last receipt shows; None when it shows none."""

    @property
    def pause(self) -> Pause | None:
        """Why nothing is being sent, or None."""
        return self._breaker.pause

    def step(self, *, at_once: bool = False) -> Progress:
        """Send everything that is due and look at every result that is due. Returns at the first failure of the service.

        ``at_once`` is a person's word: neither quiet hours nor the daily time hold it up.
        Raises ``StoreError`` when the database fails; every other failure is kept with the records and told in the progress.
        """
        progress = Progress()
        now = self._clock()
        if not at_once and self._hours.is_quiet(now):
            return progress
        built_before = None if at_once else self._hours.built_before(now)
        if not self._breaker.is_open(now) and self._drain(progress, built_before):
            self._look(progress)
        progress.pause = self._breaker.pause
        return progress

    def run(self, stop: threading.Event, *, idle: float = 2.0) -> None:
        """Work until ``stop`` is set. Whatever fails is logged and tried again: the thread does not die of it."""
        while not stop.is_set():
            moved = False
            try:
                moved = self.step().moved
            except NhirxError as error:
                _log.error("%s", error)
            except Exception as error:
                # A defect of ours. Its words may hold anything, so only its kind and place are logged.
                last = traceback.extract_tb(error.__traceback__)[-1]
                _log.error("%s in %s, line %s", type(error).__name__, Path(last.filename).name, last.lineno)
            if not moved:
                self._wake.wait(idle)
                self._wake.clear()

    def wake(self) -> None:
        """Something was queued, or ``stop`` was set: do not wait for the next round."""
        self._wake.set()

    def close(self) -> None:
        """Let go of the connections. What is in the outbox stays there."""
        self._client.close()

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def _drain(self, progress: Progress, built_before: datetime | None) -> bool:
        """Send batch after batch. False when the service as a whole failed, so that trying the next is of no use.

        One upload is on its way at any time, and the next stands behind it, claimed, checked, packed and signed, so that the sender
        goes from one to the other at once. Meanwhile the Opcode of the last is brought to the disk.
        """
        with ThreadPoolExecutor(1, "nhirx-upload") as sender:

            def start(batch: Sequence[Queued], after: Flight | None = None) -> Flight:
                return sender.submit(self._attempt, batch, self._packed(batch), after)

            batch = self._claim(progress, built_before)
            flight = start(batch) if batch else None
            ahead = self._claim(progress, built_before) if batch else []
            while flight is not None:
                follower = start(ahead, flight) if ahead else None
                outcome = flight.result()
                assert outcome is not None  # noqa: S101 - only a follower is ever not sent, and it is looked at below
                try:
                    later = self._keep(batch, outcome, progress, built_before)
                except StoreError:
                    # The database failed. What is on its way may still be kept; if not, its lease ends and it goes again.
                    if follower is not None and (other := follower.result()) is not None:
                        self._settle(ahead, other, progress)
                    raise
                if later is None:
                    other = None if follower is None else follower.result()
                    if other is None:
                        self._give_back(ahead)
                    else:
                        self._settle(ahead, other, progress)
                    return False
                batch, ahead, flight = ahead, later, follower
                if flight is None and ahead:
                    batch, ahead = ahead, []
                    flight = start(batch)
        return True

    def _keep(
        self, batch: Sequence[Queued], outcome: Outcome, progress: Progress, built_before: datetime | None
    ) -> list[Queued] | None:
        """Keep what came of one upload and claim the next batch. None when the service as a whole failed."""
        if not isinstance(outcome, Receipt):
            return self._claim(progress, built_before) if self._settle(batch, outcome, progress) else None
        ids, poll_at = [item.id for item in batch], self._clock() + timedelta(seconds=self._settings.poll_first)
        size = self._settings.batch_size
        try:
            claimed = self._outbox.queue.sent_and_claim(
                ids, outcome, size, self._lease, poll_at=poll_at, built_before=built_before
            )
        except StoreError:
            # An Opcode must not be lost over the claim of something else.
            self._outbox.queue.sent(ids, outcome, poll_at=poll_at)
            claimed = []
        self._was_sent(batch, outcome, progress)
        return self._passing(claimed, progress, built_before)

    def _claim(self, progress: Progress, built_before: datetime | None) -> list[Queued]:
        """The next batch, see ``_passing``."""
        claimed = self._outbox.queue.claim(self._settings.batch_size, self._lease, built_before=built_before)
        return self._passing(claimed, progress, built_before)

    def _passing(self, claimed: list[Queued], progress: Progress, built_before: datetime | None) -> list[Queued]:
        """Those of ``claimed`` whose records pass; when none does, of the next batch that has one. The others are blocked."""
        while claimed:
            if passing := [item for item in claimed if self._passes(item, progress)]:
                return passing
            claimed = self._outbox.queue.claim(self._settings.batch_size, self._lease, built_before=built_before)
        return []

    def _passes(self, item: Queued, progress: Progress) -> bool:
        """Whether the NHI's checks find no error today. One that fails is kept for a person and never sent."""
        wrong = passed.errors(item.record, self._clock().date())
        if wrong:
            self._block(item, CheckFailed(count=len(wrong), errors=[f"{each.field}:{each.code}" for each in wrong]), progress)
        return not wrong

    def _packed(self, batch: Sequence[Queued]) -> Packed | None:
        try:
            return self._client.pack([item.record for item in batch], sign=True)
        except NhirxError:
            return None  # said by the attempt, which comes to the same end

    def _attempt(self, batch: Sequence[Queued], packed: Packed | None = None, after: Flight | None = None) -> Outcome | None:
        """One upload; what came of it is a value, because it comes from another thread. None: not sent, because ``after`` failed."""
        if after is not None and not isinstance(after.result(), Receipt | RecordMalformed):
            return None
        try:
            packed = packed or self._client.pack([item.record for item in batch])
            now = self._clock()
            # It may have stood behind another upload for long. When the lease ends somebody else may send the same record, so by then
            # this upload is over: two never send one record at once.
            within = min((item.lease_until or now) - now for item in batch).total_seconds()
            return self._client.send(packed, now, within=within)
        except NhirxError as error:
            return error

    def _settle(self, batch: Sequence[Queued], outcome: Outcome, progress: Progress) -> bool:
        """Keep what came of one upload. False when the service as a whole failed."""
        if isinstance(outcome, RecordMalformed):
            if len(batch) == 1:
                self._block(batch[0], outcome, progress)
                return True
            # One record that cannot be written must not hold up the others: each goes alone.
            for number, item in enumerate(batch, start=1):
                alone = self._attempt([item])
                assert alone is not None  # noqa: S101 - it followed nothing
                if not self._settle([item], alone, progress):
                    self._give_back(batch[number:])
                    return False
            return True
        if isinstance(outcome, NhirxError):
            self._failed(batch, outcome, progress)
            return False
        poll_at = self._clock() + timedelta(seconds=self._settings.poll_first)
        self._outbox.queue.sent([item.id for item in batch], outcome, poll_at=poll_at)
        self._was_sent(batch, outcome, progress)
        return True

    def _was_sent(self, batch: Sequence[Queued], receipt: Receipt, progress: Progress) -> None:
        self._breaker.succeeded()
        self._compare_clocks(receipt)
        progress.sent += len(batch)
        for item in batch:
            self._tell("sent", item, None)

    def _give_back(self, batch: Sequence[Queued]) -> None:
        """Claimed, never sent: due again when the pause is over."""
        if batch and (pause := self._breaker.pause):
            self._outbox.queue.failed(batch, pause.error, pause.until)

    def _compare_clocks(self, receipt: Receipt) -> None:
        """A clock that is off makes visits later than their upload, which the NHI rejects; better to hear of it here."""
        # Only one source says that an Opcode begins with a time; where it does not, the answer's own date tells.
        told = server_time(receipt) or self._client.service_at
        self.skew = None if told is None else receipt.received_at - told
        if self.skew is not None and abs(self.skew.total_seconds()) > self._settings.most_skew:
            _log.warning("the clock of this machine is %.0f s ahead of the service's", self.skew.total_seconds())

    def _failed(self, batch: Sequence[Queued], error: NhirxError, progress: Progress) -> None:
        pause = self._breaker.failed(error, self._clock())
        progress.failed += len(batch)
        refused = isinstance(error, UploadRefused)
        worn_out = [item for item in batch if refused and item.attempts + 1 >= self._settings.most_attempts]
        for item in worn_out:
            self._block(item, error, progress)
        rest = [item for item in batch if item not in worn_out]
        # A refusal and a connection that never stood are sure; anything else may have arrived.
        if isinstance(error, TransportError) and error.detail.get("reached", True):
            self._outbox.queue.unclear(rest, error, pause.until)
            for item in rest:
                if not item.unique:
                    progress.stuck += 1
                    self._tell("stuck", item, None)
        else:
            self._outbox.queue.failed(rest, error, pause.until)

    def _block(self, item: Queued, error: NhirxError, progress: Progress) -> None:
        self._outbox.queue.block(item.id, error)
        progress.stuck += 1
        self._tell("stuck", item, None)

    # ── checking ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _look(self, progress: Progress) -> None:
        now = self._clock()
        due = self._outbox.queue.unchecked(self._settings.batch_size * 10, now + _LONGEST_LOOK)
        for opcode, items in due.items():
            try:
                self._check(opcode, items, progress)
            except (TransportError, UploadRefused, ResultNotReady) as error:
                self._not_yet(items, error, progress)
                if not isinstance(error, ResultNotReady):
                    self._breaker.failed(error, self._clock())
                    return
            except NhirxError as error:  # the signature was not to be had
                self._not_yet(items, error, progress)
                self._breaker.failed(error, self._clock())
                return

    def _check(self, opcode: str, items: Sequence[Queued], progress: Progress) -> None:
        places = {item.place or 0: item.record.visit_id for item in items}
        results = self._client.result(opcode, places, items[0].batch or len(items))
        self._breaker.succeeded()
        found = {item.id: results[item.place or 0] for item in items}
        new = self._outbox.queue.checked(found)
        for item in items:
            if item.id not in new:
                continue
            if found[item.id].accepted:
                progress.accepted += 1
                self._tell("accepted", item, found[item.id])
            else:
                progress.rejected += 1
                self._tell("rejected", item, found[item.id])

    def _not_yet(self, items: Sequence[Queued], error: NhirxError, progress: Progress) -> None:
        """Ask again after half the time that has passed since sending, at least the first interval, at most ten minutes."""
        now = self._clock()
        first = timedelta(seconds=self._settings.poll_first)
        sent_at = min(item.sent_at or now for item in items)
        if now - sent_at > timedelta(seconds=self._settings.give_up_results):
            for item in items:
                self._block(item, error, progress)
            return
        self._outbox.queue.look_again([item.id for item in items], now + min(max(first, (now - sent_at) / 2), _LONGEST_LOOK))

    def _tell(self, event: str, item: Queued, result: CheckResult | None) -> None:
        if self._notify is None:
            return
        try:
            self._notify(event, item, result)
        except Exception as error:
            # News is not part of the work: whoever listens must not be able to stop an upload, nor to write a patient into the log.
            _log.error("notify(%s) failed: %s", event, type(error).__name__)

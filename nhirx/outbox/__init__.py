"""The journal of dispensings and the upload queue, in one database."""

from nhirx.outbox.store import Outbox, open_outbox
from nhirx.outbox.values import Dispensing, Problem, Queued

__all__ = ["Dispensing", "Outbox", "Problem", "Queued", "open_outbox"]

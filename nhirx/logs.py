"""Logging with personal data kept out.

Levels are those of ``logging`` plus ``TRAFFIC`` below DEBUG, which alone may hold bodies and APDUs. Every handler nhirx
installs masks what looks like an ID number, a visit ID or a long signature, as a second line of defence: the first is that
no message is given such values.
"""

from __future__ import annotations

import logging
import re
import sys

TRAFFIC = 5
logging.addLevelName(TRAFFIC, "TRAFFIC")

_NATIONAL_ID = re.compile(r"(?<![0-9A-Z])([A-Z][0-9A-Z])([0-9]{7})([0-9])(?![0-9A-Z])", re.ASCII | re.IGNORECASE)
_VISIT_ID = re.compile(
    r"(?<![0-9A-Z])(?=[0-9A-Z]{0,19}[0-9])([0-9A-HJ-NP-Z]{4})[0-9A-HJ-NP-Z]{14}([0-9A-HJ-NP-Z]{2})(?![0-9A-Z])",
    re.ASCII | re.IGNORECASE,
)
_LONG = re.compile(r"[0-9A-Za-z+/=]{40,}")


def mask(text: str) -> str:
    """``text`` with ID numbers, visit IDs and signatures masked by their form."""
    text = _LONG.sub(lambda found: f"<{len(found[0])} characters>", text)
    text = _VISIT_ID.sub(r"\1**************\2", text)
    return _NATIONAL_ID.sub(r"\1*******\3", text)


class MaskingFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        formatted = super().format(record)
        return formatted if record.levelno <= TRAFFIC else mask(formatted)


def set_up(level: int = logging.WARNING) -> None:
    """Log to stderr at ``level``. At DEBUG or below a warning box says that the log may name people."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(MaskingFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger("nhirx")
    root.handlers[:] = [handler]
    root.setLevel(level)
    if level <= logging.DEBUG:
        root.warning(
            "紀錄等級 %s：內容可能含個資，請勿外傳。 This log may name people; keep it to yourself.",
            logging.getLevelName(level),
        )

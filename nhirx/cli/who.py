"""Who stands in the audit trail for a command that was given nobody's name: the account of the machine."""

from __future__ import annotations

import getpass

_LONGEST = 64


def account() -> str:
    """Such as ``cli:alice``; ``cli`` where the machine has no accounts to tell."""
    try:
        return f"cli:{getpass.getuser()}"[:_LONGEST]
    except (OSError, KeyError, ImportError):
        return "cli"

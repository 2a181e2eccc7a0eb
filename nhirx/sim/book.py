"""What the simulated NHIA knows (``nhia.toml``), and how it says no.

The simulator's Python speaks in names (``signature-used``); the numbers are in the data file.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any


class Refusal(Exception):
    """A request that the simulated services turn down; ``name`` is a key of ``[status]`` or ``[return]``.

    It never leaves the simulator: the services turn it into an answer.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@cache
def book() -> dict[str, Any]:
    """The whole data file."""
    return tomllib.loads(files("nhirx.sim").joinpath("nhia.toml").read_text("utf-8"))


def status(name: str) -> int:
    """``statusCode`` of control software and data centre."""
    number: int = book()["status"][name]
    return number


def return_code(name: str) -> str:
    """``RtnCode`` of the Web API."""
    code: str = book()["return"][name]
    return code


def service(name: str) -> str:
    """``serviceType`` a signature is made for."""
    code: str = book()["service"][name]
    return code

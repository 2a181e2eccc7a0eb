"""Logs: nothing that names a person passes a handler of nhirx, below the one level that says so."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from nhirx import logs

VISIT_ID = "0USE4FA11RP4J370WR4K"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger("nhirx")
    before = (root.handlers[:], root.level)
    yield
    root.handlers[:], root.level = before[0], before[1]
    root.setLevel(before[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("病人 A123456789。", "病人 A1*******9。"),
        ("id=a123456789,", "id=a1*******9,"),
        ("AB12345677 and B200000004", "AB*******7 and B2*******4"),
        (f"visit {VISIT_ID}.", "visit 0USE**************4K."),
        (f"visit {VISIT_ID.lower()}.", "visit 0use**************4k."),
        ("x" * 40, "<40 characters>"),
        ("sig=" + "aB3/" * 64, "<260 characters>"),
        ("5901234567", "5901234567"),
        ("A123456789012", "A123456789012"),
        ("nothing to hide", "nothing to hide"),
        ("ABCDEFGHJKLMNPQRSTUV", "ABCDEFGHJKLMNPQRSTUV"),
    ],
)
def test_mask(text, expected):
    assert expected == logs.mask(text)


def test_messages_arguments_and_tracebacks_are_masked(capfd):
    """Whichever way the value got into the record."""
    logs.set_up(logging.WARNING)
    log = logging.getLogger("nhirx.test")
    log.warning("patient %s", "A123456789")
    try:
        raise RuntimeError(f"no {VISIT_ID}")
    except RuntimeError:
        log.exception("failed")

    written = capfd.readouterr().err

    assert "A1*******9" in written
    assert "Traceback" in written
    assert "A123456789" not in written
    assert VISIT_ID not in written


def test_debug_says_that_it_may_name_people(capfd):
    logs.set_up(logging.DEBUG)

    assert "個資" in capfd.readouterr().err


def test_warning_level_is_quiet(capfd):
    logs.set_up(logging.WARNING)
    logging.getLogger("nhirx.test").info("not shown")

    assert "" == capfd.readouterr().err


def test_traffic_alone_is_unmasked(capfd):
    """The level for bodies and APDUs is below DEBUG and has to be asked for by name."""
    logs.set_up(logs.TRAFFIC)
    logging.getLogger("nhirx.test").log(logs.TRAFFIC, "body %s", VISIT_ID)

    assert VISIT_ID in capfd.readouterr().err
    assert logs.TRAFFIC < logging.DEBUG
    assert "TRAFFIC" == logging.getLevelName(logs.TRAFFIC)


def test_set_up_twice_writes_once(capfd):
    logs.set_up(logging.WARNING)
    logs.set_up(logging.WARNING)
    logging.getLogger("nhirx.test").warning("once")

    assert 1 == capfd.readouterr().err.count("once")

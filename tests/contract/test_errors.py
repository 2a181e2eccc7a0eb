"""No exception of a library comes through: every one of httpx and pyscard has our name, and we raise only our own."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import httpx
import pytest
import smartcard.Exceptions
import smartcard.pcsc.PCSCExceptions

import nhirx
from nhirx import errors
from nhirx.card import pcsc_errors
from nhirx.errors import CardError, NhirxError, SettingInvalid, TransportError

ROOT = Path(__file__).parents[2]
HTTPX = [kind for kind in vars(httpx).values() if inspect.isclass(kind) and issubclass(kind, httpx.HTTPError)]
PYSCARD = sorted(
    {
        kind
        for module in (smartcard.Exceptions, smartcard.pcsc.PCSCExceptions)
        for kind in vars(module).values()
        if inspect.isclass(kind) and issubclass(kind, Exception)
    },
    key=lambda kind: (kind.__module__, kind.__name__),
)


@pytest.mark.parametrize("kind", HTTPX, ids=lambda kind: kind.__name__)
def test_every_exception_of_httpx_has_our_name(kind):
    from nhirx import http

    error = kind.__new__(kind)
    Exception.__init__(error, "x")

    found: NhirxError = http._named(error, "https://localhost", 1.0)

    # An address that no client could use is a setting to correct; everything else happened on the way.
    assert isinstance(found, SettingInvalid if kind is httpx.UnsupportedProtocol else TransportError)


@pytest.mark.parametrize("kind", PYSCARD, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_exception_of_pyscard_has_our_name(kind):
    """Both of its unrelated roots."""
    error = kind.__new__(kind)
    Exception.__init__(error, "x")

    assert isinstance(pcsc_errors.named(error, reader="r"), CardError)


def test_both_roots_of_pyscard_are_walked():
    roots = {"smartcard.Exceptions", "smartcard.pcsc.PCSCExceptions"}

    assert roots <= {kind.__module__ for kind in PYSCARD}
    assert len(PYSCARD) >= 19


# What may be raised beside our own, and why: pydantic's validators speak ValueError, __getattr__ speaks AttributeError,
# a frozen dictionary TypeError, what cannot happen is a RuntimeError,
# what the disk said in a worker process is said again in its parent (OSError),
# a hook's specification NotImplementedError, a command ends with SystemExit or Typer's own.
BUILT_IN = {
    "ValueError",
    "AttributeError",
    "TypeError",
    "NotImplementedError",
    "OSError",
    "SystemExit",
    "AssertionError",
    "EOFError",
    "RuntimeError",
}


def test_only_our_own_exceptions_are_raised():
    """Every ``raise Name(…)`` with a built-in exception is on the short list above."""
    import builtins

    foreign = {
        f"{path.relative_to(ROOT)}:{node.lineno} {name}"
        for folder in ("nhirx", "scanner")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Raise) and node.exc is not None
        for name in [ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)]
        if hasattr(builtins, name) and name not in BUILT_IN
    }

    assert set() == foreign


def test_errors_are_reachable_from_the_package():
    assert errors.NhirxError is nhirx.NhirxError

"""No failure of the smart card service or of pyscard falls through, and the most telling one is shown."""

from __future__ import annotations

import inspect
import pkgutil

import pytest
import smartcard
from smartcard import scard
from smartcard.Exceptions import SmartcardException
from smartcard.pcsc.PCSCExceptions import BaseSCardException

from nhirx.card import pcsc_errors
from nhirx.errors import (
    CardAbsent,
    CardError,
    CardMute,
    CardRemoved,
    CardUnreadable,
    NhirxError,
    NotAnNhiCard,
    PcscUnavailable,
    ReaderBusy,
    ReaderGone,
)

PLAIN = {  # faults between program and service: no operator can do anything about one of them in particular
    "SCARD_E_BAD_SEEK", "SCARD_E_CANCELLED", "SCARD_E_CANT_DISPOSE", "SCARD_E_CERTIFICATE_UNAVAILABLE", "SCARD_E_DIR_NOT_FOUND",
    "SCARD_E_DUPLICATE_READER", "SCARD_E_FILE_NOT_FOUND", "SCARD_E_ICC_CREATEORDER", "SCARD_E_ICC_INSTALLATION",
    "SCARD_E_INSUFFICIENT_BUFFER", "SCARD_E_INVALID_CHV", "SCARD_E_INVALID_HANDLE", "SCARD_E_INVALID_PARAMETER",
    "SCARD_E_INVALID_TARGET", "SCARD_E_INVALID_VALUE", "SCARD_E_NO_DIR", "SCARD_E_NO_FILE", "SCARD_E_NO_KEY_CONTAINER",
    "SCARD_E_NO_MEMORY", "SCARD_E_NO_SUCH_CERTIFICATE", "SCARD_E_PCI_TOO_SMALL", "SCARD_E_SYSTEM_CANCELLED",
    "SCARD_E_UNEXPECTED", "SCARD_E_UNKNOWN_RES_MNG", "SCARD_E_UNSUPPORTED_FEATURE", "SCARD_E_WRITE_TOO_MANY",
    "SCARD_F_INTERNAL_ERROR", "SCARD_F_UNKNOWN_ERROR", "SCARD_W_CANCELLED_BY_USER", "SCARD_W_CARD_NOT_AUTHENTICATED",
    "SCARD_W_CHV_BLOCKED", "SCARD_W_EOF", "SCARD_W_WRONG_CHV",
}  # fmt: skip
CODES = {name: getattr(scard, name) for name in dir(scard) if name.startswith(("SCARD_E_", "SCARD_W_", "SCARD_F_"))}


def exceptions_of_pyscard():
    """All exceptions below pyscard's two roots, wherever in the package they are defined."""
    found = {SmartcardException, BaseSCardException}
    for module in pkgutil.walk_packages(smartcard.__path__, "smartcard."):
        if module.name.startswith("smartcard.wx"):
            continue  # the widgets of another toolkit
        namespace = __import__(module.name, fromlist=["*"])
        for kind in vars(namespace).values():
            if inspect.isclass(kind) and issubclass(kind, SmartcardException | BaseSCardException):
                found.add(kind)
    return sorted(found, key=lambda kind: (kind.__module__, kind.__name__))


@pytest.mark.parametrize("name", sorted(CODES))
def test_every_code_has_a_name(name):
    """A code of the service is a failure the operator can act on, or is listed here as one that he cannot."""
    error = pcsc_errors.of_code(CODES[name], reader="Reader")

    assert (type(error) is CardError) == (name in PLAIN)
    assert error.detail["pcsc"] == f"{CODES[name] & 0xFFFFFFFF:08X}"


@pytest.mark.parametrize("kind", exceptions_of_pyscard(), ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_exception_of_both_roots_has_a_name(kind):
    """With a code the code decides; without one the kind does. The text of the original never goes on."""
    error = kind.__new__(kind)
    error.hresult = scard.SCARD_E_NO_SERVICE

    assert isinstance(pcsc_errors.named(error), PcscUnavailable)

    error.hresult = -1
    error.args = ("A123456789",)
    named = pcsc_errors.named(error, reader="Reader")

    assert isinstance(named, CardError)
    assert "A123456789" not in str(named.as_json())


def test_the_enumeration_sees_both_roots():
    """The list above is not empty by accident."""
    names = {kind.__name__ for kind in exceptions_of_pyscard()}

    assert {"NoCardException", "CardConnectionException", "EstablishContextException", "ReleaseContextException"} <= names


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (0x8010001D, PcscUnavailable),
        (-0x7FEFFFE3, PcscUnavailable),
        (0x8010000B, ReaderBusy),
        (0x8010000C, CardAbsent),
        (0x80100069, CardRemoved),
        (0x80100066, CardMute),
        (0x80100009, ReaderGone),
    ],
)
def test_the_usual_ones(code, kind):
    """Signed or unsigned, the code means the same."""
    assert type(pcsc_errors.of_code(code)) is kind


def test_a_refused_user_is_told_so():
    """The service runs and refuses: starting it would not help."""
    error = pcsc_errors.of_code(0x8010006A)

    assert isinstance(error, PcscUnavailable)
    assert "權限" in error.zh


@pytest.mark.parametrize(
    ("problems", "shown"),
    [
        ([CardAbsent(), CardUnreadable(problem="x")], CardUnreadable),
        ([CardAbsent(), ReaderBusy(reader="x")], ReaderBusy),
        ([pcsc_errors.professional_card(), CardAbsent()], CardAbsent),
        ([pcsc_errors.professional_card()], NotAnNhiCard),
        ([NotAnNhiCard(problem="x"), CardAbsent()], NotAnNhiCard),
        ([ReaderGone(reader="x"), CardAbsent()], CardAbsent),
    ],
)
def test_the_most_telling_problem_is_shown(problems, shown):
    """Where something was tried comes before where nothing is, and the pharmacist's own card is no problem."""
    assert type(pcsc_errors.most_telling(problems)) is shown


def test_without_pyscard_the_component_is_named(monkeypatch):
    """A machine without the library gets a line to type, not a traceback."""
    import sys

    from nhirx.card.pcsc import PcscReader

    for name in [name for name in sys.modules if name.split(".")[0] == "smartcard"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "smartcard", None)

    with pytest.raises(NhirxError) as caught:
        PcscReader().read_holder()
    assert caught.value.code == "component-missing"

"""PC/SC failures under our names: by the code of the smart card service, and where there is none by pyscard's class name.

nhirx asks the service through pyscard's plain functions, which return codes; ``named`` is for code that uses pyscard's
classes, such as a plugin's reader. No import of pyscard: the codes are those of PC/SC itself, equal on Windows, macOS and Linux, and a test holds both tables
against all codes and exceptions that pyscard defines.
"""

from __future__ import annotations

from collections.abc import Sequence

from nhirx.errors import (
    CardAbsent,
    CardError,
    CardMute,
    CardRemoved,
    CardUnreadable,
    NotAnNhiCard,
    PcscUnavailable,
    ReaderAbsent,
    ReaderBusy,
    ReaderGone,
)

_BY_CODE: dict[int, type[CardError]] = {
    0x8010_0001: CardError,  # internal error
    0x8010_0002: CardError,  # cancelled
    0x8010_0007: CardMute,  # waited too long
    0x8010_0009: ReaderGone,  # unknown reader
    0x8010_000A: CardMute,  # timeout
    0x8010_000B: ReaderBusy,  # sharing violation
    0x8010_000C: CardAbsent,  # no smart card
    0x8010_000D: NotAnNhiCard,  # unknown card
    0x8010_000F: NotAnNhiCard,  # protocol mismatch: every NHI card speaks T=1
    0x8010_0010: CardMute,  # not ready
    0x8010_0012: CardError,  # system cancelled
    0x8010_0013: CardMute,  # communication error
    0x8010_0015: NotAnNhiCard,  # invalid ATR
    0x8010_0016: CardMute,  # not transacted
    0x8010_0017: ReaderGone,  # reader unavailable
    0x8010_001A: ReaderGone,  # reader unsupported
    0x8010_001C: NotAnNhiCard,  # card unsupported
    0x8010_001D: PcscUnavailable,  # no service
    0x8010_001E: PcscUnavailable,  # service stopped
    0x8010_0027: PcscUnavailable,  # no access
    0x8010_002E: ReaderAbsent,  # no readers available
    0x8010_002F: CardMute,  # communication data lost
    0x8010_0031: ReaderBusy,  # server too busy
    0x8010_0065: NotAnNhiCard,  # unsupported card
    0x8010_0066: CardMute,  # unresponsive card
    0x8010_0067: CardMute,  # unpowered card
    0x8010_0068: ReaderBusy,  # reset by another program
    0x8010_0069: CardRemoved,  # removed card
    0x8010_006A: PcscUnavailable,  # security violation: the service refuses this user
}
"""Codes that say something of their own. The rest are faults between program and service: plain ``CardError``."""

_BY_CLASS: dict[str, type[CardError]] = {
    "CardRequestTimeoutException": CardAbsent,
    "CardServiceStoppedException": PcscUnavailable,
    "CardServiceNotFoundException": PcscUnavailable,
    "EstablishContextException": PcscUnavailable,
    "InvalidReaderException": ReaderGone,
    "ListReadersException": PcscUnavailable,
    "NoCardException": CardAbsent,
    "NoReadersException": ReaderAbsent,
    "CardConnectionException": CardMute,  # without a code: fewer than two bytes came back
}

_REFUSED = (0x8010_0027, 0x8010_006A)


def named(error: Exception, *, reader: str = "?") -> CardError:
    """Our exception for one of pyscard's. The text of the original is left out: it adds nothing and may hold data."""
    code = getattr(error, "hresult", -1)
    if isinstance(code, int) and code not in (0, -1):
        return of_code(code, reader=reader)
    kind = _BY_CLASS.get(type(error).__name__, CardError)
    return kind(reader=reader, problem=type(error).__name__)


def of_code(code: int, *, reader: str = "?") -> CardError:
    """Our exception for a code of the smart card service (as signed or unsigned 32-bit number)."""
    number = code & 0xFFFF_FFFF
    kind = _BY_CODE.get(number, CardError)
    detail = {"reader": reader, "problem": f"PC/SC {number:08X}", "pcsc": f"{number:08X}"}
    if number in _REFUSED:
        return kind(
            zh="智慧卡服務拒絕這個使用者存取。請以有權限的帳號執行，或請資訊人員開放智慧卡服務的權限。",
            en="The smart card service refuses this user. Run as one who may use it, or have the permission granted.",
            **detail,
        )
    return kind(**detail)


def professional_card() -> NotAnNhiCard:
    return NotAnNhiCard(problem="這是醫事人員卡 / it is a health professional card", professional=True)


_TELLING: tuple[type[CardError], ...] = (
    CardUnreadable,
    CardRemoved,
    ReaderBusy,
    NotAnNhiCard,
    CardMute,
    CardAbsent,
    ReaderGone,
    CardError,
)


def most_telling(problems: Sequence[CardError]) -> CardError:
    """Of what several readers said, what the operator should hear: the reader where something was tried comes first.

    The pharmacist's own card in its own reader is as it should be, so then the other reader speaks.
    """

    def rank(problem: CardError) -> int:
        if problem.detail.get("professional"):
            return len(_TELLING)
        return next(place for place, kind in enumerate(_TELLING) if isinstance(problem, kind))

    return min(problems, key=rank)

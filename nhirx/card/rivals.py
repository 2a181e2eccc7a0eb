"""Who else on this machine is likely to hold the reader. PC/SC does not tell, but the usual programs listen on known ports.

Source: field-notes, card §4.1, §5.1, §6.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator

from nhirx.errors import ReaderBusy

_PROGRAMS = (
    (5066, "讀卡機控制軟體 6.0", "control software 6.0"),
    (7777, "健保卡網路服務元件（民眾用）", "the citizens' web component"),
    (7776, "健保卡網路服務元件（民眾用）", "the citizens' web component"),
    (3033, "虛擬健保卡閘道", "the virtual card gateway"),
    (58113, "其他健保卡讀取服務", "another card reading service"),
)
_LIMIT = 0.2


def listening() -> Iterator[tuple[str, str]]:
    """The programs that answer on this machine, zh-TW and English."""
    for port, zh, en in _PROGRAMS:
        try:
            socket.create_connection(("127.0.0.1", port), _LIMIT).close()
        except OSError:
            continue
        yield zh, en


def busy(reader: str) -> ReaderBusy:
    """The error for a reader that stayed busy, with the likely culprits named where there are any."""
    found = list(dict.fromkeys(listening()))
    if not found:
        return ReaderBusy(reader=reader)
    zh, en = "、".join(name for name, _ in found), ", ".join(name for _, name in found)
    return ReaderBusy(
        zh=f"讀卡機「{reader}」正被其他程式使用，可能是：{zh}。請先關閉它，或稍候再試。",
        en=f"The reader {reader} is in use by another program, probably {en}. Close it first, or wait.",
        reader=reader,
        suspects=[name for _, name in found],
    )

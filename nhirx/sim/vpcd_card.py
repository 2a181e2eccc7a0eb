"""An NHI card without a card: a program that speaks to a virtual reader (vsmartcard's vpcd) as a chip would.

    python -m nhirx.sim.vpcd_card --port 35963 --card nul-padded

It prints one JSON line when the card is in the reader and stays until it is ended, which pulls the card out. It is a process
of its own on purpose: inside the client's process, reader service and client could wait for each other for ever.

Status words of real cards are not published; those for failures are our choice. Authentication is never imitated.
Source: field-notes, card §1.2 and §7.1.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import socket
import struct
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from nhirx.card import apdu

DEFAULT_PORT = 35963
_OFF, _ON, _RESET, _ATR = 0, 1, 2, 4


def basic(
    *,
    card_number: str = "000012345678",
    name: bytes = "王小明".encode("cp950"),
    pad: bytes = b"\x00",
    national_id: str = "A123456789",
    birth: str = "0750203",
    sex: str = "M",
    issued: str = "1120101",
) -> bytes:
    """The 57 bytes of a synthetic holder."""
    return (
        card_number.encode().ljust(12, b"\x00")
        + name[:20].ljust(20, pad)
        + national_id.encode().ljust(10)
        + birth.encode().ljust(7)
        + sex.encode().ljust(1)
        + issued.encode().ljust(7)
    )


@dataclass(frozen=True)
class Profile:
    """One card. ``pulled_after`` leaves the reader after that many commands; ``delay`` is seconds before each answer."""

    data: bytes = field(default_factory=basic)
    atr: bytes = apdu.NHI_ATRS[0]
    is_nhi: bool = True
    select_forms: tuple[bytes, ...] = apdu.SELECT_FORMS
    read_forms: tuple[bytes, ...] = apdu.READ_FORMS
    read_status: bytes = b"\x90\x00"
    mute: bool = False
    pulled_after: int | None = None
    delay: float = 0.0


_PLAIN = Profile()
PROFILES: dict[str, Profile] = {
    "nul-padded": _PLAIN,
    "blank-padded": replace(_PLAIN, data=basic(pad=b" ")),
    "wide-blank": replace(_PLAIN, data=basic(name="王小明　　　　".encode("cp950"), pad=b" ")),
    "four-characters": replace(_PLAIN, data=basic(name="歐陽小明".encode("cp950"), sex="F")),
    "ten-characters": replace(_PLAIN, data=basic(name="測試用名字共有十個字".encode("cp950"))),
    "latin": replace(_PLAIN, data=basic(name=b"NGUYEN THI TESTTESTX", national_id="A800000014", sex="F")),
    "cut-in-two": replace(_PLAIN, data=basic(name=b"A" + "測試用名字共有十個字".encode("cp950"))),
    "hkscs": replace(_PLAIN, data=basic(name="王堃".encode("big5hkscs"))),
    "undecodable": replace(_PLAIN, data=basic(name="王".encode("cp950") + b"\xff\xfe" + "明".encode("cp950"))),
    "old-permit": replace(_PLAIN, data=basic(national_id="AB12345678")),
    "new-permit": replace(_PLAIN, data=basic(national_id="A900000007")),
    "born-in-year-5": replace(_PLAIN, data=basic(birth="0050203")),
    "born-in-year-110": replace(_PLAIN, data=basic(birth="1100203")),
    "other-sex": replace(_PLAIN, data=basic(sex="X")),
    "no-issue-date": replace(_PLAIN, data=basic(issued="")),
    "le-only": replace(_PLAIN, select_forms=apdu.SELECT_FORMS[1:], read_forms=apdu.READ_FORMS[1:]),
    "short-answer": replace(_PLAIN, data=basic()[:56]),
    "failing-read": replace(_PLAIN, read_status=b"\x6f\x00"),
    "bad-id": replace(_PLAIN, data=basic(national_id="\x01\x02\x03")),
    "pulled": replace(_PLAIN, pulled_after=1),
    "pulled-at-once": replace(_PLAIN, pulled_after=0),
    "mute": replace(_PLAIN, mute=True),
    "slow": replace(_PLAIN, delay=0.4),
    "very-slow": replace(_PLAIN, delay=3.0),
    "professional": Profile(is_nhi=False, atr=apdu.HPC_ATR),
    "bank": Profile(is_nhi=False, atr=bytes.fromhex("3B6500002063CB6800")),
    "other-t1": Profile(is_nhi=False, atr=bytes.fromhex("3B84015445535493")),
}
PROFILES |= {f"atr-{number}": replace(_PLAIN, atr=atr) for number, atr in enumerate(apdu.NHI_ATRS)}


class Card:
    """What the chip does: commands in, answers out; ``None`` means that the card has just been pulled."""

    def __init__(self, profile: Profile, seen: Callable[[bytes], None] | None = None) -> None:
        self.profile = profile
        self.seen = seen
        self.selected = False
        self.silent = False
        self.commands = 0

    def power(self, *, on: bool) -> None:
        self.selected = False
        self.silent = on and self.profile.mute

    def atr(self) -> bytes:
        """The driver asks for it to see whether a card lies there, and again under power.

        There a mute card has to fail without seeming to be gone, which to the driver is an answer too long to be one.
        """
        silent, self.silent = self.silent, False
        return bytes(40) if silent else self.profile.atr

    def answer(self, command: bytes) -> bytes | None:
        card = self.profile
        if self.seen is not None:
            self.seen(command)
        if card.delay:
            time.sleep(card.delay)
        if card.pulled_after is not None and self.commands >= card.pulled_after:
            return None
        self.commands += 1
        if command[:4] == b"\x00\xa4\x04\x00":
            self.selected = card.is_nhi and command in card.select_forms
            return b"\x90\x00" if self.selected else b"\x6a\x82"
        if command[:4] == b"\x00\x82\x11\x12":
            return b"\x69\x82"
        if command == apdu.CHALLENGE:
            return os.urandom(8) + b"\x90\x00"
        if command[:2] != b"\x00\xca":
            return b"\x6d\x00"
        if not self.selected:
            return b"\x69\x85"
        if command[:4] == b"\x00\xca\x11\x00":
            return card.data + card.read_status if command in card.read_forms else b"\x67\x00"
        if command == apdu.READ_CARD_ID:
            return card.data[:12] + b"\x90\x00"
        if command == apdu.READ_MARK:
            return b"1\x90\x00"
        return b"\x6a\x88"


def serve(reader: socket.socket, card: Card) -> None:
    """Answer the reader until it goes or the card is pulled. Messages: two bytes of length, then the payload."""
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            (length,) = struct.unpack(">H", _receive(reader, 2))
            message = _receive(reader, length)
            if length == 1 and message[0] in (_OFF, _ON, _RESET):
                card.power(on=message[0] != _OFF)
            elif length == 1 and message[0] == _ATR:
                _send(reader, card.atr())
            elif (answer := card.answer(message)) is None:
                return
            else:
                _send(reader, answer)


def _send(reader: socket.socket, payload: bytes) -> None:
    reader.sendall(struct.pack(">H", len(payload)) + payload)


def _receive(reader: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        part = reader.recv(length - len(received))
        # The driver sends length and payload apart; waiting to acknowledge the first would cost 40 ms per command.
        if hasattr(socket, "TCP_QUICKACK"):
            reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        if not part:
            raise EOFError
        received += part
    return received


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="A virtual NHI card for vsmartcard's virtual reader.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="the virtual slot (default: %(default)s, the first)")
    parser.add_argument("--card", choices=sorted(PROFILES), default="nul-padded")
    parser.add_argument("--trace", action="store_true", help="print each command's first four bytes")
    chosen = parser.parse_args(arguments)
    try:
        reader = socket.create_connection((chosen.host, chosen.port))
    except OSError as error:
        sys.stderr.write(f"{chosen.host}:{chosen.port}: {error}\n")
        return 3
    with reader:
        reader.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _say(card=chosen.card, port=chosen.port)
        card = Card(PROFILES[chosen.card], _trace if chosen.trace else None)
        with contextlib.suppress(KeyboardInterrupt):
            serve(reader, card)
    return 0


def _trace(command: bytes) -> None:
    _say(command=command[:4].hex())


def _say(**members: str | int) -> None:
    sys.stdout.write(json.dumps(members) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())

"""A process that talks PC/SC on a private socket: one JSON line in, one JSON line out.

The socket's name is read once per process by the client library, so tests that use a service of their own cannot share a
process with anything else that ever asked the system's.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

from nhirx.card.pcsc import PcscReader
from nhirx.errors import NhirxError

held: list[Any] = []


def read(readers: list[str] | None = None, patience: float = 0.3) -> dict[str, Any]:
    holder = PcscReader(readers, patience=patience).read_holder()
    return {"holder": holder.model_dump(mode="json")}


def names() -> dict[str, Any]:
    return {"names": list(PcscReader().reader_names())}


def hold(reader: str, seconds: float = 0.0) -> dict[str, Any]:
    """Take the reader exclusively, as another program would; with ``seconds`` give it back after that time."""
    from smartcard.scard import SCARD_SHARE_EXCLUSIVE
    from smartcard.System import readers

    connection = next(entry for entry in readers() if str(entry) == reader).createConnection()
    connection.connect(mode=SCARD_SHARE_EXCLUSIVE)
    held.append(connection)
    if seconds:
        threading.Timer(seconds, let_go).start()
    return {}


def let_go() -> dict[str, Any]:
    while held:
        connection = held.pop()
        connection.disconnect()
        connection.release()
    return {}


COMMANDS = {"read": read, "names": names, "hold": hold, "let_go": let_go}

if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = COMMANDS[request.pop("do")](**request)
        except NhirxError as error:
            answer = error.as_json()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

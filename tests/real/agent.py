"""A process that talks PC/SC on a private socket: one JSON line in, one JSON line out.

The socket's name is read once per process by the client library, so tests that use a service of their own cannot share a
process with anything else that ever asked the system's.
"""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
import time
from dataclasses import asdict
from typing import Any

from nhirx import hookimpl
from nhirx.card.monitor import CardEvent, CardMonitor
from nhirx.card.pcsc import PcscReader
from nhirx.card_watch import CardWatch
from nhirx.errors import NhirxError
from nhirx.model import Holder
from nhirx.plugin.manager import Plugins

held: list[Any] = []


def read(readers: list[str] | None = None, patience: float = 0.3) -> dict[str, Any]:
    holder = PcscReader(readers, patience=patience).read_holder()
    return {"holder": holder.model_dump(mode="json")}


def read_together(threads: int) -> dict[str, Any]:
    """As many reads at the same moment; how often each ID number came out."""
    from collections import Counter
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda _: PcscReader(patience=10).read_holder().national_id, range(threads))
        return dict(Counter(found))


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


events: list[dict[str, Any]] = []
monitors: list[CardMonitor | CardWatch] = []


def watch() -> dict[str, Any]:
    """Collect events from now on. One of the listeners fails on every event, which must not matter."""
    monitors.append(CardMonitor(lambda event: (events.append(asdict(event)), 1 / 0)[0]))
    monitors[-1].start()
    return {}


def seen() -> dict[str, Any]:
    return {"events": [[event["kind"], event["reader"], event["mute"]] for event in events]}


def unwatch() -> dict[str, Any]:
    """Stop, twice, and say how many seconds that took."""
    began = time.monotonic()
    monitors[-1].stop()
    took = time.monotonic() - began
    monitors.pop().stop()
    return {"took": took}


told: list[Any] = []


class _Listener:
    @hookimpl
    def nhirx_card_read(self, holder: Holder, reference: str | None) -> None:
        told.append([holder.national_id, reference])


def watch_cards() -> dict[str, Any]:
    """Watch as a counter does: what the plugins hear, and what the display is shown."""
    plugins = Plugins(discover=False)
    plugins.register(_Listener(), "listener")

    def shown(event: CardEvent, found: object) -> None:
        events.append(asdict(event) | {"reader": getattr(found, "code", None) or getattr(found, "national_id", "")})

    monitors.append(CardWatch(plugins, shown).start())
    return {}


def heard() -> dict[str, Any]:
    return {"told": told}


def log(level: int) -> dict[str, Any]:
    """What one read writes to the log at ``level``."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("nhirx")
    logging.disable(0)
    logger.addHandler(handler)
    logger.setLevel(level)
    try:
        read()
    finally:
        logger.removeHandler(handler)
    return {"log": stream.getvalue()}


COMMANDS = {
    "log": log,
    "read": read,
    "read_together": read_together,
    "names": names,
    "hold": hold,
    "let_go": let_go,
    "watch": watch,
    "seen": seen,
    "unwatch": unwatch,
    "watch_cards": watch_cards,
    "heard": heard,
}

if __name__ == "__main__":
    logging.disable(logging.ERROR)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = COMMANDS[request.pop("do")](**request)
        except NhirxError as error:
            answer = error.as_json()
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()

"""Cards that are put in and taken out, as news: for the counter's display and for the plugins.

Who is in the reader is known before anybody asks for a prescription, so a pharmacy system can open the patient's page. It is
no proof of anything: a dispensing reads the card again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Self

from nhirx.card.monitor import CardEvent, CardMonitor
from nhirx.card.pcsc import PcscReader
from nhirx.errors import NhirxError
from nhirx.model import Holder
from nhirx.plugin.manager import Plugins

_log = logging.getLogger(__name__)

Seen = Callable[[CardEvent, Holder | NhirxError | None], None]
"""Called with each event; for a card put in, with its holder, or with the error that says why it could not be read."""


class CardWatch:
    """Watches from ``start`` (or ``with``) to ``stop``. Plugins hear ``nhirx_card_read`` without reference for each card put in.

    Nothing of a card is kept: when it is taken out, what was told of it is over.
    """

    def __init__(self, plugins: Plugins, seen: Seen | None = None) -> None:
        self._plugins = plugins
        self._seen = seen or (lambda _event, _found: None)
        self._monitor = CardMonitor(self._heard)
        self._reading = threading.Lock()

    def start(self) -> Self:
        """Raises ``ComponentMissing`` where pyscard is not installed."""
        self._monitor.start()
        return self

    def stop(self) -> None:
        self._monitor.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _heard(self, event: CardEvent) -> None:
        found: Holder | NhirxError | None = None
        if event.kind == "card-inserted":
            with self._reading:
                try:
                    found = PcscReader([event.reader]).read_holder()
                except NhirxError as error:
                    # A bank card, a professional's card, a mute one: shown, not told to plugins.
                    _log.info("the card put in could not be read: %s", error.code)
                    found = error
        if isinstance(found, Holder):
            self._plugins.card_read(found, None)
        self._seen(event, found)

"""nhirx-bridge: card reader and control software through a program of the pharmacy system's vendor.

Many pharmacy programs hold reader and control software for themselves. With a small program of the vendor's that answers one
JSON line per JSON line, nhirx uses both without taking them away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from nhirx import hookimpl
from nhirx.errors import SettingInvalid
from nhirx_bridge.parts import BridgeControl, BridgeReader
from nhirx_bridge.peer import Peer


class Bridge:
    """Offers ``bridge`` as card reader and as control software once the option ``command`` is set."""

    def __init__(self) -> None:
        self._peer: Peer | None = None

    @hookimpl
    def nhirx_configure(self, options: Mapping[str, Any]) -> None:
        if unknown := sorted(set(options) - {"command", "seconds"}):
            raise SettingInvalid(setting="plugins.options.bridge", problem=f"沒有這個選項 / no such option: {', '.join(unknown)}")
        command = options.get("command")
        if command is None:
            return
        if isinstance(command, str) or not command or not all(isinstance(word, str) for word in command):
            raise SettingInvalid(setting="plugins.options.bridge.command", problem="須為字串清單 / has to be a list of words")
        self._peer = Peer(tuple(command), float(options.get("seconds", 20.0)))

    @hookimpl
    def nhirx_register_card_readers(self) -> Mapping[str, Callable[[], Any]]:
        return {"bridge": partial(BridgeReader, self._peer)} if self._peer else {}

    @hookimpl
    def nhirx_register_control_software(self) -> Mapping[str, Callable[[], Any]]:
        return {"bridge": partial(BridgeControl, self._peer)} if self._peer else {}

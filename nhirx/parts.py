"""What a host is made of: each part from the settings and the plugins, made when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from nhirx.card.base import ControlSoftware, HolderReader
from nhirx.errors import ComponentMissing, PluginNonsense
from nhirx.settings import Settings

if TYPE_CHECKING:
    from nhirx_scanner import Scanner

    from nhirx.outbox import Outbox
    from nhirx.plugin.manager import Plugins

T = TypeVar("T")

_OWN_CONTROL = frozenset({"auto", "control6", "cshis", "virtual", "none"})
_OWN_READERS = frozenset({"pcsc"})


class Parts:
    """Parts that are handed in are used as they are; the others are made from ``settings``."""

    def __init__(
        self,
        settings: Settings,
        clock: Callable[[], datetime],
        *,
        outbox: Outbox | None = None,
        plugins: Plugins | None = None,
        control: ControlSoftware | None = None,
        reader: HolderReader | None = None,
        scanner: Scanner | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._outbox = outbox
        self._plugins = plugins
        self._control = control
        self._reader = reader
        self._scanner = scanner

    @property
    def outbox(self) -> Outbox:
        if self._outbox is None:
            from nhirx.outbox import open_outbox

            self._outbox = open_outbox(self._settings, clock=self._clock)
        return self._outbox

    @property
    def plugins(self) -> Plugins:
        if self._plugins is None:
            from nhirx.plugin.manager import Plugins

            self._plugins = Plugins(self._settings.plugins)
        return self._plugins

    @property
    def scanner(self) -> Scanner:
        if self._scanner is None:
            from nhirx_scanner import Scanner

            self._scanner = Scanner()
        return self._scanner

    @property
    def control(self) -> ControlSoftware:
        """The control software that the settings choose, a plugin's included."""
        if self._control is None:
            kind = self._settings.control.kind
            if kind in _OWN_CONTROL:
                from nhirx.card.choose import control_software

                self._control = control_software(self._settings)
            else:
                self._control = _made(self.plugins.control_software, kind, ControlSoftware, "control.kind", "control_software")  # type: ignore[type-abstract]
        return self._control

    def virtual_card(self, token: str) -> ControlSoftware:
        """The way to one patient's virtual card, for one dispensing."""
        from nhirx.card.choose import virtual_card

        return virtual_card(self._settings, token, companion=self.control)

    @property
    def reader(self) -> HolderReader | None:
        """The card reader that the settings name; None where the control software tells the holder."""
        name = self._settings.control.reader
        if self._reader is None and name is not None:
            if name in _OWN_READERS:
                from nhirx.card.choose import holder_reader

                self._reader = holder_reader()
            else:
                self._reader = _made(self.plugins.card_readers, name, HolderReader, "control.reader", "card_readers")  # type: ignore[type-abstract]
        return self._reader

    def close(self) -> None:
        """Let go of card, database and plugins."""
        for part in (self._control, self._reader, self._outbox, self._plugins):
            if part is not None:
                part.close()


def _made(offered: dict[str, Callable[[], object]], name: str, kind: type[T], setting: str, hook: str) -> T:
    """What the plugin makes under ``name``, if it is what it says."""
    if name not in offered:
        raise ComponentMissing(component=f"{setting} = {name!r}", how="nhirx plugins")
    made = offered[name]()
    if not isinstance(made, kind):
        raise PluginNonsense(plugin=name, hook=f"nhirx_register_{hook}", problem=f"not a {kind.__name__}")
    return made

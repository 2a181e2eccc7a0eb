"""Plugins: the typed face of all plugins. Nothing else in nhirx knows pluggy; a misspelt hook is a type error here.

Each implementation is called alone (``subset_hook_caller``), because pluggy itself stops at the first that raises, and on
its plugin's own thread. The four kinds of hooks differ only in what a failure does; the module docstring of
``nhirx.plugin`` states that for plugin authors.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple, TypeVar

from nhirx.errors import CardError, NhirxError, PluginFailed, PluginNonsense
from nhirx.model import CardReading, CheckError, Facts, Finding, Holder, Prescription, Receipt, UploadPlan, UploadRecord
from nhirx.plugin import spec
from nhirx.plugin.discovery import PluginStatus
from nhirx.plugin.frozen import frozen
from nhirx.plugin.problems import in_words
from nhirx.plugin.registry import CallFailed, Registry
from nhirx.settings import PluginSettings

_log = logging.getLogger("nhirx.plugin")
T = TypeVar("T")
_PERSON_LIMIT = 300.0  # a person answers behind this hook, not a program


class ClosedDays(NamedTuple):
    """``days`` with their reasons; ``findings`` of plugins that failed: with one, the days are not to be trusted."""

    days: dict[date, str]
    findings: tuple[Finding, ...]


class Plugins:
    """All plugins of this machine. Thread-safe after construction.

    ``discover=False`` leaves installed plugins out: tests and tools register what they want with ``register``.
    """

    def __init__(self, settings: PluginSettings | None = None, *, discover: bool = True) -> None:
        self._registry = Registry(settings or PluginSettings())
        if discover:
            self._registry.discover()

    def register(self, plugin: object, name: str) -> None:
        """Take in ``plugin`` under ``name``. Raises ``PluginRefused``, after which nothing of it is left."""
        self._registry.register(plugin, name)

    @property
    def statuses(self) -> tuple[PluginStatus, ...]:
        """Every plugin that was found, loaded or not."""
        return self._registry.statuses

    @property
    def names(self) -> tuple[str, ...]:
        """The loaded plugins."""
        return tuple(status.name for status in self.statuses if status.status == "loaded")

    @property
    def absent(self) -> tuple[str, ...]:
        """Names of the settings' option tables that belong to no plugin: a slip of the pen, or a plugin not installed."""
        return self._registry.absent

    def close(self) -> None:
        """Let the plugins' threads end."""
        self._registry.close()

    # ── ask ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def find_prescription(self, scan: spec.Scan) -> Prescription | None:
        """The pharmacy system's own copy. Raises ``PluginFailed``, ``PluginNonsense``."""
        return self._ask("nhirx_find_prescription", {"scan": scan}, Prescription)

    def parse_code(self, text: str, symbology: str) -> Prescription | None:
        """What a code on the sheet says. Raises ``PluginFailed``, ``PluginNonsense``."""
        return self._ask("nhirx_parse_code", {"text": text, "symbology": symbology}, Prescription)

    def choose_abnormal_reason(self, candidates: Sequence[str], error: CardError | None, facts: Facts) -> str | None:
        """One of ``candidates``. Raises ``PluginFailed``, ``PluginNonsense`` (also for a code that is none of them)."""
        arguments: dict[str, Any] = {"candidates": tuple(candidates), "error": error, "facts": facts}
        return self._ask("nhirx_choose_abnormal_reason", arguments, str, allowed=arguments["candidates"], seconds=_PERSON_LIMIT)

    # ── collect ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def check(self, plan: UploadPlan, prescription: Prescription | None) -> tuple[Finding, ...]:
        """The findings of all plugins; a plugin that failed is a finding that blocks."""
        findings: list[Finding] = []
        arguments = {"plan": plan, "prescription": prescription}
        for name, answer in self._collect("nhirx_check", arguments, findings):
            listed = (answer,) if isinstance(answer, Finding) else answer
            if not isinstance(listed, list | tuple) or not all(isinstance(one, Finding) for one in listed):
                findings.append(_nonsense(name, "nhirx_check", answer, "Finding").finding)
                continue
            findings += [one if one.source else one.model_copy(update={"source": f"plugin {name}"}) for one in listed]
        return tuple(findings)

    def calendar(self, first: date, last: date) -> ClosedDays:
        """The closed days from ``first`` to ``last`` by all plugins together."""
        days: dict[date, str] = {}
        findings: list[Finding] = []
        for name, answer in self._collect("nhirx_calendar", {"first": first, "last": last}, findings):
            if not isinstance(answer, Mapping) or not all(
                type(day) is date and isinstance(reason, str) for day, reason in answer.items()
            ):
                findings.append(_nonsense(name, "nhirx_calendar", answer, "date → str").finding)
                continue
            days |= {day: reason for day, reason in answer.items() if first <= day <= last and day not in days}
        return ClosedDays(days, tuple(findings))

    # ── tell ──────────────────────────────────────────────────────────────────────────────────────────────────────────

    def prescription_scanned(self, scan: spec.Scan) -> None:
        self._tell("nhirx_prescription_scanned", {"scan": scan})

    def card_read(self, holder: Holder, reference: str | None = None) -> None:
        self._tell("nhirx_card_read", {"holder": holder, "reference": reference})

    def visit_number_issued(self, reading: CardReading, reference: str | None = None) -> None:
        self._tell("nhirx_visit_number_issued", {"reading": reading, "reference": reference})

    def dispensed(self, record: UploadRecord, prescription: Prescription, reference: str | None = None) -> None:
        self._tell("nhirx_dispensed", {"record": record, "prescription": prescription, "reference": reference})

    def record_queued(self, record: UploadRecord, reference: str | None = None) -> None:
        self._tell("nhirx_record_queued", {"record": record, "reference": reference})

    def record_accepted(self, record: UploadRecord, receipt: Receipt, reference: str | None = None) -> None:
        self._tell("nhirx_record_accepted", {"record": record, "receipt": receipt, "reference": reference})

    def record_rejected(
        self, record: UploadRecord, receipt: Receipt | None, errors: Sequence[CheckError], reference: str | None = None
    ) -> None:
        arguments = {"record": record, "receipt": receipt, "errors": tuple(errors), "reference": reference}
        self._tell("nhirx_record_rejected", arguments)

    # ── register ──────────────────────────────────────────────────────────────────────────────────────────────────────

    @property
    def card_readers(self) -> dict[str, Callable[[], Any]]:
        """Name → function that makes a ``HolderReader``."""
        return self._parts("nhirx_register_card_readers")

    @property
    def control_software(self) -> dict[str, Callable[[], Any]]:
        """Name → function that makes a ``ControlSoftware``."""
        return self._parts("nhirx_register_control_software")

    @property
    def decoders(self) -> dict[str, spec.Decoder]:
        """Name → decoder of grey pictures, run on its plugin's thread. Raises ``PluginFailed``, ``PluginNonsense``."""
        hook = "nhirx_register_decoders"
        return {key: self._decoder(name, hook, function) for key, (name, function) in self._registry.offers[hook].items()}

    @property
    def commands(self) -> dict[str, Callable[..., Any]]:
        """Name → function that becomes a command of ``nhirx``."""
        return self._parts("nhirx_register_commands")

    def _parts(self, hook: str) -> dict[str, Callable[..., Any]]:
        return {key: _guarded(name, hook, function) for key, (name, function) in self._registry.offers[hook].items()}

    def _decoder(self, name: str, hook: str, function: spec.Decoder) -> spec.Decoder:
        def decode(grey: Any) -> list[tuple[str, str, spec.Polygon | None]]:
            try:
                codes = self._registry.alone(name, lambda: list(function(grey)), hook=hook)
            except CallFailed as failure:
                raise _failed(name, hook, failure.error) from None
            for code in codes:
                if not _is_code(code):
                    raise _nonsense(name, hook, code, "(text, symbology, four corners or None)").error
            return list(codes)

        return decode

    # ── calling ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _ask(
        self,
        hook: str,
        arguments: Mapping[str, Any],
        kind: type[T],
        *,
        allowed: Sequence[T] | None = None,
        seconds: float | None = None,
    ) -> T | None:
        for name in self._registry.order(hook):
            try:
                answer = self._registry.call(name, hook, arguments, seconds)
            except CallFailed as failure:
                raise _failed(name, hook, failure.error) from None
            if answer is None:
                continue
            if not isinstance(answer, kind):
                raise _nonsense(name, hook, answer, kind.__name__).error
            if allowed is not None and answer not in allowed:
                raise _nonsense(name, hook, answer, "one of the candidates").error
            # A copy: what the plugin keeps and changes afterwards is its own.
            found: T = frozen(answer)
            return found
        return None

    def _collect(self, hook: str, arguments: Mapping[str, Any], findings: list[Finding]) -> Iterable[tuple[str, Any]]:
        for name in self._registry.order(hook):
            try:
                answer = self._registry.call(name, hook, arguments)
            except CallFailed as failure:
                findings.append(_blocking(_failed(name, hook, failure.error)))
                continue
            if answer is not None:
                yield name, answer

    def _tell(self, hook: str, arguments: Mapping[str, Any]) -> None:
        for name in self._registry.order(hook):
            try:
                self._registry.call(name, hook, arguments)
            except CallFailed as failure:
                _log.error("plugin %s failed in %s: %s", name, hook, in_words(failure.error)[1])


class _Nonsense(NamedTuple):
    error: PluginNonsense
    finding: Finding


def _is_code(code: object) -> bool:
    if not isinstance(code, tuple) or len(code) != 3 or not isinstance(code[0], str) or not isinstance(code[1], str):
        return False
    corners = code[2]
    return corners is None or (
        isinstance(corners, list | tuple)
        and len(corners) == 4
        and all(isinstance(point, list | tuple) and len(point) == 2 for point in corners)
    )


def _guarded(plugin: str, hook: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """``function``, whose foreign exceptions become ``PluginFailed``; those of nhirx pass."""

    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        try:
            answer = function(*arguments, **named)
            # A generator is used up here, where its failure still has its plugin's name.
            return list(answer) if isinstance(answer, Iterator) else answer
        except NhirxError:
            raise
        except Exception as error:
            # What Typer raises for a wrong call is no failure of the plugin.
            if hasattr(error, "format_message") or hasattr(error, "exit_code"):
                raise
            raise _failed(plugin, hook, error) from None

    return call


def _failed(plugin: str, hook: str, error: BaseException) -> PluginFailed:
    zh, en = in_words(error)
    return PluginFailed(
        plugin=plugin,
        hook=hook,
        problem=en,
        zh=PluginFailed.zh_words.format(plugin=plugin, hook=hook, problem=zh),
        en=PluginFailed.en_words.format(plugin=plugin, hook=hook, problem=en),
    )


def _nonsense(plugin: str, hook: str, answer: Any, expected: str) -> _Nonsense:
    # The answer's type only: its content may be a patient.
    problem = f"{type(answer).__name__}, expected {expected}"
    error = PluginNonsense(plugin=plugin, hook=hook, problem=problem)
    return _Nonsense(error, _blocking(error))


def _blocking(error: NhirxError) -> Finding:
    return Finding(code=error.code, severity="block", zh=error.zh, en=error.en, source=f"plugin {error.detail['plugin']}")

"""Taking plugins in, and calling one hook of one plugin. The facade in ``manager`` builds on this; nothing else does.

Each implementation is called alone (``subset_hook_caller``), because pluggy itself stops at the first that raises, and on
its plugin's own thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn

import pluggy

from nhirx.errors import PluginRefused
from nhirx.model import Finding, Prescription
from nhirx.plugin import NAME, discovery, spec
from nhirx.plugin.discovery import PluginStatus
from nhirx.plugin.frozen import frozen
from nhirx.plugin.lane import Lane, NoAnswer
from nhirx.plugin.problems import in_words, missing_option
from nhirx.plugin.trace import describe, trace, wanted
from nhirx.settings import PluginSettings

_log = logging.getLogger("nhirx.plugin")

OFFERS = ("nhirx_register_card_readers", "nhirx_register_control_software", "nhirx_register_decoders", "nhirx_register_commands")
"""The register hooks that answer with name → function."""

_FINISHED = (str, bytes, Mapping, Sequence, Finding, Prescription)


class CallFailed(Exception):
    """A plugin's hook raised ``error``, whatever it is, or did not answer. Never leaves this package."""

    def __init__(self, hook: str, error: BaseException) -> None:
        super().__init__(hook)
        self.hook = hook
        self.error = error


class _Unfit(Exception):
    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


class Registry:
    """The plugins that were taken in, and those that were not, with the reason."""

    def __init__(self, settings: PluginSettings) -> None:
        self._settings = settings
        self._pm = pluggy.PluginManager(NAME)
        self._pm.add_hookspecs(spec)
        self._lanes: dict[str, Lane] = {}
        self.offers: dict[str, dict[str, tuple[str, Callable[..., Any]]]] = {hook: {} for hook in OFFERS}
        """Register hook → name of the part → plugin that brings it, function."""
        self._statuses: list[PluginStatus] = []

    # ── loading ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def discover(self) -> None:
        blocked = discovery.blocked_names(self._settings.blocked)
        for point in discovery.installed():
            package = point.dist.name if point.dist else None
            version = point.dist.version if point.dist else None
            if discovery.is_blocked(point, blocked):
                self._statuses.append(PluginStatus(point.name, package, version, "blocked"))
                continue
            try:
                # On the plugin's lane: an import that hangs or exits must not take nhirx along.
                plugin = self.alone(point.name, lambda point=point: discovery.load(point))  # type: ignore[misc]
                self.register(plugin, point.name, package=package, version=version)
            except CallFailed as failure:
                zh, en = in_words(failure.error)
                self._note_refusal(point.name, package, version, zh, en)
            except PluginRefused:
                continue

    def register(self, plugin: object, name: str, *, package: str | None = None, version: str | None = None) -> None:
        """Take ``plugin`` in under ``name``. Raises ``PluginRefused``, after which nothing of it is left."""
        offers: dict[str, dict[str, tuple[str, Callable[..., Any]]]] = {}
        try:
            hooks = self._admit(plugin, name)
            if "nhirx_configure" in hooks:
                self.call(name, "nhirx_configure", {"options": self._settings.options.get(name, {})})
            for hook in OFFERS:
                offers[hook] = self._offered(name, hook) if hook in hooks else {}
        except CallFailed as failure:
            self._leave(plugin, name)
            zh, en = in_words(failure.error)
            if failure.hook == "nhirx_configure" and (
                option := missing_option(failure.error, self._settings.options.get(name, {}))
            ):
                zh = f"缺少設定 [plugins.options.{name}] {option}"
                en = f"option {option} is missing from [plugins.options.{name}]"
            self._refuse(name, package, version, f"{failure.hook}：{zh}", f"{failure.hook}: {en}")
        except _Unfit as unfit:
            self._leave(plugin, name)
            self._refuse(name, package, version, unfit.zh, unfit.en)
        for hook, offered in offers.items():
            self.offers[hook].update(offered)
        self._statuses.append(PluginStatus(name, package, version, "loaded", hooks))

    def _admit(self, plugin: object, name: str) -> tuple[str, ...]:
        try:
            hash(plugin)
        except TypeError:
            raise _Unfit("外掛物件必須可雜湊", "the plugin object has to be hashable") from None
        if self._pm.has_plugin(name):
            raise _Unfit("已有同名的外掛", "another plugin has this name")
        for attribute in dir(plugin):
            if attribute.startswith("nhirx_") and callable(getattr(plugin, attribute)) and not _marked(plugin, attribute):
                raise _Unfit(f"{attribute} 缺少 @hookimpl", f"{attribute} lacks @hookimpl")
        try:
            self._pm.register(plugin, name)
        except (pluggy.PluginValidationError, ValueError, TypeError) as error:
            known = str(error).splitlines()
            words = next((line for line in known if "hookimpl definition" in line or "Argument" in line), known[0])
            raise _Unfit(f"掛勾寫法不正確（{words}）", f"a hook is written wrongly ({words})") from None
        hooks = []
        for caller in self._pm.get_hookcallers(plugin) or ():
            mine = [impl for impl in caller.get_hookimpls() if impl.plugin is plugin]
            if not caller.has_spec():
                if all(impl.optionalhook for impl in mine):
                    continue
                raise _Unfit(f"沒有 {caller.name} 這個掛勾", f"there is no hook {caller.name}")
            if any(impl.hookwrapper or impl.wrapper for impl in mine):
                raise _Unfit(f"{caller.name} 不可使用 wrapper", f"{caller.name} is a wrapper, which is not allowed")
            hooks.append(caller.name)
        if not hooks:
            raise _Unfit("沒有任何掛勾", "it has no hook at all")
        return tuple(sorted(hooks))

    def _offered(self, name: str, hook: str) -> dict[str, tuple[str, Callable[..., Any]]]:
        answer = self.call(name, hook, {})
        if answer is None:
            return {}
        if not isinstance(answer, Mapping) or not all(isinstance(key, str) and callable(value) for key, value in answer.items()):
            raise _Unfit(f"{hook} 須回傳「名稱 → 函式」", f"{hook} has to return name → function")
        for key in answer:
            if key in self.offers[hook]:
                raise _Unfit(f"{hook}：名稱「{key}」已被使用", f"{hook}: the name {key} is taken")
        return {key: (name, function) for key, function in answer.items()}

    def _leave(self, plugin: object, name: str) -> None:
        if self._pm.get_plugin(name) is plugin:
            self._pm.unregister(name=name)
            self._lanes.pop(name, Lane(name)).close()

    def _refuse(self, name: str, package: str | None, version: str | None, zh: str, en: str) -> NoReturn:
        self._note_refusal(name, package, version, zh, en)
        raise PluginRefused(
            plugin=name,
            problem=en,
            zh=PluginRefused.zh_words.format(plugin=name, problem=zh),
            en=PluginRefused.en_words.format(plugin=name, problem=en),
        ) from None

    def _note_refusal(self, name: str, package: str | None, version: str | None, zh: str, en: str) -> None:
        _log.warning("plugin %s refused: %s", name, en)
        self._statuses.append(PluginStatus(name, package, version, "refused", (), zh, en))

    @property
    def statuses(self) -> tuple[PluginStatus, ...]:
        """Every plugin that was found, loaded or not."""
        return tuple(self._statuses)

    @property
    def absent(self) -> tuple[str, ...]:
        """Names that the settings have options for, and no plugin that was found has."""
        return tuple(sorted(set(self._settings.options) - {status.name for status in self._statuses}))

    def close(self) -> None:
        """Let the plugins' threads end."""
        for lane in self._lanes.values():
            lane.close()

    def order(self, hook: str) -> list[str]:
        """The plugins of ``hook`` in pluggy's order: ``tryfirst``, then the youngest first, then ``trylast``."""
        caller: pluggy.HookCaller = getattr(self._pm.hook, hook)
        return [impl.plugin_name for impl in reversed(caller.get_hookimpls())]

    def call(self, name: str, hook: str, arguments: Mapping[str, Any], seconds: float | None = None) -> Any:
        """One hook of one plugin. An answer that is a generator is used up here, inside the plugin's own lane."""
        plugin = self._pm.get_plugin(name)
        caller = self._pm.subset_hook_caller(hook, [other for other in self._pm.get_plugins() if other is not plugin])
        given = {key: frozen(value) for key, value in arguments.items()}
        firstresult = bool(caller.spec and caller.spec.opts.get("firstresult"))

        def work() -> Any:
            answers = caller(**given)
            answer = answers if firstresult else next(iter(answers), None)
            return list(answer) if isinstance(answer, Iterable) and not isinstance(answer, _FINISHED) else answer

        started = time.perf_counter()
        outcome = "?"
        try:
            answer = self.alone(name, work, seconds, hook)
            outcome = describe(answer)
        except CallFailed as failure:
            outcome = type(failure.error).__name__
            raise
        else:
            return answer
        finally:
            if wanted():
                trace(name, hook, given, outcome, time.perf_counter() - started)

    def alone(self, name: str, work: Callable[[], Any], seconds: float | None = None, hook: str = "import") -> Any:
        """``work()`` on the thread of plugin ``name``. Raises ``CallFailed``, whatever it raises."""
        lane = self._lanes.setdefault(name, Lane(name))
        try:
            answer, error = lane.call(work, seconds or self._settings.time_limit)
        except NoAnswer as late:
            raise CallFailed(hook, late) from None
        if error is not None:
            raise CallFailed(hook, error) from None
        return answer


def _marked(plugin: object, attribute: str) -> bool:
    return getattr(getattr(plugin, attribute), f"{NAME}_impl", None) is not None

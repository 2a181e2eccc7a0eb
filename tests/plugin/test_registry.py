"""Taking plugins in: which are refused and why, and whose the parts are that they bring."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from nhirx import Finding, hookimpl
from nhirx.errors import FileDamaged, PluginFailed, PluginNonsense, PluginRefused
from tests.plugin.conftest import FAILURES, SimpleNamespaceWithIdentity, plugin, raising


def refused(make, candidate, **settings):
    host = make(**settings)
    with pytest.raises(PluginRefused) as caught:
        host.register(candidate, "bad")
    (status,) = host.statuses
    assert ("bad", "refused", ()) == (status.name, status.status, status.hooks)
    assert () == host.names
    assert status.problem_zh
    assert status.problem_zh in caught.value.zh
    assert status.problem_en in caught.value.en
    return host, status.problem_en


def test_unknown_hook_is_refused(make, values):
    """A misspelt hook would never be called: better to say so at once. Nothing of the plugin is kept."""
    host, problem = refused(make, plugin(nhirx_chekc=lambda: None, nhirx_check=lambda: 1 / 0))

    assert "nhirx_chekc" in problem
    assert () == host.check(values.plan, None)


def test_unknown_argument_is_refused(make):
    assert "patient" in refused(make, plugin(nhirx_check=lambda patient: None))[1]


def test_forgotten_marker_is_refused(make):
    """A function with a hook's name and no marker is the commonest mistake."""

    class Forgetful:
        def nhirx_check(self, plan):
            """Never called."""

    assert "lacks @hookimpl" in refused(make, Forgetful())[1]


def test_wrapper_is_refused(make):
    """A wrapper could take away what other plugins found."""

    class Wrapping:
        @hookimpl(wrapper=True)
        def nhirx_check(self):
            yield
            return []

    assert "wrapper" in refused(make, Wrapping())[1]


def test_plugin_without_hooks_is_refused(make):
    assert "no hook" in refused(make, SimpleNamespaceWithIdentity())[1]


def test_unhashable_plugin_is_refused(make):
    """pluggy keeps plugins in sets."""
    assert "hashable" in refused(make, SimpleNamespace(nhirx_check=hookimpl(lambda: None)))[1]


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_failure_in_configure_refuses(make, error):
    assert "nhirx_configure" in refused(make, plugin(nhirx_configure=raising(error)))[1]


@pytest.mark.parametrize(
    "hook",
    ["nhirx_register_card_readers", "nhirx_register_control_software", "nhirx_register_decoders", "nhirx_register_commands"],
)
@pytest.mark.parametrize("answer", [["a"], {"a": 1}, {1: print}, "a"], ids=repr)
def test_nonsense_offer_refuses(make, hook, answer):
    assert hook in refused(make, plugin(**{hook: lambda: answer}))[1]


def test_name_of_a_part_is_taken_once(make):
    """Two plugins cannot offer a command of the same name; the second is refused as a whole."""
    host = make(plugin(nhirx_register_commands=lambda: {"go": len}))

    with pytest.raises(PluginRefused, match="go is taken"):
        host.register(plugin(nhirx_register_commands=lambda: {"go": len}), "second")

    assert ("first",) == host.names


def test_name_of_a_plugin_is_taken_once(make):
    host = make(plugin(nhirx_check=lambda: None))

    with pytest.raises(PluginRefused, match="has this name"):
        host.register(plugin(nhirx_check=lambda: None), "first")

    assert ("first",) == host.names


@pytest.mark.parametrize("error", FAILURES, ids=lambda error: type(error).__name__)
def test_decoder_fails_as_its_plugin(make, error):
    """What a plugin's decoder raises, in the midst of its answer too, is named after the plugin."""

    def broken(grey):
        yield "text", "code128", None
        raise error

    with pytest.raises(PluginFailed, match="first"):
        make(plugin(nhirx_register_decoders=lambda: {"broken": broken})).decoders["broken"](None)


@pytest.mark.parametrize(
    "code",
    [
        "text",
        ("text", "code128"),
        ("text", 1, None),
        (b"text", "code128", None),
        ("text", "code128", [(0, 0)]),
        ("text", "code128", [1, 2, 3, 4]),
    ],
    ids=repr,
)
def test_decoder_of_nonsense_is_refused(make, code):
    with pytest.raises(PluginNonsense, match="first"):
        make(plugin(nhirx_register_decoders=lambda: {"d": lambda grey: [code]})).decoders["d"](None)


def test_command_fails_as_its_plugin_but_speaks_for_itself(make):
    """A foreign exception is the plugin's; an error of nhirx passes as it is, with its own exit code."""

    def broken():
        raise ZeroDivisionError

    def honest():
        raise FileDamaged(path="a", problem="b")

    commands = make(plugin(nhirx_register_commands=lambda: {"broken": broken, "honest": honest})).commands

    with pytest.raises(PluginFailed, match="first"):
        commands["broken"]()
    with pytest.raises(FileDamaged):
        commands["honest"]()


def test_plugin_of_options_gets_its_own_table(make):
    """The options of others are none of its business; its own are frozen."""
    seen = []
    make(plugin(nhirx_configure=lambda options: seen.append(options)), options={"first": {"a": [1]}, "second": {"b": 2}})

    assert [{"a": (1,)}] == seen
    with pytest.raises(TypeError):
        seen[0]["a"] = 2


def test_retired_hook_works_and_warns_its_author(make, values, monkeypatch):
    """A hook that is to go is marked in the specification; until then it is called as ever."""
    from nhirx.plugin import spec

    monkeypatch.setitem(spec.nhirx_check.nhirx_spec, "warn_on_impl", DeprecationWarning("nhirx_check goes in 0.3"))
    finding = Finding(code="x", severity="warn", zh="甲", en="a")
    with pytest.warns(DeprecationWarning, match=r"goes in 0\.3"):
        host = make(type("P", (), {"nhirx_check": hookimpl(lambda self: finding)})())

    assert ["x"] == [found.code for found in host.check(values.plan, None)]


def test_option_that_is_not_there_is_named(make):
    """``options["database"]`` without that line in the settings: the refusal says which line is missing, and where."""
    plugin = type("P", (), {"nhirx_configure": hookimpl(lambda self, options: options["database"])})()

    with pytest.raises(PluginRefused, match=r"option database is missing from \[plugins\.options\.first\]"):
        make(plugin)

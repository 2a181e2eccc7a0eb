"""Chinese or English: what was set, else the environment, else Chinese, because the users are pharmacists in Taiwan."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from nhirx import i18n

NAMES = ("NHIRX_LANG", "LC_ALL", "LC_MESSAGES", "LANG")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("locale.getlocale", lambda: (None, None))
    yield
    i18n.set_language(None)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "zh"),
        ({"LANG": "C"}, "zh"),
        ({"LANG": "C.UTF-8"}, "zh"),
        ({"LANG": "POSIX"}, "zh"),
        ({"LANG": "zh_TW.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "zh_TW.UTF-8", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LC_ALL": "en_US.UTF-8", "NHIRX_LANG": "zh"}, "zh"),
        ({"LC_ALL": "", "LANG": "de_DE"}, "en"),
    ],
)
def test_environment(environment, expected, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert expected == i18n.language()


@pytest.mark.parametrize(("name", "expected"), [("Chinese (Traditional)_Taiwan", "zh"), ("English_United States", "en")])
def test_locale_of_windows(name, expected, monkeypatch):
    monkeypatch.setattr("locale.getlocale", lambda: (name, "1252"))

    assert expected == i18n.language()


@pytest.mark.parametrize(("chosen", "expected"), [("zh", "zh"), ("zh-TW", "zh"), ("EN", "en"), ("en-GB", "en")])
def test_choice_goes_over_the_environment(chosen, expected, monkeypatch):
    monkeypatch.setenv("NHIRX_LANG", "en" if expected == "zh" else "zh")
    i18n.set_language(chosen)

    assert expected == i18n.language()
    assert expected == i18n.say("zh", "en")

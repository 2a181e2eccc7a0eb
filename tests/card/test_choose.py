"""Which way to the card, and who else is likely to hold the reader."""

from __future__ import annotations

import socket

import pytest

from nhirx.card import choose, rivals
from nhirx.card.control6 import Control6
from nhirx.card.cshis import Cshis
from nhirx.card.gateway import VirtualGateway
from nhirx.card.virtual import VirtualCard
from nhirx.errors import SettingMissing
from nhirx.settings import ControlSettings, CshisSettings, ServiceSettings, Settings


def settings(port, tmp_path, *, kind="auto", library=False, **more):
    """Control software 6.0 at ``port``, and a file that stands for the library of 5.x."""
    file = tmp_path / "cshis.dll"
    if library:
        file.touch()
    return Settings(
        control=ControlSettings(
            kind=kind,
            local=ServiceSettings(url=f"https://127.0.0.1:{port}", timeout=2),
            cshis=CshisSettings(library=file if library else None),
            **more,
        )
    )


def test_the_settings_decide(free_port, tmp_path):
    """What is named is taken without a look around."""
    assert type(choose.control_software(settings(free_port, tmp_path, kind="control6", library=True))) is Control6
    assert type(choose.control_software(settings(free_port, tmp_path, kind="cshis", library=True))) is Cshis
    with pytest.raises(SettingMissing):
        choose.control_software(settings(free_port, tmp_path, kind="none"))


def test_auto_takes_what_answers(free_port, tmp_path, sim):
    """6.0 where it answers, 5.x where only its library is there, and 6.0's own error where nothing is."""
    assert type(choose.control_software(settings(free_port, tmp_path, library=True))) is Cshis
    assert type(choose.control_software(settings(sim.port, tmp_path, library=True))) is Control6
    assert type(choose.control_software(settings(free_port, tmp_path))) is Control6


def test_the_virtual_card_has_two_ways(free_port, tmp_path):
    """By 6.0, or by the local gateway."""
    by_6 = choose.virtual_card(settings(free_port, tmp_path), "token")
    by_gateway = choose.virtual_card(settings(free_port, tmp_path, virtual_by="gateway"), "token")

    assert (type(by_6), type(by_gateway)) == (VirtualCard, VirtualGateway)


def test_the_culprit_is_named(monkeypatch):
    """Who listens on a known port is the likely holder of the reader."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        monkeypatch.setattr(
            rivals,
            "_PROGRAMS",
            ((listener.getsockname()[1], "甲程式", "program A"), (unused.getsockname()[1], "乙程式", "program B")),
        )
        error = rivals.busy("Reader 0")

    assert "甲程式" in error.zh
    assert "乙程式" not in error.zh
    assert error.detail["suspects"] == ["program A"]


def test_without_a_culprit_the_usual_ones_are_named(monkeypatch):
    """Nobody listens: the general words stay."""
    monkeypatch.setattr(rivals, "_PROGRAMS", ())

    assert "Reader 0" in rivals.busy("Reader 0").zh

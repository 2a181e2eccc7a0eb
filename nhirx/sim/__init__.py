"""The sandbox: a simulated card, control software 6.0, data centre and Web API, over real TLS on loopback.

Use from Python::

    from nhirx.sim import Simulator

    with Simulator(data=folder) as sim:
        settings = sim.settings()

or as a program of its own for software in any language: ``nhirx sim --data FOLDER``. See ``docs/howto/simulator.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nhirx.sim.people import PEOPLE, Person
    from nhirx.sim.simulator import Simulator
    from nhirx.sim.world import Behaviour

__all__ = ["PEOPLE", "Behaviour", "Person", "Simulator"]

_HOME = {"PEOPLE": "people", "Behaviour": "world", "Person": "people", "Simulator": "simulator"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(name)
    import importlib

    return getattr(importlib.import_module(f"nhirx.sim.{_HOME[name]}"), name)

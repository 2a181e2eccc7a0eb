"""What a judge of the simulated NHIA has at hand besides the file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from nhirx.sim.people import Person
from nhirx.sim.signatures import Signer
from nhirx.sim.visit_ids import VisitIds
from nhirx.sim.world import World


@dataclass(frozen=True, slots=True)
class Bench:
    """What a judge has at hand. ``state_of`` tells the state of a visit ID at the NHIA."""

    uploader: str
    now: datetime
    visit_ids: VisitIds
    signer: Signer
    known: Callable[[str], Person | None]
    state_of: Callable[[str], str | None]

    @classmethod
    def of(cls, world: World) -> Bench:
        """The bench at this moment of ``world``'s clock."""
        return cls(world.institution, world.clock(), world.visit_ids, world.signer, world.known, world.ledger.state_of)

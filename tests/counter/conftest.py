"""A counter as a server on a port of its own, the sandbox behind it, and a page that has come in by its link."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest
from websockets.sync.client import ClientConnection, connect

from nhirx import hookimpl
from nhirx.counter.options import Options
from nhirx.counter.serve import Address, Server
from nhirx.host import Host
from nhirx.model import Prescription
from nhirx.outbox import Outbox
from nhirx.outbox.keys import KeyRing
from nhirx.plugin.manager import Plugins
from nhirx.sim import PEOPLE, Behaviour, Person, Simulator
from nhirx.sim.paper import make_prescription

PATIENCE = 60.0
T = TypeVar("T")


def wait_for(condition: Callable[[], T], what: str) -> T:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited {PATIENCE} s for {what}")


class Known:
    """A pharmacy system that knows the prescriptions it was given."""

    def __init__(self) -> None:
        self.by_id: dict[str, Prescription] = {}

    @hookimpl
    def nhirx_find_prescription(self, scan: Any) -> Prescription | None:
        return self.by_id.get(scan.visit_id or "")

    @hookimpl
    def nhirx_parse_code(self, text: str) -> Prescription | None:
        return self.by_id.get(text)


class Page(httpx.Client):
    """Comes in by the link as the page does. ``page.call("GET", "/state")`` gives status and JSON."""

    def __init__(self, server: Server, *, link: str | None = None) -> None:
        super().__init__(base_url=server.url, timeout=PATIENCE)
        self.server = server
        token = (link or server.link()).split("token=")[1]
        answer = self.post("/api/v1/session", json={"token": token})
        assert answer.status_code == 200, answer.text
        self.headers["X-Nhirx-Csrf"] = answer.json()["csrf"]

    def __enter__(self) -> Page:
        return self  # a client that has sent something cannot be entered again

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: str, path: str, json: Any = None, **more: Any) -> tuple[int, Any]:
        answer = self.request(method, f"/api/v1{path}", json=json, **more)
        return answer.status_code, answer.json() if answer.content else None

    def ok(self, method: str, path: str, json: Any = None, **more: Any) -> Any:
        status, answer = self.call(method, path, json, **more)
        assert status < 400, (status, answer)
        return answer

    def socket(self, path: str, *, max_size: int | None = None, **more: Any) -> ClientConnection:
        cookie = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        mark = "&" if "?" in path else "?"
        address = f"ws://127.0.0.1:{self.server.options.port}/api/v1{path}{mark}csrf={self.headers['X-Nhirx-Csrf']}"
        headers = {"Cookie": cookie, "Origin": self.server.url} | more.pop("headers", {})
        return connect(address, additional_headers=headers, max_size=max_size, compression=None, **more)


class Shop:
    """One pharmacy: ``host`` and its server, the sandbox ``sim``, and what its pharmacy system knows."""

    def __init__(self, folder: Path, sim: Simulator, host: Host, server: Server, known: Known) -> None:
        self.folder, self.sim, self.host, self.server, self.known = folder, sim, host, server, known
        self._made = 0

    def page(self) -> Page:
        return Page(self.server)

    def prescription(self, person: Person = PEOPLE[0], **changes: Any) -> dict[str, Any]:
        """A prescription of its own, each a minute after the one before, which the pharmacy system knows."""
        self._made += 1
        made = make_prescription(self.sim, person, **changes)
        visited = made.sheet.visited_at + timedelta(minutes=self._made)  # type: ignore[operator]
        visit_id, visited = self.sim.world.visit_ids.make("card", "3502060427", person.national_id, visited)
        sheet = made.sheet.model_copy(update={"visit_id": visit_id, "visited_at": visited})
        made = made.model_copy(update={"sheet": sheet, "reference": f"rx-{self._made:04d}"})
        self.known.by_id[visit_id] = made
        told: dict[str, Any] = json.loads(made.model_dump_json())
        return told

    def settled(self, page: Page, record: int, *states: str) -> dict[str, Any]:
        """The record once it stands in one of ``states``."""
        wanted = states or ("accepted", "rejected", "stuck")

        def look() -> dict[str, Any] | None:
            found: dict[str, Any] = page.ok("GET", f"/records/{record}")
            return found if found["state"] in wanted else None

        return wait_for(look, f"record {record} to be {wanted}")

    def trail(self) -> list[tuple[str, str]]:
        """Who did what, oldest first."""
        return [(line.who, line.event) for line in self.host.outbox.trail(limit=1000)]


@contextmanager
def running(host: Host, options: Options, address: Address | None = None) -> Iterator[Server]:
    """A server in a thread, until the block ends."""
    server = Server(host, options, address or Address())
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_for(lambda: server.is_up, "the server")
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE)
        assert not thread.is_alive()


@contextmanager
def opened(folder: Path, sim: Simulator, ring: KeyRing, known: Known, *more: object, **options: Any) -> Iterator[Shop]:
    """A shop on ``folder``: opened again it has the same data, as after a restart."""
    plugins = Plugins(discover=False)
    plugins.register(known, "known")
    for plugin in more:
        plugins.register(plugin, type(plugin).__name__)
    settings = sim.settings()
    quick = {"poll_first": 0.0, "retry_first": 0.05, "retry_limit": 0.2}
    settings = settings.model_copy(update={"upload": settings.upload.model_copy(update=quick)})
    outbox = Outbox(f"sqlite:///{(folder / 'outbox.sqlite').as_posix()}", clock=sim.world.clock, ring=ring, who="counter")
    given = {"watch_readers": False, "worker_idle": 0.05} | options
    with (
        Host(settings, outbox=outbox, plugins=plugins, clock=sim.world.clock) as host,
        running(host, Options(folder=folder / "counter", **given)) as server,
    ):
        yield Shop(folder, sim, host, server, known)


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    folder = tmp_path_factory.mktemp("sim")
    with Simulator(folder, behaviour=Behaviour(result_polls=0, auto_start=True)) as sim:
        yield sim


@pytest.fixture
def sim(sandbox: Simulator) -> Iterator[Simulator]:
    """The sandbox with 王小明's card in the reader, and nothing failing by command."""
    sandbox.faults.clear()
    sandbox.insert_card(PEOPLE[0])
    yield sandbox
    sandbox.faults.clear()


@pytest.fixture(scope="session")
def common(tmp_path_factory: pytest.TempPathFactory, sandbox: Simulator) -> Iterator[Shop]:
    with opened(tmp_path_factory.mktemp("shop"), sandbox, KeyRing.new(), Known()) as shop:
        yield shop


@pytest.fixture
def shop(common: Shop, sim: Simulator) -> Shop:
    """The shop that most tests share; each has its own page and prescriptions."""
    return common


@pytest.fixture
def page(shop: Shop) -> Iterator[Page]:
    with shop.page() as opened_page:
        yield opened_page


@pytest.fixture
def own(tmp_path: Path, sim: Simulator) -> Callable[..., Any]:
    """Opens a shop of one's own: ``with own() as shop``. The second time it is the same one after a restart."""
    ring, known = KeyRing.new(), Known()
    return lambda *plugins, **options: opened(tmp_path, sim, ring, known, *plugins, **options)


@pytest.fixture
def rendered(repository: Path) -> Path:
    return repository / "samples" / "rendered"

"""For the whole suite: no test may be skipped (a missing component is a failure here), and no test touches this machine's data."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from nhirx.i18n import set_language


@pytest.fixture(autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings and outbox of the person who runs the tests stay out of them."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("NHIRX_DATA", str(folder / "data"))
    monkeypatch.delenv("NHIRX_CONFIG", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("APPDATA", str(folder / "config"))
    monkeypatch.setenv("NHIRX_LANG", "zh")
    # A command of an earlier test may have been called with --lang.
    set_language(None)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """A run with a skipped test is a failed run: what was not tried was not proven."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        reporter.write_line("skipped tests count as failures here", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the fault tests counted is part of the result, so it is shown even when everything passed."""
    for reports in list(terminalreporter.stats.values()):
        for report in reports:
            for name, value in getattr(report, "user_properties", ()):
                if name == "ledger" and getattr(report, "when", "") == "call":
                    terminalreporter.write_line("ledger: " + "  ".join(f"{key} {number}" for key, number in value.items()))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a private PostgreSQL on a Unix socket, without its database name; started as an unprivileged user."""
    found = shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)
    assert found, "PostgreSQL is missing: apt-get install -y postgresql"
    # /tmp, because the path of a Unix socket may not be longer than 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="nhirx-pg-", dir="/tmp"))
    drop = []
    if os.geteuid() == 0:
        # Its programs refuse to run as root; the package brings the user.
        shutil.chown(folder, "postgres", "postgres")
        drop = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
    programs = Path(found).parent

    def call(*words: str) -> None:
        # Files, not pipes: the server inherits them and would keep a pipe open for ever.
        with (folder.parent / f"{folder.name}.log").open("ab") as log:
            subprocess.run([*drop, *words], check=True, cwd="/", stdout=log, stderr=log)

    data = folder / "data"
    call(str(programs / "initdb"), "-D", str(data), "-U", "nhirx", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-k {folder} -c listen_addresses='' -c fsync=off -c max_connections=60"
    call(str(programs / "pg_ctl"), "-D", str(data), "-w", "-o", options, "-l", str(folder / "server.log"), "start")
    try:
        yield f"postgresql://nhirx@/{{name}}?host={folder}"
    finally:
        call(str(programs / "pg_ctl"), "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)
        (folder.parent / f"{folder.name}.log").unlink()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{(tmp_path / 'outbox.sqlite').as_posix()}"
    from sqlalchemy import create_engine, text

    server: str = request.getfixturevalue("postgres")
    name = f"t_{secrets.token_hex(6)}"
    engine = create_engine(
        server.format(name="postgres").replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.format(name=name)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Path:
    """The product wheel, built as a vendor would get it."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "-w", str(folder), str(repository)],
        check=True,
        capture_output=True,
    )
    return next(folder.glob("nhirx-*.whl"))

"""The key in the keyring of the operating system: a real one, in a session of its own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[[str], str]
_SESSION = 'printf pw | "$2" --unlock --components=secrets >/dev/null && exec "$0" -c "$1"'


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run Python text in a new session with an empty, unlocked keyring; what it printed."""
    daemon = shutil.which("gnome-keyring-daemon")
    assert daemon, "missing: apt-get install -y dbus gnome-keyring"
    assert shutil.which("dbus-run-session"), "missing: apt-get install -y dbus"
    # The package gives its program the right to lock memory; a container that has not that right to give refuses to start it.
    plain = shutil.copy(daemon, tmp_path / "keyring-daemon")
    (tmp_path / "run").mkdir(mode=0o700)
    own = {"HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path / "keyrings"), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    own |= {"NHIRX_DATA": str(tmp_path / "data"), "PYTHON_KEYRING_BACKEND": "keyring.backends.SecretService.Keyring"}

    def one(code: str) -> str:
        words = ["dbus-run-session", "--", "sh", "-c", _SESSION, sys.executable, code, str(plain)]
        done = subprocess.run(words, env=os.environ | own, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return one


def test_the_ring_is_made_once_kept_there_and_replaced_there(run: Run, tmp_path: Path) -> None:
    """Made at first use, found again, renewed by the command; no key lies in a file of ours."""
    told = run(
        """
import keyring
from nhirx.outbox import open_outbox
from nhirx.outbox import keys
from nhirx.model import UploadRecord
from nhirx.cli import main
from nhirx.settings import OutboxSettings, Settings
from pathlib import Path
import os
inside = OutboxSettings(key="keyring")
first = keys.load(inside)
assert keys.load(inside) == first == keys.KeyRing.parse(keyring.get_password("nhirx", "outbox"))
with open_outbox(Settings(outbox=inside)) as outbox:
    outbox.queue.put(UploadRecord(fields={"M15": "0USE4FA11RP4J370WR4K"}))
Path("nhirx.toml").write_text("[outbox]\\nkey = \\"keyring\\"\\n")
os.environ["NHIRX_CONFIG"] = str(Path("nhirx.toml").resolve())
try:
    main(["outbox", "rekey"])
except SystemExit as end:
    assert not end.code, end.code
second = keys.load(inside)
assert second.current != first.current
with open_outbox(Settings(outbox=inside)) as outbox:
    print(outbox.queue.item(1).record.visit_id)
""".replace('Path("nhirx.toml")', f'Path("{tmp_path}/nhirx.toml")')
    )
    left = {path.name for path in (tmp_path / "data").iterdir()}

    assert told.splitlines()[-1] == "0USE4FA11RP4J370WR4K"
    assert {"outbox.sqlite"} == {name for name in left if not name.endswith(("-wal", "-shm"))}


def test_programs_that_start_at_once_agree_on_one_ring(run: Run) -> None:
    """A keyring has no way to make an entry only once, so they wait for each other."""
    told = run("""
import subprocess, sys
code = "from nhirx.outbox import keys; from nhirx.settings import OutboxSettings; print(keys.load(OutboxSettings(key='keyring')).current)"
programs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
print(*(program.communicate()[0].strip() for program in programs))
""")

    assert (3, 1) == (len(told.split()), len(set(told.split())))


def test_without_a_back_end_the_way_out_is_named(tmp_path: Path) -> None:
    """A machine without a desktop has none: said in both languages, with what to do, and nothing is made."""
    settings = tmp_path / "nhirx.toml"
    settings.write_text('[outbox]\nkey = "keyring"\n')
    own = {
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
        "NHIRX_CONFIG": str(settings),
        "NHIRX_DATA": str(tmp_path / "data"),
    }
    words = [sys.executable, "-m", "nhirx", "outbox", "list", "--json"]
    done = subprocess.run(words, env=os.environ | own, capture_output=True, text=True, timeout=60, check=False)

    assert (2, "") == (done.returncode, done.stderr)
    assert '"component-missing"' in done.stdout
    assert "gnome-keyring" in done.stdout
    assert not list(tmp_path.glob("data/*"))


def test_a_back_end_that_keeps_less_than_it_was_given_is_found_out(tmp_path: Path) -> None:
    """Some limit the length of a secret; a ring that was cut would lock everything up for good."""
    (tmp_path / "cutting.py").write_text("""
from keyring.backend import KeyringBackend
class Cutting(KeyringBackend):
    priority = 1
    kept = None
    def get_password(self, service, username): return self.kept
    def set_password(self, service, username, password): type(self).kept = password[:20]
    def delete_password(self, service, username): pass
""")
    code = """
from nhirx.errors import KeyWrong
from nhirx.outbox import keys
from nhirx.settings import OutboxSettings
try:
    keys.load(OutboxSettings(key="keyring"))
except KeyWrong as error:
    print(error.en)
"""
    own = {"PYTHON_KEYRING_BACKEND": "cutting.Cutting", "PYTHONPATH": str(tmp_path), "NHIRX_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | own, capture_output=True, text=True, timeout=60, check=True
    )

    assert "reads back differently" in done.stdout

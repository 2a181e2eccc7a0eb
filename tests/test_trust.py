"""A certificate is accepted once by a person, and then nothing else is at that address."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nhirx import settings, trust
from nhirx.errors import FileDamaged, InputError, TlsRefused
from nhirx.http import JsonService
from nhirx.outbox import open_outbox
from nhirx.settings import ServiceSettings
from nhirx.sim import Simulator


def _status(url: str) -> dict[str, object]:
    service = JsonService(ServiceSettings(url=url))
    try:
        return service.get("/api/common/v1/Status")
    finally:
        service.close()


def _nhirx(*words: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nhirx", "trust", *words], input=answer, capture_output=True, text=True, check=False
    )


def test_an_unknown_certificate_is_refused_until_a_person_accepts_it(tmp_path: Path) -> None:
    """Show, ask, accept, use; then take it back. Both stand in the audit trail."""
    with Simulator(data=tmp_path / "sim") as sim:
        with pytest.raises(TlsRefused):
            _status(sim.url)

        refused = _nhirx("add", sim.url, answer="n\n")
        assert 1 == refused.returncode
        with pytest.raises(TlsRefused):
            _status(sim.url)

        accepted = _nhirx("add", sim.url, answer="y\n")
        assert 0 == accepted.returncode, accepted.stderr
        assert sim.fingerprint.lower().replace(":", "") in accepted.stdout.lower().replace(":", "")
        assert "status" in _status(sim.url)

        assert 0 == _nhirx("remove", sim.url, "--why", "exchanged").returncode
        with pytest.raises(TlsRefused):
            _status(sim.url)

        with open_outbox(settings.load(), who="test") as outbox:
            told = [(line.event, json.loads(line.note)) for line in outbox.trail()]
        address, fingerprint = sim.url.lower(), sim.fingerprint.lower().replace(":", "")
        assert [
            ("trust", {"service": address, "fingerprint": fingerprint, "why": ""}),
            ("distrust", {"service": address, "fingerprint": fingerprint, "why": "exchanged"}),
        ] == told


def test_another_certificate_at_a_trusted_address_is_refused(tmp_path: Path) -> None:
    """Somebody else who answers on that port gets nothing."""
    with Simulator(data=tmp_path / "one") as sim:
        trust.accept(sim.url, "00" * 32)

        with pytest.raises(TlsRefused):
            _status(sim.url)


@pytest.mark.parametrize("words", [(), ("--yes",)])
def test_another_certificate_takes_the_place_of_a_trusted_one_only_after_it_was_revoked(
    tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Both fingerprints are shown, and nothing changes whatever is answered."""
    with Simulator(data=tmp_path / "one") as sim:
        trust.accept(sim.url, "00" * 32)
        ended = _nhirx("add", sim.url, *words, answer="y\n")
        said = (ended.stdout + ended.stderr).lower().replace(":", "")

        assert (2, "00" * 32) == (ended.returncode, trust.fingerprint_for(sim.url))
        assert all(shown in said for shown in ("00" * 32, sim.fingerprint.lower().replace(":", ""), "trust remove"))


def test_revoking_what_was_never_trusted_is_said() -> None:
    """A misspelt address must not look like a success."""
    with pytest.raises(InputError):
        trust.revoke("https://localhost:1")


def test_a_damaged_file_trusts_nothing() -> None:
    """A broken file is told, not read as an empty one: an empty one would lose the pin."""
    trust.trust_file().parent.mkdir(parents=True, exist_ok=True)
    trust.trust_file().write_text("{", "utf-8")

    with pytest.raises(FileDamaged):
        trust.accepted()

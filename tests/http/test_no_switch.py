"""Nothing turns verification off: no setting, no environment variable, no argument, no address without TLS."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from nhirx.errors import NhirxError, SettingInvalid, TlsRefused
from nhirx.http import JsonService
from nhirx.settings import ServiceSettings, Settings

# What turns verification off, or names other roots, for Python, OpenSSL, curl and the usual libraries.
VARIABLES = {
    "PYTHONHTTPSVERIFY": "0",
    "SSL_VERIFY": "0",
    "HTTPX_SSL_VERIFY": "0",
    "NODE_TLS_REJECT_UNAUTHORIZED": "0",
    "GIT_SSL_NO_VERIFY": "1",
    "NHIRX_VERIFY": "0",
    "NHIRX_INSECURE": "1",
    "NHIRX_CONTROL_VERIFY": "0",
    "NHIRX_UPLOAD_VERIFY": "0",
    "NHIRX_UPLOAD_CA_FILE": "{pem}",
    "NHIRX_UPLOAD_SERVICE": '{{"verify": false}}',
    "REQUESTS_CA_BUNDLE": "{pem}",
    "CURL_CA_BUNDLE": "{pem}",
}
_NAMES = re.compile(r"verif|insecure|trust_all|skip|check_host|no_tls|accept_any", re.IGNORECASE)


@pytest.mark.parametrize("reuse", [False, True])
@pytest.mark.parametrize("variable", VARIABLES)
def test_no_variable_makes_a_stranger_trusted(server, certificate, monkeypatch, variable, reuse):
    """One after the other, each with a server that nobody vouches for; nothing of the request reaches it."""
    monkeypatch.setenv(variable, VARIABLES[variable].format(pem=certificate.file))

    with pytest.raises(TlsRefused):
        JsonService(ServiceSettings(url=server.url)).post("/", {"M03": "A123456789"}, reuse=reuse)
    assert [] == server.requests


def test_keys_of_a_connection_are_written_nowhere(server, certificate, monkeypatch, tmp_path):
    """SSLKEYLOGFILE lets whoever reads that file read everything that was sent."""
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    service = JsonService(ServiceSettings(url=server.url, ca_file=certificate.file))

    assert {"statusCode": 0} == service.get("/")
    written = tmp_path / "keys"
    assert not written.exists() or "SECRET" not in written.read_text("utf-8")


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1", "http://medvpndti.nhi.gov.tw", "http://localhost.example", "HTTP://10.1.2.3:3033"]
)
@pytest.mark.parametrize("reuse", [False, True])
def test_without_tls_nothing_leaves_this_machine(url, reuse, monkeypatch):
    """Refused with words before anybody is called, for whichever service the address was written."""
    monkeypatch.setattr("socket.create_connection", lambda *a, **k: pytest.fail("somebody was called"))

    with pytest.raises(SettingInvalid, match="this machine only"):
        JsonService(ServiceSettings(url=url, timeout=1)).post("/", {"M03": "A123456789"}, reuse=reuse)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_on_this_machine_plain_http_is_only_a_closed_door(host):
    """The gateway of virtual cards speaks plainly, by its published interface."""
    with pytest.raises(NhirxError) as caught:
        JsonService(ServiceSettings(url=f"http://{host}:9", timeout=1)).get("/")

    assert "setting-invalid" != caught.value.code


def test_no_setting_sounds_like_a_switch():
    """A setting of such a name would have to prove that it is none."""

    def names(kind: Any) -> list[str]:
        found = []
        for name, field in kind.model_fields.items():
            found.append(name)
            if inspect.isclass(field.annotation) and hasattr(field.annotation, "model_fields"):
                found += names(field.annotation)
        return found

    every = names(Settings)

    assert len(every) > 50
    assert [] == [name for name in every if _NAMES.search(name)]


def test_no_line_of_the_program_turns_it_off(repository: Path) -> None:
    """Everything that ships is read: the ways to do it are few, and the one place that leaves out names pins one certificate."""
    found = []
    for folder in ("nhirx", "scanner", "plugins"):
        for file in sorted((repository / folder).rglob("*.py")):
            parts = file.relative_to(repository).parts
            if "tests" in parts or ".venv" in parts:
                continue
            found += [f"{'/'.join(parts)}: {said}" for said in _switches(file.read_text("utf-8"))]

    assert ["nhirx/http.py: check_hostname = False"] == found


def _switches(source: str) -> list[str]:
    """What in ``source`` turns verification off."""
    if not re.search(r"verify|CERT_|hostname|unverified", source):
        return []
    said = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.keyword) and node.arg in ("verify", "check_hostname", "cert_reqs", "ssl_verify"):
            said.append(f"{node.arg}={ast.unparse(node.value)}")
        elif isinstance(node, ast.Attribute) and node.attr in ("CERT_NONE", "CERT_OPTIONAL", "_create_unverified_context"):
            said.append(node.attr)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Attribute) and target.attr in ("check_hostname", "verify_mode", "verify"):
                    said.append(f"{target.attr} = {ast.unparse(node.value)}")
    return said


@pytest.mark.parametrize(
    "line",
    [
        "c.verify_mode = ssl.CERT_NONE",
        "httpx.Client(verify=False)",
        "ssl._create_unverified_context()",
        "c.check_hostname = False",
    ],
)
def test_the_reader_sees_each_way(line):
    assert _switches(line)


def test_no_argument_turns_it_off(repository: Path) -> None:
    """The option names of all commands, as they stand in the source."""
    options = set()
    for file in (repository / "nhirx" / "cli").glob("*.py"):
        options |= set(re.findall(r'"(--[a-z-]+)"', file.read_text("utf-8")))

    assert len(options) > 40
    assert set() == {option for option in options if _NAMES.search(option) or "insecure" in option}

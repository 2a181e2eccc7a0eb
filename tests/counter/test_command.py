"""``nhirx counter`` as a program: what it prints, how it ends, what it refuses."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from nhirx.cli import main
from nhirx.counter.serve import Address
from nhirx.errors import InputError
from tests.counter.conftest import wait_for

PATIENCE = 90


@contextmanager
def started(tmp_path, *words, **environment):
    """The command, once it has told where it is; killed at the end if it still runs."""
    env = {**os.environ, "NHIRX_DATA": str(tmp_path / "data"), "PCSCLITE_CSOCK_NAME": str(tmp_path / "nobody"), **environment}
    process = subprocess.Popen(
        [sys.executable, "-m", "nhirx", "counter", "--no-open", "--json", *words],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, json.loads(process.stdout.readline())
    finally:
        process.kill()
        process.communicate(timeout=PATIENCE)


def refused(tmp_path, *words):
    env = {**os.environ, "NHIRX_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        [sys.executable, "-m", "nhirx", "counter", "--no-open", "--json", *words],
        env=env,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return done.returncode, json.loads(done.stdout)["error"]


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_the_demo_serves_until_it_is_told_to_stop_and_leaves_nothing(tmp_path, stop):
    """Three lines of the README: start, open the link, stop. Nothing is left, nothing of a patient is printed."""
    home = tmp_path / "tmp"
    home.mkdir()
    with started(tmp_path, "--demo", "--port", "0", TMPDIR=str(home)) as (process, told):
        with httpx.Client(base_url=told["url"], timeout=PATIENCE) as client:
            page = client.get("/")
            # What a program in another language is given to try.
            program = client.get("/api/v1/state", headers={"Authorization": f"Bearer {told['key']}"}).json()
            csrf = client.post("/api/v1/session", json={"token": told["token_url"].split("token=")[1]}).json()["csrf"]
            state = client.get("/api/v1/state").json()
            client.headers["X-Nhirx-Csrf"] = csrf
            # The demo's prescription, from the sheet to the outbox.
            sheet = client.get("/api/v1/demo/sheet.jpg").content
            [scan] = client.post("/api/v1/scans?name=sheet.jpg", content=sheet).json()["scans"]
            rx = client.post("/api/v1/prescriptions/find", json={"ref": scan["ref"]}).json()["prescription"]
            done = client.post("/api/v1/dispensings", json={"prescription": rx})
        process.send_signal(stop)
        output, errors = process.communicate(timeout=PATIENCE)

    assert (200, True, 201) == (page.status_code, state["demo"], done.status_code)
    assert told["openapi"] == f"{told['url']}/openapi.json"
    assert ("key:demo", sheet) == (program["operator"], Path(told["sheet"]).read_bytes())
    assert 0 == process.returncode
    assert [] == list(home.iterdir())
    assert "Traceback" not in errors
    assert "A123456789" not in output + errors


def test_a_port_in_use_is_said_in_words(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        code, error = refused(tmp_path, "--demo", "--port", str(other.getsockname()[1]))

    assert (2, "port-taken") == (code, error["code"])
    assert "--port 0" in error["zh"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (Address("0.0.0.0"), "--cert"),
        (Address("192.0.2.7"), "--cert"),
        (Address(cert=Path("no.pem")), "--key"),
        (Address(cert=Path("no.pem"), key=Path("no.pem")), "no.pem"),
    ],
)
def test_another_address_needs_a_certificate_and_says_so(address, said):
    """Patients' data go over no wire in clear."""
    with pytest.raises(InputError) as stopped:
        address.check()

    assert said in stopped.value.zh
    assert said in stopped.value.en


def test_the_command_refuses_another_address_before_anything_is_begun(tmp_path):
    code, error = refused(tmp_path, "--host", "0.0.0.0")

    assert (2, "input") == (code, error["code"])
    assert not (tmp_path / "data").exists()


def test_with_a_certificate_it_serves_over_tls_only(tmp_path):
    """Cookie for TLS only, own names only."""
    cert, key = certificate(tmp_path)
    words = ["--demo", "--port", "0", "--host", "0.0.0.0", "--cert", str(cert), "--key", str(key), "--name", "localhost"]
    with started(tmp_path, *words) as (_, told):
        with httpx.Client(base_url=told["url"], verify=_trust(cert), timeout=PATIENCE) as client:
            answer = client.post("/api/v1/session", json={"token": told["token_url"].split("token=")[1]})
            other = client.get("/", headers={"Host": f"127.0.0.1:{told['url'].rsplit(':')[-1]}"})
        with pytest.raises(httpx.HTTPError):
            httpx.get(told["url"].replace("https:", "http:"), timeout=10)

    assert told["url"].startswith("https://localhost:")
    assert "Secure" in answer.headers["set-cookie"]
    assert (200, 403) == (answer.status_code, other.status_code)


def test_a_key_that_is_none_is_said_at_the_start(tmp_path):
    cert, _ = certificate(tmp_path)
    code, error = refused(tmp_path, "--demo", "--port", "0", "--cert", str(cert), "--key", str(cert))

    assert (2, "setting-invalid") == (code, error["code"])


def test_a_new_link_and_keys_are_made_beside_the_running_counter(tmp_path, monkeypatch, capfd):
    """After the browser was closed nobody has to restart anything."""
    monkeypatch.setenv("NHIRX_DATA", str(tmp_path / "data"))

    def call(*words):
        with pytest.raises(SystemExit) as ended:
            main(["counter", *words])
        return ended.value.code, capfd.readouterr().out

    assert call("link")[0] == 2
    with started(tmp_path, "--port", "0") as (_, told), httpx.Client(base_url=told["url"], timeout=PATIENCE) as client:
        link = json.loads(call("link", "--json")[1])
        answer = client.post("/api/v1/session", json={"token": link["token_url"].split("token=")[1]})
        key = json.loads(call("key", "his", "--json")[1])["key"]
        with_key = client.get("/api/v1/records", headers={"Authorization": f"Bearer {key}"})
        listed = call("keys")[1].split()
        call("revoke", "his")
        client.cookies.clear()
        revoked = client.get("/api/v1/records", headers={"Authorization": f"Bearer {key}"})

    assert (link["url"], 200, 200, ["his"], 401) == (
        told["url"],
        answer.status_code,
        with_key.status_code,
        listed,
        revoked.status_code,
    )


def test_without_the_extra_it_says_which_one_to_install(tmp_path):
    """fastapi and uvicorn are not needed by anything else."""
    code = "import sys; sys.modules['fastapi'] = None; from nhirx.cli import main; main(['counter', '--demo', '--port', '0', '--json'])"
    env = {**os.environ, "NHIRX_DATA": str(tmp_path / "data")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=PATIENCE, check=False)
    error = json.loads(done.stdout)["error"]

    assert (2, "component-missing") == (done.returncode, error["code"])
    assert 'pip install "nhirx[counter]"' in error["zh"]


def test_a_kill_in_the_middle_loses_nothing(tmp_path, own):
    """The card gave its number, the answer never came, the program was killed: started again it knows."""
    with own() as shop:
        settings = tmp_path / "nhirx.toml"
        settings.write_text(_settings(shop.sim), "utf-8")
        known = shop.prescription()
        key = {"Idempotency-Key": "the-same-request"}
        shop.sim.fail("/api/v1/Prescription/Write", "hang", seconds=60)
        stopped = {}

        def ask(client):
            try:
                client.post("/api/v1/dispensings", json={"prescription": known}, headers=key)
            except httpx.HTTPError as error:
                stopped["by"] = type(error).__name__

        env = {"NHIRX_CONFIG": str(settings), "NHIRX_LANG": "zh"}
        with started(tmp_path, "--port", "0", **env) as (process, told):
            client = _page(told)
            port = told["url"].rsplit(":")[-1]
            waiting = threading.Thread(target=ask, args=(client,))
            waiting.start()
            wait_for(lambda: "writing" in client.get("/api/v1/dispensings?state=unfinished").text, "the orders to be written")
            process.kill()
            waiting.join(PATIENCE)
        shop.sim.faults.clear()
        with started(tmp_path, "--port", port, **env) as (_, told):
            again = client.post("/api/v1/dispensings", json={"prescription": known}, headers=key)
            [open_one] = client.get("/api/v1/dispensings?state=unfinished").json()["items"]
            done = client.post(f"/api/v1/dispensings/{open_one['id']}/resume", json={"write_again": True})
        client.close()

    assert (409, "dispensing-unfinished", open_one["id"]) == (
        again.status_code,
        again.json()["error"]["code"],
        again.json()["error"]["detail"]["id"],
    )
    assert stopped
    assert (200, "queued") == (done.status_code, done.json()["dispensing"]["state"])


def _page(told):
    client = httpx.Client(base_url=told["url"], timeout=PATIENCE)
    client.headers["X-Nhirx-Csrf"] = client.post("/api/v1/session", json={"token": told["token_url"].split("token=")[1]}).json()[
        "csrf"
    ]
    return client


def _settings(sim):
    made = sim.settings()
    service = f'url = "{sim.url}"\nca_file = "{sim.ca_file.as_posix()}"\ntimeout = 30.0\n'
    return (
        f'[pharmacy]\ninstitution = "{made.pharmacy.institution}"\npharmacist = "{made.pharmacy.pharmacist}"\n'
        f'[record]\nmedical_category = "{made.record.medical_category}"\n'
        f'[control]\nkind = "control6"\n[control.local]\n{service}[control.data_centre]\n{service}[upload.service]\n{service}'
    )


def certificate(folder):
    """A certificate for localhost that nobody else trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return paths


def _trust(cert):
    import ssl

    return ssl.create_default_context(cafile=str(cert))

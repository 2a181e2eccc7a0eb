"""The page for vendors is the truth: its endpoints are those of /openapi.json, its examples run as they stand."""

from __future__ import annotations

import json
import os
import re
import subprocess
import uuid

import pytest
from playwright._impl._driver import compute_driver_executable

from nhirx.counter.people import Keys


@pytest.fixture(scope="module")
def text():
    from pathlib import Path

    return Path(__file__).parents[2].joinpath("docs", "howto", "local-api.md").read_text("utf-8")


@pytest.fixture
def program(shop):
    """The environment of a program that has a key."""
    key = Keys(shop.server.options.folder).add(uuid.uuid4().hex[:12])
    return {**os.environ, "URL": shop.server.url, "KEY": key}


def block(text, language):
    return re.search(rf"^```{language}\n(.*?)^```", text, flags=re.S | re.M)[1]


def test_the_endpoints_are_those_of_the_description(page, text):
    """Method, path and summary, in the same order."""
    tree = page.get("/openapi.json").json()
    described = [
        f"| `{method.upper()} {path.removeprefix('/api/v1')}` | {operation['summary']} |"
        for path, operations in tree["paths"].items()
        for method, operation in operations.items()
    ]

    assert described == re.findall(r"^\| `(?:GET|POST|DELETE|PUT) .*\|$", text, flags=re.M)


def test_every_code_named_is_an_error_of_the_program(text):
    """Errors that a vendor matches on exist under that name."""
    from nhirx.errors import NhirxError

    known, waiting = set(), [NhirxError]
    while waiting:
        kind = waiting.pop()
        known.add(kind.code)
        waiting += kind.__subclasses__()
    table = text[text.index("| HTTP |") : text.index("## 端點")]
    named = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", table))

    assert len(named) > 15
    assert set() == named - known


def test_the_curl_example_runs(program, rendered, text, tmp_path):
    (tmp_path / "sheet.jpg").write_bytes((rendered / "demo-sheet.jpg").read_bytes())
    state, scan = (
        json.loads(subprocess.run(["sh", "-c", line], env=program, cwd=tmp_path, capture_output=True, check=True).stdout)
        for line in block(text, "sh").splitlines()
    )

    assert "clock" in state
    assert ["found"] == [one["status"] for one in scan["scans"]]


def test_the_node_example_goes_from_the_typed_text_to_accepted(shop, program, text, tmp_path):
    (tmp_path / "example.mjs").write_text(block(text, "js"), "utf-8")
    typed = shop.prescription()["sheet"]["visit_id"].lower() + "\r"
    # The node that Playwright brings along, so that none has to be installed.
    node, _ = compute_driver_executable()
    done = subprocess.run(
        [node, "example.mjs", typed], env=program, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=120
    )

    assert re.search(r"^accepted \S{20,}$", done.stdout, flags=re.M)

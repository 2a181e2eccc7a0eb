"""Whatever the description allows to be sent gets an answer in the described shape, and never an accident."""

from __future__ import annotations

import logging

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi import checks as conformance

from nhirx.counter.app import create_app
from nhirx.counter.options import Options
from nhirx.counter.people import Keys

_CHECKS = [
    not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_schema_conformance,
]
PORT = 8755


@pytest.fixture
def described(shop, tmp_path):
    """The application without a socket, on the shop's own host; a key lets everything in."""
    options = Options(folder=tmp_path, port=PORT, watch_readers=False)
    app = create_app(shop.host, options)
    return app, {"Authorization": f"Bearer {Keys(tmp_path).add('fuzz')}", "Host": f"127.0.0.1:{PORT}"}


def operations(app):
    return [
        found.ok()
        for found in schemathesis.openapi.from_asgi(
            "/openapi.json", app, headers={"Host": f"127.0.0.1:{PORT}"}
        ).get_all_operations()
    ]


def test_nothing_that_may_be_sent_is_an_accident(described, caplog):
    """Every operation with valid and with invalid bodies, parameters and headers."""
    app, headers = described
    caplog.set_level(logging.ERROR)
    tried = 0
    for operation in operations(app):
        for mode in schemathesis.GenerationMode:
            try:
                strategy = operation.as_strategy(generation_mode=mode)
            except Exception:  # an operation without parameters has no invalid form
                continue
            tried += _try(operation, strategy, headers)

    assert tried > 150
    assert [] == [line.getMessage() for line in caplog.records if line.name.startswith("nhirx.counter")]


def _try(operation, strategy, headers):
    from hypothesis import given

    seen = []

    @settings(
        max_examples=4,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy)
    def one(case):
        case.headers = {**(case.headers or {}), **headers}
        answer = case.call()
        seen.append(answer.status_code)
        case.validate_response(answer, checks=_CHECKS)

    one()
    return len(seen)


def test_every_operation_is_described_in_both_languages_with_its_failures(page):
    tree = page.get("/openapi.json").json()
    operations = [one for path in tree["paths"].values() for one in path.values()]

    assert all(any("\u4e00" <= letter <= "\u9fff" for letter in one["summary"]) for one in operations)
    assert all(any(letter.isascii() and letter.isalpha() for letter in one["summary"]) for one in operations)
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all({"401", "423", "5XX"} <= set(one["responses"]) for one in operations)
    assert not {"HTTPValidationError", "ValidationError"} & set(tree["components"]["schemas"])


def test_examples_have_the_members_of_real_answers(shop, page, rendered):
    """What a vendor copies from the description is what comes."""
    known = shop.prescription()
    picture = (rendered / "demo-sheet.jpg").read_bytes()
    done = page.ok("POST", "/dispensings", {"prescription": known})
    record = done["dispensing"]["record_id"]
    real = {
        "postScan": page.request("POST", "/api/v1/scans", content=picture).json(),
        "postCode": page.ok("POST", "/codes", {"text": "OUSE4FA11RP4J3DLSH9J\r"}),
        "postFind": page.ok("POST", "/prescriptions/find", {"text": known["sheet"]["visit_id"]}),
        "postPlan": page.ok("POST", "/plan", {"prescription": known}),
        "getCard": page.ok("GET", "/card"),
        "postDispensing": done,
        "getDispensings": page.ok("GET", "/dispensings?state=today"),
        "getDispensing": page.ok("GET", f"/dispensings/{done['dispensing']['id']}"),
        "getRecords": page.ok("GET", "/records?limit=1"),
        "getRecord": shop.settled(page, record, "accepted"),
        "getState": page.ok("GET", "/state"),
    }
    tree = page.get("/openapi.json").json()
    shown = {
        one["operationId"]: answer["content"]["application/json"]["example"]
        for path in tree["paths"].values()
        for one in path.values()
        for answer in one["responses"].values()
        if "example" in answer.get("content", {}).get("application/json", {})
    }

    assert set(real) == set(shown)
    assert {name: _members(answer) for name, answer in real.items()} == {name: _members(answer) for name, answer in shown.items()}


def _members(tree):
    """The names of an answer, one level into its lists and objects."""
    inner = {name: next(iter(value), None) if isinstance(value, list) else value for name, value in tree.items()}
    return {
        name: sorted(value) if isinstance(value, dict) and name not in ("fields", "why", "refill") else None
        for name, value in inner.items()
    }


_ODD = (
    None,
    "",
    "x",
    "９" * 7,
    "\u0000",
    0,
    -1,
    10**30,
    1.5,
    True,
    [],
    {},
    ["x"],
    "1151118",
    "9991231235959",
    "0001-01-01T00:00:00+00:00",
    "9999-12-31T23:59:59-12:00",
)


def test_a_prescription_that_is_odd_in_one_place_is_never_an_accident(shop, page):
    """Each member in turn takes odd values; the card is not asked for a record that cannot be."""
    known = shop.prescription()
    known["sheet"]["refill"] = {"number": 1, "of": 3, "days": 28, "total_days": 84}
    body = {"prescription": known, "card": {"state": "present"}, "make_up": {"actual_visited_at": "2026-11-18T10:00:00+08:00"}}
    seen = set()
    for number, place in enumerate(_places(body)):
        for odd in _ODD[number % 6 :: 6]:
            status, answer = page.call("POST", "/plan", _with(body, place, odd))
            assert status in (200, 409, 422), (place, odd, status, answer)
            seen.add(status)

    assert {200, 409, 422} == seen


def _places(tree, at=()):
    for name, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*at, name)
        if isinstance(value, dict | list):
            yield from _places(value, (*at, name))


def _with(tree, place, value):
    import copy

    made = copy.deepcopy(tree)
    inside = made
    for name in place[:-1]:
        inside = inside[name]
    inside[place[-1]] = value
    return made

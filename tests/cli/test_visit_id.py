"""``nhirx visit-id`` as programs and people call it (contract §2)."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nhirx.cli import main

SAMPLE = "0USE4FA11RP4J370WR4K"
MEMBERS = {"text", "canonical", "valid", "kind", "meaning", "holder_id", "issued_at", "plausible", "problems"}


@pytest.fixture
def call(capfdbinary):
    """``call(words…)``: exit code, stdout as text."""

    def run(*words: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["visit-id", *words])
        out, err = capfdbinary.readouterr()
        return ended.value.code, out.decode(), err.decode()

    return run


def test_the_members_of_the_contract(call):
    code, out, err = call(SAMPLE, "--json")
    answer = json.loads(out)

    assert (0, "") == (code, err)
    assert set(answer) >= MEMBERS
    assert (SAMPLE, True, "visit-id", True, False) == tuple(
        answer[name] for name in ("canonical", "valid", "kind", "plausible", "repaired")
    )
    assert "A12******9" == answer["holder_id"]
    assert "2020-01-14T23:36:15+08:00" == answer["issued_at"]
    assert [] == answer["problems"]


def test_reveal_shows_the_number(call):
    assert "A123456789" == json.loads(call(SAMPLE, "--json", "--reveal")[1])["holder_id"]


def test_one_line_per_text(call):
    """JSON Lines in the order of the call; one wrong text makes the exit code 1 and hides nothing."""
    code, out, _ = call("--json", SAMPLE, "nonsense", "9" * 20)
    answers = [json.loads(line) for line in out.splitlines()]

    assert 1 == code
    assert ["visit-id", "invalid", "placeholder"] == [answer["kind"] for answer in answers]
    assert [True, False, True] == [answer["valid"] for answer in answers]
    assert ["not-a-visit-id"] == [problem["code"] for problem in answers[1]["problems"]]


@pytest.mark.parametrize("text", ["OUSE4FAIIRP4J37OWR4K", "0ＵＳＥ4FA11RP4J370WR4K"])
def test_repair_is_said(call, text):
    answer = json.loads(call(text, "--json")[1])

    assert (SAMPLE, True, True) == (answer["canonical"], answer["repaired"], answer["valid"])
    assert "repaired" in {problem["code"] for problem in answer["problems"]}


def test_implausible_is_valid_with_a_problem(call):
    """The structure is derived: it warns, it does not reject."""
    code, out, _ = call("ZZZZZZZZZZZZZZZZZZZZ", "--json")
    answer = json.loads(out)

    assert (0, True, False) == (code, answer["valid"], answer["plausible"])
    assert {"implausible"} == {problem["code"] for problem in answer["problems"]}


@pytest.mark.parametrize("text", ["9" * 20, "F" * 20, "MISS" + "0" * 16, "SM00" + "0" * 16, "A010" + "0" * 16])
def test_placeholders_have_a_meaning(call, text):
    answer = json.loads(call(text, "--json")[1])

    assert ("placeholder", text) == (answer["kind"], answer["canonical"])
    assert answer["meaning_zh"]
    assert answer["meaning_en"]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_people_read_their_language_and_no_number(call, language):
    code, out, _ = call("--lang", language, SAMPLE)

    assert 0 == code
    assert ("有效" if language == "zh" else "valid") in out
    assert "0USE**************4K" in out
    assert SAMPLE not in out
    assert "A123456789" not in out


def test_no_text_is_a_wrong_call(call):
    code, out, _ = call("--json")

    assert 2 == code
    assert "input" == json.loads(out)["error"]["code"]


def test_as_a_process_of_its_own():
    """Through the installed entry point, with bytes that are no UTF-8 in the argument and an old code page on the console."""
    ended = subprocess.run(
        [sys.executable, "-m", "nhirx", "visit-id", SAMPLE, b"\xff\xfe", "--json"],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii", "NHIRX_LANG": "zh", "PATH": ""},
    )
    answers = [json.loads(line) for line in ended.stdout.decode("utf-8").splitlines()]

    assert (1, 2, b"") == (ended.returncode, len(answers), ended.stderr)


def test_old_code_page_does_not_end_the_command():
    """Words for people on a console that has no Chinese."""
    ended = subprocess.run(
        [sys.executable, "-m", "nhirx", "visit-id", SAMPLE],
        capture_output=True,
        check=False,
        env={"PYTHONIOENCODING": "ascii", "NHIRX_LANG": "zh", "PATH": ""},
    )

    assert (0, b"") == (ended.returncode, ended.stderr)
    assert b"0USE**************4K" in ended.stdout

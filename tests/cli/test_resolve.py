"""``nhirx resolve`` and ``nhirx explain`` as an outside program calls them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

FACTS = {
    "dispensed_at": "1151120090013",
    "pharmacy": {"institution": "5901234567", "pharmacist": "B200000002", "newly_contracted": False, "format2_since": "1130901"},
    "patient": {"national_id": "A123456789", "birth_date": "0501231", "no_nhi_status": None},
    "prescription": {
        "visit_id": None,
        "visit_id_state": "absent",
        "visit_serial": "C000",
        "institution": "3502060427",
        "visited_at": "2026-11-18T09:30:00+08:00",
        "prescriber_format": None,
        "refill": None,
    },
    "card": {"state": "present", "abnormal_serial": None},
    "make_up": None,
}
KEYS = {"ok", "action", "call", "fields", "from_card", "why", "findings"}


def nhirx(*arguments: str, text: str | bytes | None = None) -> subprocess.CompletedProcess[bytes]:
    given = text.encode("utf-8") if isinstance(text, str) else text
    return subprocess.run([sys.executable, "-m", "nhirx", *arguments], input=given, capture_output=True, timeout=60, check=False)


def test_resolve_answers_as_the_contract_says():
    """One JSON object with exactly the contract's members; facts from stdin."""
    done = nhirx("resolve", "-", "--json", text=json.dumps(FACTS))
    answer = json.loads(done.stdout)
    assert (0, b"") == (done.returncode, done.stderr)
    assert KEYS == set(answer)
    assert ("C000" + "0" * 16, "C000", "A") == tuple(answer["fields"][name] for name in ("M16", "M18", "H01"))
    assert {"rule", "source", "confidence"} == set(answer["why"]["M16"])


def test_facts_from_a_file_with_a_byte_order_mark(tmp_path):
    """As Windows editors write it."""
    file = tmp_path / "處方.json"
    file.write_text(json.dumps(FACTS, ensure_ascii=False), "utf-8-sig")
    assert 0 == nhirx("resolve", str(file), "--json").returncode


def test_no_rule_is_exit_1():
    """A sheet without an ID and with an ordinary serial: an error, never a guess."""
    facts = FACTS | {"prescription": FACTS["prescription"] | {"visit_serial": "0007", "prescriber_format": "2.0"}}
    done = nhirx("resolve", "-", "--json", text=json.dumps(facts))
    error = json.loads(done.stdout)["error"]
    assert (1, "no-rule") == (done.returncode, error["code"])
    assert "開立端" in error["zh"]


def test_a_blocking_finding_is_exit_1():
    """The plan is told, and that it must not go out."""
    facts = FACTS | {"card": {"state": "failed"}}
    done = nhirx("resolve", "-", "--json", text=json.dumps(facts))
    answer = json.loads(done.stdout)
    assert (1, False, "hold") == (done.returncode, answer["ok"], answer["action"])


def test_the_rules_of_another_day():
    """``--on`` asks for the rules of that day."""
    facts = FACTS | {
        "prescription": FACTS["prescription"] | {"visit_serial": "A010"},
        "pharmacy": FACTS["pharmacy"] | {"format2_since": None},
    }
    assert 0 == nhirx("resolve", "-", "--json", text=json.dumps(facts)).returncode
    assert 1 == nhirx("resolve", "-", "--json", "--on", "1130930", text=json.dumps(facts)).returncode


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "facts-invalid"),
        ("[]", "facts-invalid"),
        ("null", "facts-invalid"),
        ("[" * 100_000, "facts-invalid"),
        ('{"dispensed_at": NaN}', "facts-invalid"),
        (b"\xff\xfe\x00", "facts-invalid"),
        ("", "file-empty"),
        (json.dumps(FACTS | {"surprise": 1}), "facts-invalid"),
        (json.dumps({name: value for name, value in FACTS.items() if name != "patient"}), "facts-invalid"),
        (json.dumps(FACTS | {"dispensed_at": "1151345090013"}), "facts-invalid"),
        (json.dumps(FACTS | {"dispensed_at": 1151120090013}), "facts-invalid"),
        (json.dumps(FACTS | {"card": {"state": "lost"}}), "facts-invalid"),
        (json.dumps(FACTS | {"patient": FACTS["patient"] | {"national_id": "x"}}), "facts-invalid"),
        (" " * 1_100_000, "file-too-large"),
    ],
)
def test_wrong_input_is_exit_2(text, code):
    """Each has its code and words in both languages; never a traceback."""
    done = nhirx("resolve", "-", "--json", text=text)
    error = json.loads(done.stdout)["error"]
    assert (2, code) == (done.returncode, error["code"])
    assert error["zh"]
    assert error["en"]
    assert b"Traceback" not in done.stderr


def test_a_missing_file_is_exit_2():
    """The path is told."""
    done = nhirx("resolve", "no-such-file.json", "--json")
    assert (2, "file-missing") == (done.returncode, json.loads(done.stdout)["error"]["code"])


def test_the_member_that_is_wrong_is_named():
    """A misspelt member is not lost in silence."""
    facts = FACTS | {"card": {"state": "present", "abnormal_serail": "A010"}}
    error = json.loads(nhirx("resolve", "-", "--json", text=json.dumps(facts)).stdout)["error"]
    assert "card.abnormal_serail" == error["detail"]["where"]


def test_explain_shows_rule_and_source_in_chinese_first():
    """A person reads field, value, rule and document; persons are masked."""
    done = nhirx("explain", "-", text=json.dumps(FACTS))
    told = done.stdout.decode("utf-8")
    assert 0 == done.returncode
    assert [] == [word for word in ("原就醫識別碼", "C0000000", "圖4", "已證實", "期限") if word not in told]
    assert "A123456789" not in told


def test_explain_in_english():
    """``--lang en``."""
    told = nhirx("--lang", "en", "explain", "-", text=json.dumps(FACTS)).stdout.decode("utf-8")
    assert [] == [word for word in ("confirmed", "nhi-qa-2024-10") if word not in told]


def test_explain_as_json():
    """Rule, words and the periods with their arithmetic."""
    answer = json.loads(nhirx("explain", "-", "--json", text=json.dumps(FACTS)).stdout)
    line = next(line for line in answer["fields"] if line["field"] == "M16")
    assert ("origin-id.power", "nhi-qa-2024-10 圖4") == (line["rule"], line["source"])
    assert {"upload", "correction", "claims", "ordinary-validity"} == {window["id"] for window in answer["windows"]}


def test_resolve_for_a_person():
    """Without --json: action, filled fields, findings; no ID in clear."""
    told = nhirx("resolve", "-", text=json.dumps(FACTS)).stdout.decode("utf-8")
    assert "上傳，API 1.53" in told
    assert "A123456789" not in told

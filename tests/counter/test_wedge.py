"""What a keyboard scanner does to a text, and how it comes back."""

from __future__ import annotations

import pytest

from nhirx.counter import codes, wedge

SHEET = "0USE4FA11RP4J3DLSH9J"
_BOPOMOFO = str.maketrans(
    "1qaz2wsxedcrfv5tgbyhnujm8ik9ol0p7634", "ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒㄓㄔㄕㄖㄗㄘㄙㄧㄨㄩㄚㄛㄜㄞㄟㄠㄢㄣ˙ˊˇˋ"
)
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (SHEET.lower().translate(_BOPOMOFO) + "\r", "bopomofo"),
        (SHEET.translate(_WIDE) + "\r", "full-width"),
        (SHEET.lower() + "\r", "caps-lock"),
        (SHEET, "missing-enter"),
        (SHEET.translate(str.maketrans("0123456789", ")!@#$%^&*(")) + "\r", "wrong-layout"),
    ],
)
def test_a_sheet_comes_back_from_every_keyboard_with_the_reason(typed, code):
    """The text is put right before the eyes and the cause is named, so that it can be mended for good."""
    answer = codes.describe(typed)

    assert (SHEET, [code]) == (answer["canonical"], [hint["code"] for hint in answer["wedge"]])


def test_a_clean_scan_has_nothing_to_say():
    answer = codes.describe(SHEET + "\r\n")

    assert ([], [], "0USE 4FA1 1RP4 J3DL SH9J") == (answer["wedge"], answer["repairs"], answer["grouped"])


@pytest.mark.parametrize(
    "text", ["A123456789;???;0501231;AC12345100;28", "A123456789;\ufffd\ufffd;0501231", "A123;ç\x8e\x8bå°\x8fæ\x98\x8e;1"]
)
def test_lost_chinese_is_seen(text):
    """Question marks, replacement characters, or the bytes one by one."""
    assert "lost-chinese" in [hint["code"] for hint in wedge.hints(text + "\r")]


def test_two_codes_in_a_row_are_told_apart_from_one():
    assert "several-lines" in [hint["code"] for hint in wedge.hints(f"{SHEET}\r{SHEET}\r")]


def test_letters_that_a_visit_id_never_has_are_repaired_with_their_places():
    """O and I are digits that were misread; the person sees where."""
    answer = codes.describe("OUSE4FAI1RP4J3DLSH9J\r")

    assert ("0USE4FA11RP4J3DLSH9J", True) == (answer["canonical"], answer["repaired"])
    assert [("O-0", [1]), ("I-1", [8])] == [(one["code"], one["places"]) for one in answer["repairs"]]


@pytest.mark.parametrize("text", ["", "0USE4FA1", "https://example.tw/x", "0USE4FA11RP4J3DLSH9J0"])
def test_what_is_no_visit_id_is_said_so(text):
    answer = codes.describe(text)

    assert (False, "invalid", None) == (answer["valid"], answer["kind"], answer["canonical"])
    assert ["not-a-visit-id"] == [one["code"] for one in answer["problems"]]


def test_a_placeholder_is_named():
    answer = codes.describe("9" * 20)

    assert "placeholder" == answer["kind"]
    assert answer["meaning_zh"]


def test_the_page_asks_over_the_api_and_the_holder_is_masked(page):
    answer = page.ok("POST", "/codes", {"text": SHEET + "\r"})

    assert ("A12******9", "2026-11-18T09:30:00+08:00") == (answer["holder_id"], answer["issued_at"])

"""What is wrong with the text a keyboard scanner typed: each sign has its own remedy, in the words of a person at a counter.

A scanner types as a keyboard does, so the layout and the input method of the computer get in between. A Bopomofo keyboard
turns each key into a sound, and the sound leads back to the key.
"""

from __future__ import annotations

import unicodedata

Hint = dict[str, str]

# The standard (大千) layout of the Bopomofo keyboard: which key each sound stands on.
_KEYS = "1qaz2wsxedcrfv5tgbyhnujm8ik,9ol.0p;/-7634"
_SOUNDS = "ㄅㄆㄇㄈㄉㄊㄋㄌㄍㄎㄏㄐㄑㄒㄓㄔㄕㄖㄗㄘㄙㄧㄨㄩㄚㄛㄜㄝㄞㄟㄠㄡㄢㄣㄤㄥㄦ˙ˊˇˋ"
_BOPOMOFO = dict(zip(_SOUNDS, _KEYS, strict=True))
_SHIFTED = dict(zip("!@#$%^&*()", "1234567890", strict=True))
_TRANSLATE = {ord(sound): key for sound, key in _BOPOMOFO.items()}


def straightened(text: str) -> str:
    """``text`` as the scanner meant it, as far as the signs in it lead back: Bopomofo to keys, full-width to plain."""
    if any(letter in _BOPOMOFO for letter in text):
        text = text.translate(_TRANSLATE)
    if any(letter in _SHIFTED for letter in text) and _is_code_but_for(text, _SHIFTED):
        text = text.translate({ord(sign): digit for sign, digit in _SHIFTED.items()})
    return text


def hints(text: str) -> list[Hint]:
    """Everything that shows, the first thing to mend first."""
    found: list[Hint] = []
    inside = text.rstrip("\r\n")
    if any(letter in _BOPOMOFO for letter in inside):
        found.append(
            _hint(
                "bopomofo",
                "輸入法是注音，掃描器的按鍵變成了注音符號。請切換為英數輸入，內容已依鍵盤位置還原。",
                "The input method is Bopomofo and turned the scanner's keys into sounds. Switch to English; the text was put back by the keys.",
            )
        )
    elif inside and unicodedata.normalize("NFKC", inside) != inside and any("！" <= letter <= "～" for letter in inside):
        found.append(
            _hint(
                "full-width",
                "輸入法是全形，已改為半形。請切換為半形英數。",
                "The input method types full-width characters; they were made plain. Switch it to half-width.",
            )
        )
    if _lost_chinese(inside):
        found.append(
            _hint(
                "lost-chinese",
                "掃描器遺失了中文字（出現 ? 或亂碼）。請改用攝影機讀取，或將掃描器設為 UTF-8 或 Alt 碼輸出。",
                "The scanner lost the Chinese characters (? or odd signs instead). Use the camera, or set the scanner to send UTF-8 or Alt codes.",
            )
        )
    if any(letter in _SHIFTED for letter in inside) and _is_code_but_for(inside, _SHIFTED):
        found.append(
            _hint(
                "wrong-layout",
                "數字變成了符號：鍵盤配置或 Shift 鍵不符。請將輸入語言改為英文（美式）鍵盤，內容已還原。",
                "Digits came as signs: the keyboard layout or Shift is wrong. Choose the English (US) layout; the text was put back.",
            )
        )
    letters = [letter for letter in inside if letter.isascii() and letter.isalpha()]
    if len(letters) >= 3 and all(letter.islower() for letter in letters) and not found:
        found.append(
            _hint(
                "caps-lock",
                "字母都是小寫：鍵盤的大寫鎖定與掃描器的設定相反。內容已改為大寫。",
                "All letters came in lower case: caps lock is the opposite of what the scanner expects. They were made capitals.",
            )
        )
    if "\r" in inside or "\n" in inside:
        found.append(
            _hint(
                "several-lines",
                "一次收到多行：可能連續掃描了兩個條碼。請清空後逐一掃描。",
                "Several lines came at once: perhaps two codes were scanned in a row. Clear the field and scan one at a time.",
            )
        )
    elif text == inside and len(inside) >= 20:
        found.append(
            _hint(
                "missing-enter",
                "內容後面沒有 Enter。請將掃描器設為結尾送出 Enter（CR），就不必另外按鍵。",
                "No Enter came after the text. Set the scanner to send Enter (CR) at the end, so that nobody has to press it.",
            )
        )
    return found


def _hint(code: str, zh: str, en: str) -> Hint:
    return {"code": code, "zh": zh, "en": en}


def _lost_chinese(text: str) -> bool:
    # In a prescription's own code the name is Chinese; a scanner without it types question marks or the bytes one by one.
    broken = "\ufffd" in text or "??" in text
    latin = sum("\u0080" <= letter <= "\u00ff" for letter in text)
    return broken or latin >= 3


def _is_code_but_for(text: str, signs: dict[str, str]) -> bool:
    """Whether ``text`` is letters and digits but for ``signs``, and long enough that this is no accident."""
    bare = "".join(letter for letter in text if not letter.isspace() and letter != "-")
    return len(bare) >= 16 and all(letter in signs or (letter.isascii() and letter.isalpha()) for letter in bare)

"""How commands begin and end: languages, wrong calls, and exceptions that become words and exit codes."""

from __future__ import annotations

import errno
import json
import signal
import subprocess
import sys

import pytest

import nhirx
from nhirx import cli
from nhirx.cli import main, output
from nhirx.errors import CheckFailed, FileMissing


def ended(command, *, as_json, capfd):
    with pytest.raises(SystemExit) as caught:
        output.finish(command, as_json=as_json)
    out, err = capfd.readouterr()
    return caught.value.code, out, err


def raising(error):
    def command():
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code", "exit_code"),
    [
        (FileMissing(path="a"), "file-missing", 2),
        (CheckFailed(count=1), "check-failed", 1),
        (FileNotFoundError(errno.ENOENT, "x", "a"), "file-missing", 2),
        (PermissionError(errno.EACCES, "denied"), "store", 3),
        (OSError(errno.ENOSPC, "full"), "disk-full", 3),
        (ZeroDivisionError("A123456789"), "error", 2),
        (RecursionError(), "error", 2),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_with_json_every_exception_is_an_error_object(error, code, exit_code, capfd):
    """One object with the contract's members, never a traceback, and nothing of the exception's own text."""
    found, out, err = ended(raising(error), as_json=True, capfd=capfd)
    told = json.loads(out)["error"]

    assert (exit_code, code, "") == (found, told["code"], err)
    assert {"code", "zh", "en", "detail"} == set(told)
    assert "A123456789" not in out


def test_people_read_words(capfd):
    code, out, err = ended(raising(FileMissing(path="a")), as_json=False, capfd=capfd)

    assert (2, "") == (code, out)
    assert "file-missing" in err
    assert "找不到檔案 a" in err


def test_a_defect_shows_itself_to_people():
    """Without --json the traceback is what the person sends us."""
    with pytest.raises(ZeroDivisionError):
        output.finish(raising(ZeroDivisionError()), as_json=False)


def test_stopping_is_quiet(capfd):
    assert (130, "", "已中止。\n") == ended(raising(KeyboardInterrupt()), as_json=False, capfd=capfd)


@pytest.mark.parametrize(("answer", "code"), [(None, 0), (0, 0), (1, 1), (3, 3)])
def test_what_a_command_returns_is_the_exit_code(answer, code, capfd):
    assert code == ended(lambda: answer, as_json=False, capfd=capfd)[0]


def test_text_that_is_no_unicode_can_be_told(capfdbinary):
    """Half a surrogate pair from somebody's JSON."""
    output.emit({"text": "\ud800", "zh": "甲"})

    assert {"text": "\ud800", "zh": "甲"} == json.loads(capfdbinary.readouterr().out)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_help_lists_every_command(language, capfd):
    with pytest.raises(SystemExit) as caught:
        main(["--lang", language, "--help"])
    shown = capfd.readouterr().out

    assert 0 == caught.value.code
    for name, words in cli.COMMANDS.items():
        assert name in shown
        assert words[language == "en"][:12] in shown


@pytest.mark.parametrize("words", [["nonsense", "--json"], ["visit-id", "--nonsense", "--json"]])
def test_wrong_call_is_told_as_json(words, capfd):
    with pytest.raises(SystemExit) as caught:
        main(words)

    assert 2 == caught.value.code
    assert "input" == json.loads(capfd.readouterr().out)["error"]["code"]


@pytest.mark.parametrize(
    ("words", "zh", "en"),
    [
        (
            ["scna"],
            "沒有這個指令 scna。是不是 scan？用 nhirx --help 查看用法。",
            "No such command scna. Did you mean scan? See nhirx --help.",
        ),
        (
            ["plugins", "neww"],
            "沒有這個指令 neww。是不是 new？用 nhirx plugins --help 查看用法。",
            "No such command neww. Did you mean new? See nhirx plugins --help.",
        ),
        (
            ["audit", "--zzz"],
            "沒有這個選項 --zzz。用 nhirx audit --help 查看用法。",
            "No such option --zzz. See nhirx audit --help.",
        ),
        (
            ["visit-id"],
            "缺少參數 TEXT…。用 nhirx visit-id --help 查看用法。",
            "Missing argument TEXT…. See nhirx visit-id --help.",
        ),
        (
            ["doctor", "--json", "--bundle"],
            "選項 --bundle 需要一個值。用 nhirx --help 查看用法。",
            "Option '--bundle' requires an argument. See nhirx --help.",
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_wrong_call_says_what_was_meant(words, zh, en, capfd):
    """The word that is wrong, the nearest right one, and the help of that very command."""
    with pytest.raises(SystemExit):
        main(words if "--json" in words else [*words, "--json"])
    told = json.loads(capfd.readouterr().out)["error"]

    assert (zh, en) == (told["zh"], told["en"])


def test_nothing_said_is_answered_with_the_help(capfd):
    """Not as an error."""
    with pytest.raises(SystemExit) as caught:
        main([])
    shown = capfd.readouterr().err

    assert 2 == caught.value.code
    assert shown.startswith("Usage: nhirx")
    assert "scan" in shown


def test_version(capfd):
    with pytest.raises(SystemExit) as caught:
        main(["--version"])

    assert (0, f"nhirx {nhirx.__version__}\n") == (caught.value.code, capfd.readouterr().out)


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_help_in_both_languages(name, capfd):
    shown = []
    for language in ("zh", "en"):
        with pytest.raises(SystemExit) as caught:
            main([name, "--help", f"--lang={language}"])
        assert 0 == caught.value.code
        shown.append(capfd.readouterr().out)

    assert shown[0] != shown[1]


def test_a_crash_leaves_no_picture_of_the_memory(tmp_path):
    """In it stood patients and keys in clear. A real crash of a program that was allowed to dump as much as it likes."""
    code = """
import os, resource, sys
most = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (most, most))
from nhirx.cli import main
try:
    main(["--version"])
except SystemExit:
    pass
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
sys.stdout.flush()
os.abort()
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)

    assert -signal.SIGABRT == done.returncode
    assert int(done.stdout.split()[-1]) <= 1
    assert [] == list(tmp_path.iterdir())

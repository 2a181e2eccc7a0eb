"""How a command ends: JSON or words, and the contract's exit codes. Free of Typer, whose import costs a command that has to be quick."""

from __future__ import annotations

import errno
import io
import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any, NoReturn

from nhirx.errors import DiskFull, FileMissing, InputError, NhirxError, StoreError
from nhirx.i18n import say


def finish(command: Callable[[], int | None], *, as_json: bool) -> NoReturn:
    """Run ``command`` and end the process with its exit code; an exception becomes words and a code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A console or pipe of an old code page cannot show every character; that must not end a command half way.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = command()
        sys.stdout.flush()
    except NhirxError as error:
        fail(error, as_json=as_json)
    except BrokenPipeError:
        # The reader of a pipe went away (`nhirx scan … | head`): nothing is wrong here, and the flush at exit must not complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        sys.stderr.write(say("已中止。\n", "Stopped.\n"))
        raise SystemExit(130) from None
    except OSError as error:
        fail(_named(error), as_json=as_json)
    except Exception as error:
        if not hasattr(error, "format_message"):
            if not as_json:
                raise
            # A defect of ours: a program that reads JSON still gets JSON. The text may hold a person, so only its kind is told.
            fail(NhirxError(kind=type(error).__name__), as_json=True)
        if type(error).__name__ == "NoArgsIsHelpError" and not as_json:
            sys.stderr.write(f"{error.format_message()}\n")
            raise SystemExit(InputError.exit_code) from None
        # What click raises for a wrong call.
        fail(_wrong_call(error), as_json=as_json)
    raise SystemExit(code or 0)


def _wrong_call(error: Any) -> InputError:
    """click's exception in both languages; its own words are English."""
    said = str(getattr(error, "message", "") or error.format_message()).strip().rstrip(".")
    kind, parameter = type(error).__name__, getattr(error, "param", None)
    name = getattr(error, "option_name", None) or (parameter.opts[-1] if parameter is not None else None)
    zh = en = said
    if kind.startswith("NoSuch") and getattr(error, "option_name", None):
        zh, en = f"沒有這個選項 {name}", f"No such option {name}"
    elif command := getattr(error, "command_name", None) or _quoted(said, "No such command"):
        zh, en = f"沒有這個指令 {command}", f"No such command {command}"
    elif kind == "MissingParameter" and parameter is not None:
        shown = parameter.metavar or parameter.name
        zh, en = f"缺少參數 {shown}", f"Missing argument {shown}"
    elif kind == "BadOptionUsage":
        zh = f"選項 {name} 需要一個值"
    elif kind == "BadParameter" and name is not None:
        zh, en = f"參數 {name} 的值不正確（{said}）", f"Invalid value for {name}: {said}"
    near = getattr(error, "possibilities", None) or re.findall(r"'([^']+)'", said.partition("Did you mean")[2])
    if near:
        zh, en = f"{zh}。是不是 {'、'.join(near)}？", f"{en}. Did you mean {', '.join(near)}?"
    path = getattr(getattr(error, "ctx", None), "command_path", None) or "nhirx"
    return InputError(
        zh=f"{zh.rstrip('。？')}{'？' if near else '。'}用 {path} --help 查看用法。",
        en=f"{en.rstrip('.?')}{'?' if near else '.'} See {path} --help.",
        problem=said,
    )


def _quoted(said: str, start: str) -> str | None:
    """The word in quotes after ``start``."""
    found = re.match(rf"{start} '([^']*)'", said)
    return found[1] if found else None


def fail(error: NhirxError, *, as_json: bool) -> NoReturn:
    """Report ``error`` the way the caller asked for and end with its exit code."""
    if as_json:
        emit(error.as_json())
        sys.stdout.flush()
    else:
        sys.stderr.write(f"{say('錯誤', 'Error')} [{error.code}] {say(error.zh, error.en)}\n")
    raise SystemExit(error.exit_code)


def emit(value: Any) -> None:
    """One JSON value on one line of stdout, UTF-8 whatever the console's code page."""
    text = json.dumps(value, ensure_ascii=False, separators=(", ", ": "))
    try:
        line = text.encode()
    except UnicodeEncodeError:
        # Half a surrogate pair, or bytes of a file name that are no UTF-8: told as \u escapes, which every reader understands.
        line = json.dumps(value, separators=(", ", ": ")).encode()
    sys.stdout.buffer.write(line + b"\n")


def _named(error: OSError) -> NhirxError:
    if isinstance(error, FileNotFoundError):
        return FileMissing(path=str(error.filename))
    if error.errno == errno.ENOSPC:
        return DiskFull()
    return StoreError(problem=error.strerror or type(error).__name__)

"""How a command ends: JSON or words, and the contract's exit codes. Free of Typer, whose import costs a command that has to be quick."""

from __future__ import annotations

import errno
import io
import json
import os
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
        # What click raises for a wrong call.
        fail(_wrong_call(error), as_json=as_json)
    raise SystemExit(code or 0)


def _wrong_call(error: Any) -> InputError:
    """click's exception in both languages; its own words are English."""
    said = str(error.format_message())
    name = getattr(error, "option_name", None)
    parameter = getattr(error, "param", None)
    zh = said
    if name and type(error).__name__.startswith("NoSuch"):
        zh = f"沒有這個選項 {name}"
    elif type(error).__name__ == "MissingParameter" and parameter is not None:
        zh = f"缺少參數 {parameter.metavar or parameter.name}"
    elif type(error).__name__ == "BadParameter" and parameter is not None:
        zh = f"參數 {parameter.opts[-1]} 的值不正確"
    elif said.startswith("No such command"):
        zh = f"沒有這個指令 {said.rsplit(maxsplit=1)[-1].strip('.')}"
    return InputError(zh=f"{zh}。用 nhirx --help 查看用法。", en=f"{said.rstrip('.')}. See nhirx --help.", problem=said)


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

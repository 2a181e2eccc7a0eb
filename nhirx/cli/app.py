"""The Typer application, its language, and the one place where an exception becomes words and an exit code."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import typer

from nhirx import cli
from nhirx.errors import FileMissing, InputError, NhirxError, StoreError
from nhirx.i18n import say, set_language


def run(argv: list[str]) -> None:
    argv = _take_language(argv)
    wanted = next((word for word in argv if not word.startswith("-")), None)
    app = typer.Typer(
        name="nhirx",
        help=say("從紙本處方到健保上傳", "From a printed NHI prescription to an accepted upload"),
        add_completion=False,
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, (zh, en) in cli.COMMANDS.items():
        if name == wanted:
            module: Any = cli.load(name)
            module.register(app)
        elif wanted not in cli.COMMANDS:
            app.command(name, help=say(zh, en))(_absent)
    as_json = "--json" in argv
    try:
        if wanted not in cli.COMMANDS:
            _add_plugin_commands(app, strict=wanted is not None)
        code = typer.main.get_command(app).main(args=argv, prog_name="nhirx", standalone_mode=False)
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
            raise
        # What click raises for a wrong call.
        fail(InputError(problem=str(error.format_message())), as_json=as_json)
    else:
        raise SystemExit(code or 0)


def fail(error: NhirxError, *, as_json: bool) -> None:
    """Report ``error`` the way the caller asked for and end with its exit code."""
    if as_json:
        emit(error.as_json())
        sys.stdout.flush()
    else:
        sys.stderr.write(f"{say('錯誤', 'Error')} [{error.code}] {say(error.zh, error.en)}\n")
    raise SystemExit(error.exit_code)


def emit(value: Any) -> None:
    """One JSON value on one line of stdout, UTF-8 whatever the console's code page."""
    sys.stdout.buffer.write(
        json.dumps(value, ensure_ascii=False, separators=(", ", ": ")).encode("utf-8", "surrogateescape") + b"\n"
    )


def _named(error: OSError) -> NhirxError:
    if isinstance(error, FileNotFoundError):
        return FileMissing(path=str(error.filename))
    return StoreError(problem=error.strerror or type(error).__name__)


def _take_language(argv: list[str]) -> list[str]:
    """``--lang zh|en`` may stand anywhere and decides the help texts, so it is taken before Typer sees the words."""
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--lang":
            set_language(next(words, None))
        elif word.startswith("--lang="):
            set_language(word.removeprefix("--lang="))
        else:
            rest.append(word)
    return rest


def _add_plugin_commands(app: typer.Typer, *, strict: bool) -> None:
    """Commands that plugins offer. Plugins are loaded only here: for a name that nhirx itself does not have, and for help.

    A built-in command is never replaced. A settings file that cannot be read matters only to a command (``strict``).
    """
    from nhirx import settings
    from nhirx.plugin.manager import Plugins

    try:
        offered = Plugins(settings.load().plugins).commands
    except NhirxError:
        if strict:
            raise
        return
    for name, function in offered.items():
        if name in cli.COMMANDS:
            continue
        trial = typer.Typer()
        trial.command(name)(function)
        try:
            typer.main.get_command(trial)
        except Exception as error:
            # Typer reads the parameters late; one function it cannot read must not take the help of all others along.
            sys.stderr.write(
                say(f"外掛指令 {name} 無法使用", f"plugin command {name} cannot be used") + f" ({type(error).__name__})\n"
            )
            continue
        app.command(name)(function)


def _root() -> None:
    """Nothing of its own: every command reads what it needs."""


def _absent() -> None:
    """Stands in for commands that are only listed."""


__all__ = ["emit", "fail", "run"]

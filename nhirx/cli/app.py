"""The Typer application and its language. How a command ends is in ``output``."""

from __future__ import annotations

import sys
from typing import Any

import typer

from nhirx import cli
from nhirx.cli.output import emit, fail, finish
from nhirx.errors import NhirxError
from nhirx.i18n import say, set_language


def run(argv: list[str]) -> None:
    argv = _take_language(argv)
    if argv == ["--version"]:
        import nhirx

        typer.echo(f"nhirx {nhirx.__version__}")
        raise SystemExit(0)
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

    def command() -> int | None:
        if wanted not in cli.COMMANDS:
            _add_plugin_commands(app, strict=wanted is not None)
        code: int | None = typer.main.get_command(app).main(args=argv, prog_name="nhirx", standalone_mode=False)
        return code

    finish(command, as_json="--json" in argv)


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

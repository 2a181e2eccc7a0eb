"""``nhirx plugins``: what is installed, what it does, and why something was not loaded; ``nhirx plugins new`` starts one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nhirx.cli.output import emit
from nhirx.i18n import say

_STATES = {
    "loaded": ("已載入", "loaded"),
    "blocked": ("已停用", "blocked"),
    "refused": ("無法載入", "refused"),
    "absent": ("沒有安裝", "not installed"),
}


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=say("列出已安裝的外掛及其狀態", "list the installed plugins and their state"),
        invoke_without_command=True,
        rich_markup_mode=None,
    )

    @group.callback()
    def plugins(
        context: typer.Context,
        as_json: Annotated[
            bool, typer.Option("--json", help=say("輸出 JSON，每個外掛一行", "print JSON, one line a plugin"))
        ] = False,
        config: Annotated[Path | None, typer.Option("--config", help=say("設定檔", "settings file"))] = None,
    ) -> int:
        return 0 if context.invoked_subcommand else show(config, as_json=as_json)

    @group.command("new", help=say("建立一個可用、附測試的外掛專案", "write a working, tested plugin project"))
    def new(
        name: Annotated[str, typer.Argument(help=say("外掛名稱，如 my-pharmacy", "name of the plugin, such as my-pharmacy"))],
        folder: Annotated[Path, typer.Option("--folder", help=say("建立在此資料夾", "folder to write it into"))] = Path(),
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        from nhirx.plugin import scaffold

        files = scaffold.write(name, folder)
        if as_json:
            emit({"project": str(files[0].parent), "files": [str(file) for file in files]})
        else:
            typer.echo(say(f"已建立 {files[0].parent}", f"written: {files[0].parent}"))
            typer.echo(f"  cd {files[0].parent} && pip install -e . pytest && python -m pytest && nhirx plugins")
        return 0

    app.add_typer(group, name="plugins")


def show(config: Path | None, *, as_json: bool) -> int:
    """List the plugins; 1 when one of them was refused, or has options and is not there."""
    from nhirx import settings
    from nhirx.plugin.manager import Plugins

    found = Plugins(settings.load(config).plugins)
    for status in found.statuses:
        answer = describe(status)
        if as_json:
            emit(answer)
        else:
            _print(answer)
    for name in found.absent:
        answer = _absent(name)
        if as_json:
            emit(answer)
        else:
            _print(answer)
    if not found.statuses and not as_json:
        typer.echo(say("沒有安裝外掛。", "No plugin is installed."))
    return int(bool(found.absent) or any(status.status == "refused" for status in found.statuses))


def describe(status: Any) -> dict[str, Any]:
    """One plugin as JSON: ``{"name", "package", "version", "status", "hooks", "problem"}``; ``problem`` is ``{zh, en}`` or null."""
    return {
        "name": status.name,
        "package": status.package,
        "version": status.version,
        "status": status.status,
        "hooks": list(status.hooks),
        "problem": {"zh": status.problem_zh, "en": status.problem_en} if status.problem_en else None,
    }


def _absent(name: str) -> dict[str, Any]:
    problem = {
        "zh": f"設定檔有 [plugins.options.{name}]，但沒有安裝這個名稱的外掛。請確認名稱，或先安裝。",
        "en": f"The settings have [plugins.options.{name}], and no plugin of this name is installed. Check the name, or install it.",
    }
    return {"name": name, "package": None, "version": None, "status": "absent", "hooks": [], "problem": problem}


def _print(answer: dict[str, Any]) -> None:
    project = f"（{answer['package']} {answer['version']}）" if answer["package"] else ""
    typer.echo(f"{answer['name']}{project}  {say(*_STATES[answer['status']])}")
    for hook in answer["hooks"]:
        typer.echo(f"  {hook}")
    if answer["problem"]:
        typer.echo(f"  ! {say(answer['problem']['zh'], answer['problem']['en'])}")

"""The manual: every page of ``docs/``, as a site to read offline, in Chinese and in English.

``pages()`` is where the pages lie, ``NAV`` their order and titles. ``site`` builds with mkdocs-material (extra ``docs``), ``plain``
renders a page with nothing but the base install, ``serve`` shows either on loopback. Nothing in it is fetched from elsewhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from nhirx.errors import ComponentMissing


@dataclass(frozen=True, slots=True)
class Page:
    """``file`` relative to the pages; where ``NAME.en.md`` is there too, the English site shows that one instead."""

    file: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Part:
    zh: str
    en: str
    pages: tuple[Page, ...]


NAV: tuple[Part, ...] = (
    Part("開始", "Start", (Page("index.md", "開始", "Start"), Page("glossary.md", "詞彙", "Glossary"))),
    Part(
        "藥局",
        "Pharmacy",
        (
            Page("howto/counter.md", "櫃檯畫面", "Counter page"),
            Page("howto/card.md", "讀卡與控制軟體", "Card and control software"),
            Page("howto/without-a-reader.md", "沒有讀卡機時", "Without a reader"),
            Page("howto/outbox.md", "待上傳區", "Outbox"),
            Page("howto/batch.md", "整批掃描檔", "Batches of scans"),
            Page("howto/scale.md", "大量與多台電腦", "At scale"),
            Page("howto/windows.md", "在 Windows 安裝", "Installing on Windows"),
            Page("howto/support.md", "支援檔", "Support file"),
        ),
    ),
    Part(
        "資訊廠商",
        "Vendors",
        (
            Page("howto/first-plugin.md", "第一個外掛", "First plugin"),
            Page("howto/write-a-plugin.md", "外掛逐段說明", "A plugin, piece by piece"),
            Page("hooks.md", "掛勾", "Hooks"),
            Page("howto/local-api.md", "本機 API", "Local API"),
            Page("howto/csharp.md", "C#", "C#"),
            Page("howto/delphi.md", "Delphi", "Delphi"),
            Page("howto/vb.md", "Visual Basic", "Visual Basic"),
            Page("howto/commands.md", "指令與 JSON", "Commands and JSON"),
            Page("howto/simulator.md", "模擬環境", "Sandbox"),
        ),
    ),
    Part(
        "規則",
        "Rules",
        (
            Page("rules/README.md", "規則手冊", "The rule book"),
            Page("rules/dispensing.md", "怎麼上傳", "How it is uploaded"),
            Page("rules/origin-id.md", "原就醫識別碼", "The original visit ID"),
            Page("rules/origin-serial.md", "原就醫序號", "The original serial"),
            Page("rules/record.md", "固定欄位", "Fields that never differ"),
            Page("rules/mode.md", "調劑方式", "Dispensing mode"),
            Page("rules/orders.md", "醫令", "Order lines"),
            Page("rules/substitution.md", "替代", "Substitution"),
            Page("rules/refill.md", "慢連箋", "Refills"),
            Page("rules/newborn.md", "新生兒", "Newborns"),
            Page("rules/make-up.md", "補卡", "Make-up"),
            Page("rules/change.md", "更正與刪除", "Corrections"),
            Page("rules/allergy.md", "過敏資料", "Allergies"),
            Page("rules/limits.md", "期限與上限", "Limits"),
            Page("rules/fields.md", "欄位", "Fields"),
            Page("rules/codes.md", "代碼表", "Codes"),
            Page("rules/checks.md", "錯誤代碼與檢核", "Error codes and checks"),
            Page("rules/differences.md", "文件相異之處", "Where sources differ"),
            Page("rules/coverage.md", "文件對照", "Coverage of the sources"),
        ),
    ),
    Part(
        "開發",
        "Development",
        (
            Page("architecture.md", "架構", "Architecture"),
            Page("howto/add-a-rule.md", "新增規則", "Adding a rule"),
            Page("howto/add-a-hook.md", "新增掛勾", "Adding a hook"),
            Page("licences.md", "授權", "Licences"),
        ),
    ),
)


SCREENS = "screens.md"
"""A page that is made where there are screenshots."""

FOLDERS = ("clients", "pictures")
"""What belongs to the pages beside them: source files to take away, pictures."""


def pages() -> Path:
    """The folder of the pages: inside the wheel, or of the checkout. Raises ``ComponentMissing`` where there is neither."""
    for folder in (Path(__file__).parent / "pages", Path(__file__).parents[2] / "docs"):
        if (folder / "architecture.md").is_file():
            return folder
    raise ComponentMissing(component="docs", how="pip install nhirx")


def files() -> dict[str, Path]:
    """Every page by its name in the manual: those of the folder, and the page of each plugin of this repository."""
    folder = pages()
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*.md"))}
    beside = folder.parent / "plugins"
    if (beside / "README.md").is_file() and "plugins/README.md" not in found:
        found["plugins/README.md"] = beside / "README.md"
        found |= {f"plugins/{path.parent.name}.md": path for path in sorted(beside.glob("*/README.md"))}
    return found


def nav(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """``(part, [(title, file)])`` in the language, with every page that is there; decisions come last, by number."""
    every = {file: path for file, path in files().items() if not file.endswith(".en.md")}
    zh = language == "zh"
    parts = [
        (
            part.zh if zh else part.en,
            [(page.zh if zh else page.en, page.file) for page in part.pages if page.file in every],
        )
        for part in NAV
    ]
    if pictures():
        parts.insert(2, ("畫面" if zh else "Screens", [("畫面" if zh else "Screens", SCREENS)]))
    listed = {page.file for part in NAV for page in part.pages}
    plugins, decisions = _below("plugins", every), _below("adr", every)
    rest = sorted(every.keys() - listed - set(plugins) - set(decisions))
    parts.insert(-2, ("現成的外掛" if zh else "Plugins at hand", [(title, file) for file, title in plugins.items()]))
    parts.append(("其他" if zh else "More", [(_heading(every[file]), file) for file in rest]))
    parts.append(("決定" if zh else "Decisions", [(title, file) for file, title in decisions.items()]))
    return [(title, found) for title, found in parts if found]


def _below(folder: str, every: dict[str, Path]) -> dict[str, str]:
    """Pages of one folder with their titles, its README first."""
    inside = sorted(
        (file for file in every if file.startswith(f"{folder}/")), key=lambda file: (not file.endswith("/README.md"), file)
    )
    return {file: _heading(every[file]) for file in inside}


def pictures() -> list[Path]:
    """Screenshots that the browser tests have left, in the order of their names."""
    return sorted((pages() / "pictures").glob("*.png"))


def _heading(path: Path) -> str:
    """The first heading of a page, without its marks."""
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("# "):
            return line[2:].replace("`", "").strip()
    return path.stem


def text(file: str, language: str) -> str:
    """The Markdown of a page in the language."""
    if file == SCREENS:
        return "\n\n".join(
            ["# 畫面 Screens", *(f"## {path.stem}\n\n![{path.stem}](pictures/{path.name})" for path in pictures())]
        )
    every = files()
    path, own = every[file], every.get(f"{file.removesuffix('.md')}.en.md")
    if language == "en" and own is not None:
        return own.read_text("utf-8")
    if language == "en" and file.startswith("rules/"):
        from nhirx.manual import rules

        if made := rules.pages().get(path.name):
            return made
    content = path.read_text("utf-8")
    if file == "plugins/README.md":
        content = re.sub(r"\]\((nhirx-[a-z-]+)\)", r"](\1.md)", content)
    if language == "zh":
        return content
    from nhirx.manual import twins

    return twins.english(content, only_italics=file.startswith("rules/"))

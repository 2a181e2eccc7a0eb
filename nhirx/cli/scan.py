"""``nhirx scan``: the visit ID on images, PDFs and folders of them (contract §1).

A page is read in less time than Typer takes to load. So ``quick`` answers the plain call by itself, and only a call that it
does not understand (help, a wrong option) goes on to Typer. Annotations are not postponed here: ``register`` loads Typer
when it is called, and Typer evaluates them.
"""

import sys
import time
from typing import TYPE_CHECKING, Annotated

from nhirx.cli.output import emit, finish
from nhirx.i18n import say

if TYPE_CHECKING:
    import typer
    from nhirx_scanner import Scan

_SWITCHES = {"--json": "as_json", "--reveal": "reveal", "--fast": "fast"}

_ADVICE = {
    "blur": ("影像模糊，請拿穩或重新對焦", "blurred: hold still or focus again"),
    "low-contrast": ("對比太低，請增加光線或加深列印", "too little contrast: more light, or a darker print"),
    "glare": ("反光，請改變角度或關閉閃光燈", "glare: change the angle or switch the flash off"),
    "too-small": ("條碼太小，請靠近或提高掃描解析度", "too small: go closer or scan at a higher resolution"),
    "cropped": ("條碼超出畫面，請拍到完整條碼及四周留白", "cut off: have the whole code and its margin in the picture"),
    "damaged": ("條碼破損或被遮蓋，請改讀其他印刷形式或人工輸入", "damaged or covered: read another printed form or key it in"),
}
_STATUS = {
    "found": ("讀到", "found"),
    "several": ("多張處方", "several sheets"),
    "conflict": ("同一張處方的條碼互相矛盾，請人工核對", "the printed forms of one sheet disagree: a person has to check"),
    "none": ("沒有就醫識別碼", "no visit ID"),
    "unreadable": ("看到條碼但無法讀取", "a code was seen but could not be read"),
    "error": ("檔案錯誤", "file error"),
}
_CONFIDENCE = {
    "agreed": ("兩種來源一致", "two sources agree"),
    "checked": ("條碼自帶檢查碼", "the code checks itself"),
    "single": ("單次讀取，請核對", "one unchecked reading: compare"),
    "ocr": ("僅文字辨識，須人工確認", "text only: a person has to confirm"),
}


def quick(words: list[str]) -> None:
    """Run ``nhirx scan`` with these words and end the process; return, having done nothing, when the call is not plain."""
    switches = [word for word in words if word.startswith("-")]
    paths = [word for word in words if not word.startswith("-")]
    if paths and all(word in _SWITCHES for word in switches):
        chosen = {name: word in switches for word, name in _SWITCHES.items()}
        finish(lambda: run(paths, **chosen), as_json=chosen["as_json"])


def register(app: "typer.Typer") -> None:
    import typer

    @app.command("scan", help=say("讀取影像、PDF 或資料夾中處方箋的就醫識別碼", "read the visit ID on images, PDFs and folders"))
    def scan(
        paths: Annotated[
            list[str], typer.Argument(metavar="PATH…", help=say("影像、PDF、TIFF 或資料夾", "image, PDF, TIFF or folder"))
        ],
        as_json: Annotated[bool, typer.Option("--json", help=say("每頁輸出一行 JSON", "one JSON line per page"))] = False,
        reveal: Annotated[bool, typer.Option("--reveal", help=say("顯示完整就醫識別碼", "show the whole visit ID"))] = False,
        fast: Annotated[bool, typer.Option("--fast", help=say("只做快速讀取", "stop at the first reading"))] = False,
    ) -> int:
        return run(paths, as_json=as_json, reveal=reveal, fast=fast)


def run(paths: list[str], *, as_json: bool, reveal: bool, fast: bool) -> int:
    """Scan ``paths`` in order and print each page as it is done. The exit code is the contract's."""
    from nhirx_scanner import Scanner
    from nhirx_scanner.files import list_files

    scanner = Scanner(effort="fast" if fast else "thorough")
    worst, done, started = 0, 0, time.monotonic()
    for path in paths:
        for file in list_files(path):
            # What the caller typed is what comes back, unless it was a folder.
            for page in scanner.scan_file(path if str(file) == path else file):
                done += 1
                worst = max(worst, _exit_code(page))
                if as_json:
                    emit(page.as_json())
                    sys.stdout.flush()
                else:
                    _print(page, reveal=reveal)
                _progress(done, started)
    if time.monotonic() - started > 1 and sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    return worst


def _exit_code(page: "Scan") -> int:
    if page.status in ("found", "several"):
        return 0
    return 2 if page.error is not None and page.error.code == "file-missing" else 1


def _progress(done: int, started: float) -> None:
    if time.monotonic() - started > 1 and sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{say(f'已讀取 {done} 頁', f'{done} pages read')}")
        sys.stderr.flush()


def _print(page: "Scan", *, reveal: bool) -> None:
    from nhirx.identifiers import mask_visit_id

    head = f"{page.path}" + (f" #{page.page}" if page.page > 1 else "")
    shown = [value if reveal else mask_visit_id(value) for value in page.visit_ids]
    words = [say(*_STATUS[page.status])]
    if page.confidence:
        words.append(say(*_CONFIDENCE[page.confidence]))
    _say(f"{head}  {' '.join(shown)}  {' · '.join(words)}".replace("    ", "  "))
    for reason in page.reasons:
        _say(f"  ! {say(*_ADVICE[reason])}")
    if page.error is not None:
        _say(f"  ! [{page.error.code}] {say(page.error.zh, page.error.en)}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


__all__ = ["quick", "register", "run"]

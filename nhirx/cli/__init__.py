"""The command line. ``main`` imports only the command that was asked for, so that ``nhirx scan`` starts as fast as it can.

A command is a module of this package with ``register(app)``. The exit codes and the JSON of every command are the contract
that outside programs rely on (``docs/howto/commands.md``).
"""

from __future__ import annotations

import importlib
import sys

# name → (zh, en): the one-line help, here so that listing the commands imports none of them.
COMMANDS: dict[str, tuple[str, str]] = {
    "scan": ("讀取影像或 PDF 上的就醫識別碼", "read the visit ID on images and PDFs"),
    "batch": ("批次讀取整個資料夾的掃描檔", "read whole folders of scans"),
    "visit-id": ("檢查並說明一組就醫識別碼", "check and explain a visit ID"),
    "resolve": ("由處方資料決定上傳欄位", "decide the upload fields from the facts"),
    "explain": ("逐欄說明上傳值與依據", "explain every field with its rule"),
    "check": ("上傳前離線檢核", "the NHI's checks, offline, before sending"),
    "report": ("解讀健保署的檢核結果", "read a check result of the NHI"),
    "compare": ("1.0 與 2.0 預檢比對", "compare 1.0 with 2.0 as the precheck does"),
    "convert": ("將 1.0 上傳檔轉為 2.0", "convert a 1.0 upload file to 2.0"),
    "demo": ("從紙本處方到上傳完成的完整示範", "the whole way once, everything simulated"),
    "counter": ("啟動調劑台網頁與本機 API", "the counter page and its local API"),
    "sim": ("啟動模擬的讀卡機控制軟體與健保署服務", "start the simulated control software and NHI services"),
    "outbox": ("查看與處理待上傳資料", "look at and work the upload queue"),
    "journal": ("查看與完成中斷或欠卡的調劑", "finish dispensings that were stopped or wait for a card"),
    "audit": ("查看與驗證稽核紀錄", "look at and verify the audit trail"),
    "doctor": ("檢查這台電腦的各項元件", "check every part of this machine"),
    "trust": ("信任或撤銷控制軟體的自簽憑證", "trust or revoke the certificate of local control software"),
    "docs": ("在瀏覽器看說明文件，不需要網路", "read the manual in the browser, offline"),
    "plugins": ("列出已安裝的外掛", "list the installed plugins"),
}


def main(argv: list[str] | None = None) -> None:
    """Entry point of ``nhirx``. Ends the process with one of the contract's exit codes: 0, 1, 2, 3."""
    leave_no_core()
    words = sys.argv[1:] if argv is None else argv
    if words[:1] == ["scan"]:
        from nhirx.cli.scan import quick

        quick(words[1:])
    from nhirx.cli.app import run

    run(words)


def leave_no_core() -> None:
    """A dump of this program's memory would hold patients and keys in clear, so a crash leaves none; nor do programs started from it.

    The limit is one byte: with zero, Linux still hands the whole memory to a program that collects dumps.
    """
    try:
        import resource
    except ImportError:  # Windows makes dumps only where an administrator asked for them
        return
    _, most = resource.getrlimit(resource.RLIMIT_CORE)
    least = 0 if most == 0 else 1
    resource.setrlimit(resource.RLIMIT_CORE, (least, least))


def load(name: str) -> object:
    """The module of command ``name``."""
    return importlib.import_module(f"nhirx.cli.{name.replace('-', '_')}")

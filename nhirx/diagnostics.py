"""``nhirx doctor``: every part of the machine looked at on its own, in a process of its own, with a time limit.

A probe that hangs, crashes or takes its process down costs only its own line, so the report always completes. Nothing in a
report names a person: it is made to be sent to a vendor.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from nhirx.errors import NhirxError

Report = dict[str, Any]
"""``{"name", "status": "ok" | "warn" | "fail", "zh", "en", "detail"}``"""

TIME_LIMIT = 15.0
"""Seconds for one probe. A camera driver may take several; nothing sensible takes longer."""


def examine(names: tuple[str, ...] | None = None, *, limit: float = TIME_LIMIT) -> Iterator[Report]:
    """Run the probes (all, or those named), two at a time, and give each report in the fixed order of ``PROBES``."""
    wanted = [name for name in PROBES if names is None or name in names]
    with ThreadPoolExecutor(max_workers=2) as pool:
        yield from pool.map(lambda name: _in_a_process(name, limit), wanted)


def _in_a_process(name: str, limit: float) -> Report:
    try:
        done = subprocess.run(
            [sys.executable, "-m", "nhirx.diagnostics", name],
            capture_output=True,
            timeout=limit,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return report(name, "fail", f"{limit:.0f} 秒內沒有回應。", f"No answer within {limit:.0f} s.")
    except OSError as error:
        return report(name, "fail", "無法執行這項檢查。", "This probe could not be started.", problem=type(error).__name__)
    try:
        answer: Report = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return report(name, "fail", "檢查途中程式中斷。", "The probe crashed.", exit_code=done.returncode)
    return answer


def report(name: str, status: str, zh: str, en: str, **detail: Any) -> Report:
    return {"name": name, "status": status, "zh": zh, "en": en, "detail": detail}


# ── the probes ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _decoders() -> Report:
    from nhirx_scanner import probe

    found = probe.decoders()
    if not found["zxing-cpp"] or not found["opencv"]:
        return report(
            "decoders",
            "fail",
            "缺少必要的解碼元件，請重新安裝 nhirx。",
            "A required decoder is missing: reinstall nhirx.",
            **found,
        )
    missing = [name for name, version in found.items() if version is None]
    if missing:
        zh = f"可用；未安裝選用元件：{'、'.join(missing)}（難讀的處方會少一個佐證）。"
        en = f"Working; optional parts missing: {', '.join(missing)} (hard sheets have one witness less)."
        return report("decoders", "warn", zh, en, **found)
    return report("decoders", "ok", "解碼元件齊全。", "All decoders are there.", **found)


def _camera() -> Report:
    from nhirx_scanner import probe

    seen = probe.camera()
    if not seen["opened"]:
        return report(
            "camera", "warn", "找不到攝影機（只處理掃描檔則不需要）。", "No camera (not needed for scanned files).", **seen
        )
    if not seen["frame"]:
        return report(
            "camera",
            "fail",
            "攝影機打得開但沒有畫面，可能被其他程式占用。",
            "The camera opens but gives no picture: in use elsewhere?",
            **seen,
        )
    if seen["width"] < 1280:
        return report(
            "camera",
            "warn",
            "攝影機解析度偏低，小條碼可能讀不到。",
            "Low camera resolution: small codes may not be read.",
            **seen,
        )
    return report(
        "camera",
        "ok",
        f"攝影機正常（{seen['width']}×{seen['height']}）。",
        f"Camera works ({seen['width']}×{seen['height']}).",
        **seen,
    )


def _pcsc() -> Report:
    from nhirx.card.pcsc import PcscReader

    try:
        PcscReader().read_holder()
    except NhirxError as error:
        status = "warn" if error.code in {"card-absent", "component-missing", "reader-absent"} else "fail"
        return report("pcsc", status, error.zh, error.en, code=error.code)
    return report("pcsc", "ok", "讀卡機與健保卡正常。", "The reader works and holds an NHI card.")


def _control() -> Report:
    from nhirx import settings
    from nhirx.card.choose import control_software

    control = control_software(settings.load())
    try:
        status = control.status()
    finally:
        control.close()
    detail = {"initialised": status.initialised, "sam": status.sam_ready, "card": status.card_present, "version": status.version}
    if not status.reachable:
        zh = "讀卡機控制軟體沒有回應。請啟動控制軟體，或確認設定中的網址與憑證（nhirx trust add）。"
        en = "The control software does not answer: start it, or check its address and certificate (nhirx trust add)."
        return report("control", "fail", zh, en, problems=list(status.problems), **detail)
    if not status.sam_ready:
        return report(
            "control",
            "warn",
            "控制軟體已啟動，安全模組尚未認證。",
            "Control software runs; the security module is not verified yet.",
            **detail,
        )
    return report("control", "ok", "控制軟體與安全模組正常。", "Control software and security module are ready.", **detail)


def _clock() -> Report:
    now = datetime.now(UTC)
    offset = datetime.now().astimezone().utcoffset()
    detail = {"now": now.isoformat(timespec="seconds"), "offset_minutes": int(offset.total_seconds() // 60) if offset else 0}
    if now < datetime(2026, 1, 1, tzinfo=UTC):
        return report(
            "clock", "fail", "電腦日期不正確，上傳時間會被退件。", "The date is wrong: uploads would be rejected.", **detail
        )
    if offset != timedelta(hours=8):
        zh = "電腦時區不是台灣時間；nhirx 自行以 +08:00 計算，其他程式可能不會。"
        return report(
            "clock", "warn", zh, "The time zone is not Taiwan's; nhirx uses +08:00 itself, other programs may not.", **detail
        )
    return report("clock", "ok", "日期與時區正常。", "Date and time zone look right.", **detail)


def _database() -> Report:
    from nhirx import settings
    from nhirx.outbox import open_outbox

    outbox = open_outbox(settings.load())
    try:
        counts = outbox.counts()
    finally:
        outbox.close()
    return report(
        "database",
        "ok",
        "資料庫可讀寫。",
        "The database can be read and written.",
        **{str(key): value for key, value in counts.items()},
    )


def _plugins() -> Report:
    from nhirx import settings
    from nhirx.plugin.manager import Plugins

    plugins = Plugins(settings.load().plugins)
    statuses, absent = plugins.statuses, plugins.absent
    plugins.close()
    refused = [status.name for status in statuses if status.status == "refused"]
    names = [status.name for status in statuses]
    if refused:
        zh = f"無法載入：{'、'.join(refused)}。原因見 nhirx plugins。"
        en = f"Not loaded: {', '.join(refused)}. `nhirx plugins` says why."
        return report("plugins", "fail", zh, en, plugins=names)
    if absent:
        zh = f"設定檔中這些外掛沒有安裝：{'、'.join(absent)}。請確認名稱。"
        en = f"The settings name plugins that are not installed: {', '.join(absent)}. Check the names."
        return report("plugins", "warn", zh, en, plugins=names)
    return report("plugins", "ok", f"已安裝 {len(names)} 個外掛。", f"{len(names)} plugin(s) installed.", plugins=names)


PROBES: dict[str, Callable[[], Report]] = {
    "decoders": _decoders,
    "camera": _camera,
    "pcsc": _pcsc,
    "control": _control,
    "clock": _clock,
    "database": _database,
    "plugins": _plugins,
}


def probe(name: str) -> Report:
    """Run one probe here and now; an exception becomes a report."""
    try:
        return PROBES[name]()
    except NhirxError as error:
        return report(name, "fail", error.zh, error.en, code=error.code)
    except Exception as error:
        return report(
            name, "fail", "檢查時發生未預期的錯誤。", "The probe met an unexpected error.", problem=type(error).__name__
        )


if __name__ == "__main__":
    sys.stdout.write(json.dumps(probe(sys.argv[1]), ensure_ascii=True) + "\n")

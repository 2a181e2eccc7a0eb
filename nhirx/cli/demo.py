"""``nhirx demo``: the whole way once, told in Chinese (or English), or as JSON (contract §8)."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from nhirx.cli.app import emit
from nhirx.i18n import say
from nhirx.identifiers import mask_visit_id


def register(app: typer.Typer) -> None:
    @app.command("demo", help=say("從紙本處方到上傳完成的完整示範（全部為模擬）", "the whole way once, everything simulated"))
    def demo(
        as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False,
    ) -> int:
        from nhirx.demo import run

        story = run(None if as_json else _Teller())
        if as_json:
            emit(story)
        return 0 if story["upload"]["state"] == "accepted" else 1


class _Teller:
    """Prints each step as it ends, so that one can follow it; the words are for a pharmacist, not for a programmer."""

    def __init__(self) -> None:
        from rich.console import Console

        # soft_wrap: the terminal breaks lines, so that a pipe or a file gets whole ones.
        self._console = Console(highlight=False, soft_wrap=True)
        self._number = 0
        self._console.print(
            say(
                "nhirx 示範：一張處方箋從拍照到健保署收下。病人、健保卡與健保署服務都是模擬的，沒有真實個資，也不會連到外部網路。",
                "nhirx demo: one prescription from a photograph to accepted. Patient, card and NHIA services are simulated; nothing leaves this machine.",
            )
        )

    def __call__(self, step: str, content: dict[str, Any]) -> None:
        getattr(self, f"_{step}")(content)

    def _heading(self, zh: str, en: str) -> None:
        self._number += 1
        self._console.print(f"\n[bold cyan]{self._number}. {say(zh, en)}[/]")

    def _line(self, zh: str, en: str) -> None:
        self._console.print(f"   {say(zh, en)}")

    def _scan(self, scan: dict[str, Any]) -> None:
        self._heading("掃描處方箋", "Scan the sheet")
        shown = mask_visit_id(scan["visit_id"] or "")
        sure = {
            "agreed": ("兩種以上印刷形式或解碼器讀出相同結果", "two printed forms or decoders agree"),
            "checked": ("條碼本身的檢查碼正確", "the code's own check holds"),
            "single": ("僅一次讀取，請核對", "read once: compare it"),
            "ocr": ("僅文字辨識，須由人員確認", "text recognition only: a person confirms"),
        }.get(scan["confidence"] or "", ("—", "—"))
        forms = "、".join(scan["evidence"])
        self._line(
            f"{scan['file']}：讀到就醫識別碼 [bold]{shown}[/]（{scan['ms']:.0f} 毫秒）",
            f"{scan['file']}: visit ID [bold]{shown}[/] ({scan['ms']:.0f} ms)",
        )
        self._line(f"可信度：{sure[0]}（{forms}）", f"confidence: {sure[1]} ({forms})")
        others = [code for code in scan["codes"] if code["kind"] != "visit-id"]
        if others:
            kinds = "、".join(sorted({code["kind"] for code in others}))
            self._line(
                f"同一張上另有 {len(others)} 個其他條碼，未採用：{kinds}",
                f"{len(others)} other codes on the sheet were left alone: {kinds}",
            )

    def _prescription(self, sheet: dict[str, Any]) -> None:
        self._heading("找出處方內容（由藥局系統的外掛提供）", "Find the prescription (from the pharmacy system's plugin)")
        refill = say(f"，慢性病連續處方箋 {sheet['refill']}", f", refill {sheet['refill']}") if sheet["refill"] else ""
        self._line(
            f"病人 {sheet['national_id']}，{sheet['lines']} 項藥品，{sheet['days']} 天{refill}",
            f"patient {sheet['national_id']}, {sheet['lines']} drugs, {sheet['days']} days{refill}",
        )

    def _resolve(self, plan: dict[str, Any]) -> None:
        from nhirx.cli.plan_view import told_by_rule
        from nhirx.model import UploadPlan

        self._heading("依規定決定每個上傳欄位", "Decide every upload field by the rules")
        for words, reference, fields in told_by_rule(UploadPlan.model_validate(plan)):
            self._console.print(f"   ● {words} [dim]{reference}[/]")
            for field in fields:
                self._console.print(f"       {field}")
        for finding in plan["findings"]:
            self._line(f"提醒：{finding['zh']}", f"note: {finding['en']}")

    def _card(self, card: dict[str, Any]) -> None:
        self._heading("讀健保卡、取號、寫入醫令", "Read the card, take the number, write the orders")
        holder = card["holder"] or {}
        self._line(
            f"持卡人 {holder.get('name')} {holder.get('national_id')}，與處方箋、就醫識別碼為同一人",
            f"holder {holder.get('name')} {holder.get('national_id')}: the same person as on the sheet and inside the visit ID",
        )
        self._line(
            f"取得本次就醫識別碼 {card['visit_id']}，{card['order_signatures']} 項醫令已簽章",
            f"visit ID of this dispensing {card['visit_id']}, {card['order_signatures']} orders signed",
        )

    def _check(self, check: dict[str, Any]) -> None:
        self._heading("送出前先做健保署的檢核", "Run the NHI's checks before sending")
        found = [finding for record in check["records"] for finding in record["findings"]]
        errors = [finding for finding in found if finding["severity"] == "error"]
        self._line(
            f"{len(errors)} 項錯誤，{len(found) - len(errors)} 項提醒或只能由健保署判斷",
            f"{len(errors)} errors, {len(found) - len(errors)} notes or checks that only the NHIA can do",
        )

    def _queued(self, record: dict[str, Any]) -> None:
        self._heading("存入待上傳區（此後斷電也不會遺失）", "Into the outbox (from here on a power cut loses nothing)")
        self._line(f"紀錄 {record['visit_id']} 已建立", f"record {record['visit_id']} is built")

    def _sent(self, receipt: dict[str, Any]) -> None:
        self._heading("上傳", "Upload")
        self._line(
            f"健保署（模擬）已收件，回條 {receipt['opcode']}", f"taken by the (simulated) NHIA, receipt {receipt['opcode']}"
        )

    def _accepted(self, upload: dict[str, Any]) -> None:
        self._heading("檢核結果", "Check result")
        if upload["state"] == "accepted":
            self._console.print(f"   [bold green]✔ {say('檢核通過，這筆資料已被接受。', 'Accepted.')}[/]")
        else:
            self._console.print(f"   [bold red]✘ {upload['state']}[/]")
        for error in upload["errors"]:
            self._line(f"{error['field']}:{error['code']} {error['zh']}", f"{error['field']}:{error['code']} {error['en']}")

"""``nhirx trust``: look at the certificate of a local service once, accept it, take it back."""

from __future__ import annotations

from typing import Annotated

import typer

from nhirx import trust
from nhirx.cli.app import emit
from nhirx.cli.who import account
from nhirx.i18n import say

Why = Annotated[str, typer.Option("--why", help=say("原因（勿含個資）", "the reason, without personal data"))]


def register(app: typer.Typer) -> None:
    group = typer.Typer(
        help=say("信任或撤銷控制軟體的自簽憑證", "trust or revoke the certificate of local control software"),
        no_args_is_help=True,
    )
    app.add_typer(group, name="trust")

    @group.command("list", help=say("列出已信任的憑證", "list what is trusted"))
    def listed(as_json: Annotated[bool, typer.Option("--json", help=say("輸出 JSON", "print JSON"))] = False) -> int:
        known = trust.accepted()
        if as_json:
            emit(known)
        for address, fingerprint in () if as_json else known.items():
            typer.echo(f"{address}  SHA-256 {grouped(fingerprint)}")
        if not known and not as_json:
            typer.echo(say("尚未信任任何憑證。", "Nothing is trusted beyond the system's store and the settings."))
        return 0

    @group.command("add", help=say("顯示並信任一個網址目前的憑證", "show the certificate of an address and trust it"))
    def add(
        url: Annotated[str, typer.Argument(help=say("例如 https://localhost:5066", "such as https://localhost:5066"))],
        yes: Annotated[bool, typer.Option("--yes", help=say("不詢問", "do not ask"))] = False,
        why: Why = "",
    ) -> int:
        from nhirx.errors import InputError
        from nhirx.http import certificate_of, fingerprint_of, same_fingerprint
        from nhirx.settings import ServiceSettings

        fingerprint = fingerprint_of(certificate_of(ServiceSettings(url=url)))
        typer.echo(f"{url}\n  SHA-256 {grouped(fingerprint)}")
        known = trust.fingerprint_for(url)
        if known is not None and not same_fingerprint(known, fingerprint):
            # Another certificate at a trusted address is what an attack looks like: nobody says yes to it in passing.
            raise InputError(
                problem=f"這個網址已信任另一張憑證（SHA-256 {grouped(known)}）。確定已更換時，請先執行 nhirx trust remove {url}"
                f" / another certificate is trusted at this address; if it was replaced, run nhirx trust remove {url} first"
            )
        question = say(
            "這是控制軟體的憑證嗎？（請與控制軟體畫面上的指紋核對）",
            "Is this the control software's certificate? Compare the fingerprint.",
        )
        if not yes and not typer.confirm(question):
            typer.echo(say("未變更。", "Nothing was changed."))
            return 1
        _note("trust", url, fingerprint, why)
        trust.accept(url, fingerprint)
        typer.echo(say("已信任。之後只接受這張憑證；更換時請先撤銷。", "Trusted. From now on only this one is accepted there."))
        return 0

    @group.command("remove", help=say("撤銷對一個網址的信任", "take the trust in an address back"))
    def remove(url: Annotated[str, typer.Argument()], why: Why = "") -> int:
        known = trust.fingerprint_for(url)
        if known is not None:
            _note("distrust", url, known, why)
        trust.revoke(url)
        typer.echo(say("已撤銷。", "Taken back."))
        return 0


def _note(event: str, url: str, fingerprint: str, why: str) -> None:
    """Whom a machine trusts decides where patients' records go, so it stands in the audit trail before it holds."""
    from nhirx import settings
    from nhirx.logs import mask
    from nhirx.outbox import open_outbox

    who = account()
    with open_outbox(settings.load(), who=who) as outbox:
        outbox.note(event, who=who, subject="service", service=trust.address(url), fingerprint=fingerprint, why=mask(why))


def grouped(fingerprint: str) -> str:
    """Two hex digits at a time, as programs show fingerprints."""
    return ":".join(fingerprint[start : start + 2] for start in range(0, len(fingerprint), 2)).upper()

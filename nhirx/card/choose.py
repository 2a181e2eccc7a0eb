"""Which way to the card: what the settings say, or what is found on this machine."""

from __future__ import annotations

from pathlib import Path

from nhirx.card.base import ControlSoftware, HolderReader
from nhirx.errors import ControlSoftwareDown, SettingMissing
from nhirx.settings import Settings

INSTALLED_LIBRARY = Path("C:/NHI/LIB/cshis.dll")
"""Where control software 5.x puts its library. Source: field-notes, card §2.1."""


def control_software(settings: Settings) -> ControlSoftware:
    """The pharmacy's control software. ``auto``: 6.0 where it answers, else 5.x where its library is, else 6.0.

    A 6.0 that answers with a certificate nobody named is there, and says so when it is used. Raises ``SettingMissing``
    where the settings say ``none``.
    """
    control = settings.control
    if control.kind == "none":
        raise SettingMissing(setting="control.kind")
    if control.kind == "cshis" or (control.kind != "control6" and _only_cshis(settings)):
        from nhirx.card.cshis import Cshis
        from nhirx.card.upload_signer import ComUploadSigner

        return Cshis(_with_library(settings), signer=ComUploadSigner())
    from nhirx.card.control6 import Control6

    return Control6(settings)


def holder_reader() -> HolderReader:
    """Who is it? By PC/SC, which needs no network and no security module."""
    from nhirx.card.pcsc import PcscReader

    return PcscReader()


def virtual_card(settings: Settings, token_text: str, *, companion: ControlSoftware | None = None) -> ControlSoftware:
    """The way to one patient's virtual card, made anew for each token; ``companion`` is the pharmacy's own software."""
    from nhirx.card.virtual import Token, VirtualCard, now

    token = Token(token_text, now())
    if settings.control.virtual_by == "gateway":
        from nhirx.card.gateway import VirtualGateway

        return VirtualGateway(settings, token, companion=companion)
    return VirtualCard(settings, token)


def _only_cshis(settings: Settings) -> bool:
    library = settings.control.cshis.library or INSTALLED_LIBRARY
    if not library.exists():
        return False
    from nhirx.card.control6 import Control6

    newer = Control6(settings)
    try:
        return ControlSoftwareDown.code in newer.status().problems and not newer.status().reachable
    finally:
        newer.close()


def _with_library(settings: Settings) -> Settings:
    """The settings with the installed library where none is named and one is there."""
    if settings.control.cshis.library is not None or not INSTALLED_LIBRARY.exists():
        return settings
    cshis = settings.control.cshis.model_copy(update={"library": INSTALLED_LIBRARY})
    return settings.model_copy(update={"control": settings.control.model_copy(update={"cshis": cshis})})

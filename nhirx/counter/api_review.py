"""The review list of a batch (``nhirx batch``): its routes are added here."""

from __future__ import annotations

from fastapi import APIRouter

router = APIRouter(tags=["review"])

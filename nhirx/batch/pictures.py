"""A page as a picture for people: into the folder ``review``, and small for the report. Runs in a worker."""

from __future__ import annotations

import base64
import io
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

from nhirx.batch.worker import Piece

SMALL = 260
"""Pixels of the longer side of the small picture: enough to know the sheet again, too few to read a person off it."""
_COPIED = frozenset({"jpeg", "png"})


def write(path: Path, piece: Piece) -> dict[str, Any] | None:
    """Write page ``piece.first`` of ``path`` to ``piece.picture`` and answer it small: ``jpeg`` in base64, and ``width`` and
    ``height`` of the page as it was read, in pixels.

    A JPEG or PNG is copied as it is; other pages become a grey PNG. None when the page cannot be shown; then nothing is written.
    """
    from nhirx_scanner import files, images
    from PIL import Image

    from nhirx.errors import NhirxError

    target = Path(piece.picture or "")
    with closing(files.pages(path, piece.first, 1)) as pages:
        page = next(pages, None)
        if page is None or not page.views:
            return None
        try:
            picture = Image.fromarray(page.views[0]())
        except NhirxError:
            return None
    new = target.with_name(target.name + ".new")
    with path.open("rb") as file:
        kind = images.kind_of(file.read(1024))
    if kind in _COPIED:
        shutil.copyfile(path, new)
    else:
        picture.save(new, "PNG")
    new.replace(target.with_suffix("." + {"jpeg": "jpg"}.get(kind or "", "png")))
    width, height = picture.size
    picture.thumbnail((SMALL, SMALL))
    small = io.BytesIO()
    picture.save(small, "JPEG", quality=55)
    return {"jpeg": base64.b64encode(small.getvalue()).decode(), "width": width, "height": height}

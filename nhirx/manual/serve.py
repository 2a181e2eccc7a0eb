"""The manual on loopback: the built site of the wheel, one built on the spot, or the plain pages."""

from __future__ import annotations

import importlib.util
import re
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from nhirx.manual import pages, plain
from nhirx.settings import data_path


def built() -> Path | None:
    """The folder of the built site: the wheel's own, or one made now where mkdocs-material is installed; else None."""
    own = Path(__file__).with_name("built")
    if (own / "index.html").is_file():
        return own
    if importlib.util.find_spec("material") is None:
        return None
    from nhirx.manual.site import build

    return build(data_path() / "manual", strict=False)


def server(site: Path | None, port: int = 0) -> ThreadingHTTPServer:
    """A server on 127.0.0.1, not yet serving; ``site`` None means plain pages. Port 0 is a free one."""
    handler = _Plain if site is None else partial(_Quiet, directory=str(site))
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing: what somebody reads is nobody's business."""


class _Plain(_Quiet):
    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        path = asked.path.lstrip("/") or "index.html"
        language = "en" if path.startswith("en/") else "zh"
        name = path.removeprefix("en/") or "index.html"
        if name == "search.html":
            page: str | None = plain.search(parse_qs(asked.query).get("q", [""])[0][:100], language)
        else:
            page = plain.page(f"{name.removesuffix('.html')}.md", language) if name.endswith(".html") else None
        kind, body = ("text/html; charset=utf-8", page.encode()) if page else _beside(name)
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


_BESIDE = {"clients": (r"\w+\.cs", "text/plain; charset=utf-8"), "pictures": (r"[\w-]+\.png", "image/png")}


def _beside(name: str) -> tuple[str, bytes]:
    """A file that a page refers to, with its media type: of the folders that belong to the pages, and of no other."""
    folder, _, file = name.partition("/")
    pattern, kind = _BESIDE.get(folder, ("", "text/plain; charset=utf-8"))
    path = pages() / folder / file
    return kind, path.read_bytes() if re.fullmatch(pattern, file, re.ASCII) and path.is_file() else b""

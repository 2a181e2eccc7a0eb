"""The files of the page, and the application behind them while it is still being made.

A browser needs a moment to load the page, and the application needs one to be imported: with ``Late`` both happen at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhirx.counter.guard import Guard, Receive, Scope, Send, send_error
from nhirx.counter.options import Options
from nhirx.errors import MethodRefused, NhirxError, ThingMissing

if TYPE_CHECKING:
    from fastapi import FastAPI

STATIC = Path(__file__).parent / "static"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".woff2": "font/woff2",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".txt": "text/plain; charset=utf-8",
}


_NO_SERVICE = 1013
_QUIET, _MOST_QUIETS = 0.2, 10
"""Seconds without a file of the page after which nobody is loading it, and how often that is waited for."""


class Pages:
    """``/`` and everything below ``/static/``, from ``folder``; asked again each time, answered with 304 when nothing changed."""

    def __init__(self, folder: Path = STATIC) -> None:
        self._folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            await send_error(send, 405, MethodRefused(method=scope["method"]), [(b"allow", b"GET, HEAD")])
            return
        file = self._file(scope["path"])
        try:
            known = file.stat() if file else None
            data = file.read_bytes() if file else b""
        except OSError:
            file = known = None
        if file is None or known is None:
            await send_error(send, 404, ThingMissing(what="這個檔案 / such file"))
            return
        tag = f'"{known.st_mtime_ns:x}-{known.st_size:x}"'.encode()
        headers = [(b"etag", tag), (b"cache-control", b"no-cache")]
        if dict(scope["headers"]).get(b"if-none-match") == tag:
            await send({"type": "http.response.start", "status": 304, "headers": headers})
            await send({"type": "http.response.body", "body": b""})
            return
        headers += [(b"content-type", _KINDS[file.suffix].encode()), (b"content-length", str(len(data)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else data})

    def _file(self, path: str) -> Path | None:
        if path == "/":
            return self._folder / "index.html"
        parts = path.removeprefix("/static/").split("/")
        # Names only: nothing that leads up, hides, or means something else on Windows.
        if not all(
            part and not part.startswith(".") and part.replace(".", "").replace("-", "").replace("_", "").isalnum()
            for part in parts
        ):
            return None
        file = self._folder.joinpath(*parts)
        return file if file.suffix in _KINDS and file.is_file() else None


class Late:
    """Serves the page at once, everything else as soon as ``make`` has made the application, which happens in a thread.

    It is begun when it is first asked for, which the page does as soon as its field stands there, or when nobody loads a page:
    imports hold the interpreter, and the files of the page would wait behind them.
    Where it cannot be made, who waits for it is told why before the program ends.
    """

    def __init__(self, make: Callable[[], FastAPI], options: Options, failed: Callable[[BaseException], None]) -> None:
        self._make, self._failed = make, failed
        self._pages, self._sorry = Guard(Pages(), options), Guard(self._refuse, options)
        self._app: asyncio.Future[FastAPI] | None = None
        self._wanted = asyncio.Event()
        self._loading = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http" and (scope["path"] == "/" or scope["path"].startswith("/static/")):
            self._loading = True
            await self._pages(scope, receive, send)
        else:
            self._wanted.set()
            assert self._app is not None  # noqa: S101 - a request comes after the start
            try:
                app: Any = await asyncio.shield(self._app)
            except Exception:
                app = self._sorry
            await app(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.close", "code": _NO_SERVICE})
            return
        error = self._app.exception() if self._app is not None else None
        # The words of any other exception may be a patient.
        await send_error(send, 503, error if isinstance(error, NhirxError) else NhirxError(kind=type(error).__name__))

    async def _live(self, receive: Receive, send: Send) -> None:
        self._app = asyncio.get_running_loop().create_future()
        async with AsyncExitStack() as stack:
            await receive()
            making = asyncio.create_task(self._begin(stack, self._app))
            await send({"type": "lifespan.startup.complete"})
            await receive()
            self._wanted.set()
            await making
        await send({"type": "lifespan.shutdown.complete"})

    async def _until_wanted(self) -> None:
        for _ in range(_MOST_QUIETS):
            self._loading = False
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wanted.wait(), _QUIET)
            if self._wanted.is_set() or not self._loading:
                return

    async def _begin(self, stack: AsyncExitStack, ready: asyncio.Future[FastAPI]) -> None:
        try:
            await self._until_wanted()
            app = await asyncio.to_thread(self._make)
            await stack.enter_async_context(app.router.lifespan_context(app))
        except BaseException as error:
            ready.set_exception(error if isinstance(error, Exception) else RuntimeError())
            ready.exception()  # taken notice of: asyncio would write it out otherwise
            self._failed(error)
        else:
            ready.set_result(app)

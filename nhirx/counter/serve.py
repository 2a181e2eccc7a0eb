"""Run a counter: bind the socket first, so that a port in use is an error in words, then serve until told to stop."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nhirx.counter.options import LOOPBACK, Options
from nhirx.counter.pages import Late
from nhirx.counter.sessions import new_link
from nhirx.errors import ComponentMissing, FileMissing, InputError, PortTaken, SettingInvalid

if TYPE_CHECKING:
    from fastapi import FastAPI

    from nhirx.host import Host

_NEEDED = ("fastapi", "uvicorn", "websockets")  # uvicorn says nothing when the last one is missing
_STOP = 5  # seconds for open connections at the end


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen. Anything but loopback needs ``cert`` and ``key`` (PEM); ``names`` are further host names of this machine."""

    host: str = "127.0.0.1"
    port: int = 0
    cert: Path | None = None
    key: Path | None = None
    names: tuple[str, ...] = ()

    @property
    def is_loopback(self) -> bool:
        return self.host in ("127.0.0.1", "localhost", "::1")

    def check(self) -> None:
        """Raises ``InputError`` and ``FileMissing`` in words of what to do."""
        if (self.cert is None) != (self.key is None):
            raise InputError(problem="--cert 與 --key 要一起指定 / --cert and --key belong together")
        for path in (self.cert, self.key):
            if path is not None and not path.is_file():
                raise FileMissing(path=str(path))
        if not self.is_loopback and self.cert is None:
            raise InputError(
                zh=f"監聽 {self.host} 會讓其他電腦連線，必須加密：請以 --cert 與 --key 指定憑證與私鑰（PEM）。只在本機使用則不需 --host。",
                en=f"Listening on {self.host} lets other computers in and needs TLS: name a certificate and its key (PEM) with "
                "--cert and --key. For this computer alone leave --host out.",
                problem="TLS",
            )
        if self.host in ("0.0.0.0", "::") and not self.names:  # noqa: S104 - refused without a name
            raise InputError(
                zh=f"監聽 {self.host} 時，請以 --name 指定這台電腦的名稱或位址（瀏覽器網址列所用）。",
                en=f"When listening on {self.host}, give the name or address of this computer as browsers use it with --name.",
                problem="--name",
            )


def options_for(address: Address, options: Options) -> Options:
    """``options`` with the host names that ``address`` is reached by."""
    if address.is_loopback:
        options.names = (*LOOPBACK, *address.names)
    else:
        own = () if address.host in ("0.0.0.0", "::") else (f"[{address.host}]" if ":" in address.host else address.host,)  # noqa: S104
        options.names = (*address.names, *own)
    options.tls = address.cert is not None
    return options


def bind(address: Address) -> socket.socket:
    """Raises ``PortTaken``, and ``InputError`` for an address that is not of this computer."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it every answer in two pieces waits 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            # Windows lets a second program take a port over otherwise.
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address.host, address.port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        import errno

        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise PortTaken(port=address.port) from None
        raise InputError(problem=f"{address.host}: {error.strerror}") from None
    except OverflowError:
        listener.close()
        raise InputError(problem=f"port {address.port}") from None
    return listener


class Server:
    """One counter on one socket. ``run`` blocks until ``stop`` is called, or Ctrl-C.

    The socket listens from construction on, while the application is made by ``run``: a browser that is opened in between starts at
    the same time, and is answered as soon as there is an answer.
    """

    def __init__(self, host: Host | Callable[[], Host], options: Options, address: Address) -> None:
        """``host`` may be made late, beside the application: its owner closes it after ``run``. What it raises, ``run`` raises.

        Raises ``ComponentMissing`` without the extra ``counter``, and what ``bind`` and ``Address.check`` raise."""
        missing = [name for name in _NEEDED if find_spec(name) is None]
        if missing:
            raise ComponentMissing(component=", ".join(missing), how='pip install "nhirx[counter]"')
        address.check()
        _try_certificate(address)
        self._host, self._address = host, address
        self._listener = bind(address)
        self.options = options_for(address, options)
        self.options.port = self._listener.getsockname()[1]
        self._stopping = False
        self._server: Any = None
        self._error: BaseException | None = None
        self._making = threading.Lock()
        self._app: FastAPI | None = None

    @property
    def app(self) -> FastAPI:
        """Made when it is first asked for, from whatever thread."""
        with self._making:
            if self._app is None:
                from nhirx.counter.app import create_app

                host = self._host() if callable(self._host) else self._host
                self._app = create_app(host, self.options)
                # What was made until now stays: looking through it again and again would hold up frames.
                gc.collect()
                gc.freeze()
                gc.enable()
            return self._app

    def _broken(self, error: BaseException) -> None:
        self._error = error
        self.stop()

    @property
    def url(self) -> str:
        return self.options.url

    @property
    def is_up(self) -> bool:
        """Whether requests are answered."""
        return self._server is not None and self._server.started

    def link(self) -> str:
        """A new one-time link to the page."""
        page = "page=review&" if self.options.review is not None else ""
        return f"{self.url}/#{page}token={new_link(self.options)}"

    def run(self) -> None:
        import uvicorn

        # It would write tracebacks, and the words of an exception may be a patient. What went wrong is logged by ``answers``.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL + 1)
        config = uvicorn.Config(
            Late(lambda: self.app, self.options, self._broken),
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_max_size=self.options.most_frame,
            ws_max_queue=1,
            # A JPEG does not get smaller, and trying costs more than the loopback.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_STOP,
            ssl_certfile=self._address.cert,
            ssl_keyfile=self._address.key,
        )
        self._server = uvicorn.Server(config)
        self._server.capture_signals = self._signals
        self._server.should_exit = self._stopping
        self._server.run(sockets=[self._listener])
        if self._error is not None:
            raise self._error

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """uvicorn's own way sends itself the signal again at the end, which would end the program before it has tidied up."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
        before = {number: signal.signal(number, self._server.handle_exit) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def stop(self) -> None:
        self._stopping = True
        if self._server is not None:
            self._server.should_exit = True


def _try_certificate(address: Address) -> None:
    if address.cert is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(address.cert, address.key)
    except (ssl.SSLError, OSError) as error:
        raise SettingInvalid(setting="--cert / --key", problem=str(error)) from None

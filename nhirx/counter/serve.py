"""Run a counter: bind the socket first, so that a port in use is an error in words, then serve until told to stop."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nhirx.counter.options import LOOPBACK, Options
from nhirx.errors import ComponentMissing, FileMissing, InputError, PortTaken, SettingInvalid
from nhirx.host import Host

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
    listener = socket.socket(family)
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
    """One counter on one socket. ``run`` blocks until ``stop`` is called, or Ctrl-C."""

    def __init__(self, host: Host, options: Options, address: Address) -> None:
        """Raises ``ComponentMissing`` without the extra ``counter``, and what ``bind`` and ``Address.check`` raise."""
        try:
            import uvicorn
            import websockets  # noqa: F401 - uvicorn looks for it, and says nothing when it is missing

            from nhirx.counter.app import create_app
        except ImportError as error:
            raise ComponentMissing(component=error.name or "fastapi", how='pip install "nhirx[counter]"') from None
        address.check()
        self._listener = bind(address)
        self.options = options_for(address, options)
        self.options.port = self._listener.getsockname()[1]
        self.app = create_app(host, self.options)
        config = uvicorn.Config(
            self.app,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws_max_size=self.options.most_frame,
            ws_max_queue=1,
            # A JPEG does not get smaller, and trying costs more than the loopback.
            ws_per_message_deflate=False,
            timeout_graceful_shutdown=_STOP,
            ssl_certfile=address.cert,
            ssl_keyfile=address.key,
        )
        if address.cert is not None:
            try:
                config.load()
            except (ssl.SSLError, OSError) as error:
                self._listener.close()
                raise SettingInvalid(setting="--cert / --key", problem=str(error)) from None
        self._server: Any = uvicorn.Server(config)

    @property
    def url(self) -> str:
        return self.options.url

    def link(self) -> str:
        """A new one-time link to the page."""
        return f"{self.url}/#token={self.app.state.desk.sessions.link()}"

    def run(self) -> None:
        self._server.run(sockets=[self._listener])

    def stop(self) -> None:
        self._server.should_exit = True

    def when_up(self, act: Callable[[], None]) -> None:
        """Call ``act`` from a thread as soon as requests are answered; the socket listens already, so that is at once."""
        import threading

        threading.Thread(target=act, daemon=True).start()

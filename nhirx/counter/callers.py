"""Who asks: a person at the page (cookie and CSRF token) or another program (key). Every request but a link's first has one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security, WebSocket
from fastapi.security import APIKeyCookie, APIKeyHeader, HTTPAuthorizationCredentials, HTTPBearer
from starlette.requests import HTTPConnection

from nhirx.counter.desk import Desk
from nhirx.counter.sessions import Session, csrf_fits
from nhirx.errors import RequestRefused, SessionLocked, SessionNeeded

CSRF = "X-Nhirx-Csrf"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_cookie = APIKeyCookie(
    name="nhirx_session",
    scheme_name="session",
    auto_error=False,
    description="網頁的工作階段 The page's session (POST /session).",
)
_csrf = APIKeyHeader(
    name=CSRF, scheme_name="csrf", auto_error=False, description="網頁送出變更時必附 Needed with the cookie for every change."
)
_bearer = HTTPBearer(
    scheme_name="key", auto_error=False, description="其他程式使用的金鑰 A program's key, made by `nhirx counter key NAME`."
)


@dataclass(slots=True)
class Caller:
    """``by`` is the name in the audit trail. ``session`` is None for a program."""

    id: str
    by: str
    session: Session | None = None
    cookie: str | None = None
    locked: bool = False


def the_desk(connection: HTTPConnection) -> Desk:
    desk: Desk = connection.app.state.desk
    return desk


TheDesk = Annotated[Desk, Depends(the_desk)]


def of_program(desk: Desk, key: str) -> Caller:
    """Raises ``SessionNeeded`` for a key that is not known."""
    name = desk.keys.owner(key)
    if name is None:
        raise SessionNeeded(
            zh="這把金鑰不正確或已撤銷。請在這台電腦執行 nhirx counter key 名稱 產生一把，放在 Authorization: Bearer 之後。",
            en="This key is wrong or was revoked. Make one here by `nhirx counter key NAME`, and send it after Authorization: Bearer.",
        )
    return Caller(id=f"key:{name}", by=f"key:{name}")


def of_page(desk: Desk, cookie: str | None) -> Caller:
    """Raises ``SessionNeeded``."""
    session = desk.sessions.find(cookie)
    locked = desk.is_locked(session)
    return Caller(session.id, session.operator or "counter", session, cookie, locked)


def known(
    request: Request,
    desk: TheDesk,
    _shown: Annotated[str | None, Security(_cookie)] = None,
    csrf: Annotated[str | None, Security(_csrf)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None,
) -> Caller:
    """Anybody known, locked or not. Raises ``SessionNeeded`` and, for a change without the CSRF token, ``RequestRefused``."""
    if bearer is not None:
        return of_program(desk, bearer.credentials)
    cookie = request.cookies.get(desk.options.cookie)
    caller = of_page(desk, cookie)
    if request.method not in _SAFE and not csrf_fits(cookie or "", csrf):
        raise RequestRefused(problem="CSRF")
    return caller


def present(caller: Annotated[Caller, Depends(known)], request: Request, desk: TheDesk) -> Caller:
    """Somebody who is signed in. Raises ``SessionLocked``; a change counts as an act of the person and puts the lock off."""
    if caller.locked:
        raise SessionLocked
    if caller.session is not None and request.method not in _SAFE:
        desk.sessions.acted(caller.session)
    return caller


Known = Annotated[Caller, Depends(known)]
Present = Annotated[Caller, Depends(present)]


def of_socket(socket: WebSocket, desk: Desk) -> Caller:
    """The caller of a WebSocket: the cookie with ``?csrf=``, or a key in the header. Raises as ``known``."""
    words = socket.headers.get("authorization", "").split(maxsplit=1)
    if len(words) == 2 and words[0].lower() == "bearer":
        return of_program(desk, words[1])
    cookie = socket.cookies.get(desk.options.cookie)
    caller = of_page(desk, cookie)
    if not csrf_fits(cookie or "", socket.query_params.get("csrf")):
        raise RequestRefused(problem="CSRF")
    return caller

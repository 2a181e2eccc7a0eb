"""Coming in by a link, signing in with a PIN, locking, and the list of operators."""

from __future__ import annotations

from fastapi import APIRouter, Response

from nhirx.counter.callers import Caller, Known, TheDesk
from nhirx.counter.desk import Desk
from nhirx.counter.models import LinkToken, NewOperator, Operator, OperatorList, SessionAnswer, SignIn
from nhirx.counter.sessions import Session, csrf_of
from nhirx.errors import RequestRefused, SessionLocked, SessionNeeded

router = APIRouter(tags=["session"])


@router.post("/session", operation_id="postSession", summary="用一次性連結登入 Come in by a one-time link")
def open_session(body: LinkToken, response: Response, desk: TheDesk) -> SessionAnswer:
    """連結只能用一次。之後由 Cookie ``nhirx_session_連接埠`` 識別，重新啟動程式後仍有效。

    The link works once. The cookie ``nhirx_session_PORT`` then stands for the session and outlives a restart of the program.
    """
    cookie, session = desk.sessions.open(body.token)
    _hand_out(response, cookie, desk)
    desk.host.outbox.note("session", who="counter")
    return SessionAnswer(csrf=csrf_of(cookie), operator=session.operator, locked=desk.is_locked(session))


@router.get("/session", operation_id="getSession", summary="目前的工作階段 The session at hand")
def session(response: Response, desk: TheDesk, caller: Known) -> SessionAnswer:
    """重新載入頁面後以 Cookie 取回 CSRF 代碼。 Gives a reloaded page its CSRF token again."""
    found, cookie = _of_page(caller)
    _hand_out(response, cookie, desk)
    return SessionAnswer(csrf=csrf_of(cookie), operator=found.operator, locked=caller.locked)


@router.delete("/session", operation_id="deleteSession", status_code=204, summary="登出 End the session")
def end_session(response: Response, desk: TheDesk, caller: Known) -> None:
    found, _ = _of_page(caller)
    desk.sessions.end(found)
    response.delete_cookie(desk.options.cookie, path="/")


@router.post("/session/unlock", operation_id="postUnlock", summary="以 PIN 登入或解鎖 Sign in with a PIN")
def unlock(body: SignIn, desk: TheDesk, caller: Known) -> SessionAnswer:
    """之後的操作以這個名字記入稽核紀錄。PIN 連續輸錯 5 次後須等待。

    What follows stands under this name in the audit trail. After five wrong PINs a name has to wait.
    """
    found, cookie = _of_page(caller)
    operator = desk.operators.check(body.operator, body.pin)
    desk.sessions.unlock(found, operator)
    desk.host.outbox.note("sign-in", who=operator)
    desk.hub.tell({"type": "session", "session": found.id, "locked": False, "operator": operator})
    return SessionAnswer(csrf=csrf_of(cookie), operator=operator, locked=False)


@router.post("/session/lock", operation_id="postLock", summary="鎖定畫面 Lock the page")
def lock(desk: TheDesk, caller: Known) -> SessionAnswer:
    """沒有任何人員時無法鎖定（沒有人能解鎖）。 Without operators nothing is locked: nobody could unlock it."""
    found, cookie = _of_page(caller)
    if desk.operators.names():
        desk.sessions.lock(found)
        desk.hub.tell({"type": "session", "session": found.id, "locked": True, "operator": found.operator})
    return SessionAnswer(csrf=csrf_of(cookie), operator=found.operator, locked=desk.is_locked(found))


@router.get("/operators", operation_id="getOperators", summary="人員名單 The operators")
def operators(desk: TheDesk, caller: Known) -> OperatorList:  # noqa: ARG001 - somebody known has to ask
    return OperatorList(items=[Operator(name=name) for name in desk.operators.names()])


@router.post("/operators", operation_id="postOperator", status_code=201, summary="新增人員或更換 PIN Add an operator")
def add_operator(body: NewOperator, desk: TheDesk, caller: Known) -> Operator:
    """第一位人員不需登入；之後須由已登入的人員新增。人員只能更換自己的 PIN。

    The first one needs no sign-in; afterwards somebody who is signed in adds others. A PIN is changed by its owner only.
    """
    known = desk.operators.names()
    name = body.name.strip()
    if known and caller.locked:
        raise SessionLocked
    if name in known and caller.by != name:
        raise RequestRefused(problem=f"{name}：只能由本人更換 PIN / only its owner changes a PIN")
    desk.operators.add(name, body.pin)
    desk.host.outbox.note("operator", who=caller.by)
    return Operator(name=name)


def _hand_out(response: Response, cookie: str, desk: Desk) -> None:
    """The cookie, good for as long as the session is from now on."""
    response.set_cookie(
        desk.options.cookie,
        cookie,
        max_age=int(desk.options.session_life),
        httponly=True,
        samesite="strict",
        secure=desk.options.tls,
        path="/",
    )


def _of_page(caller: Caller) -> tuple[Session, str]:
    if caller.session is None or caller.cookie is None:
        raise SessionNeeded
    return caller.session, caller.cookie

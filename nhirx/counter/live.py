"""The three WebSockets: frames from the page, frames from a camera of this computer, and news.

Nobody sends ahead: a frame is answered before the next is taken, a picture is asked for before it is sent, and a page that is
behind with the news is let go. So no page can fill the memory, however slow or eager it is.
"""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from nhirx import __version__
from nhirx.counter.answers import error_json, log_defect
from nhirx.counter.callers import Caller, of_socket
from nhirx.counter.desk import Desk
from nhirx.counter.watching import Watching
from nhirx.errors import BodyTooLarge, CameraGone, NhirxError, RequestInvalid, SessionLocked, SessionNeeded

router = APIRouter()
_CLOSE = {"session-needed": 4401, "request-refused": 4403, "session-locked": 4423}
_TICK = 10.0  # seconds between two signs of life
_LOOK = 1.0  # seconds between two looks at the lock
_NEXT_LIMIT = 60.0  # seconds a page may leave the camera waiting
_MOST_DEVICE = 9


@router.websocket("/scans/live")
async def frames(socket: WebSocket) -> None:
    """The page sends one JPEG (or PNG) and gets one answer; ``{"type": "reset"}`` forgets the sheet."""
    desk: Desk = socket.app.state.desk
    caller = await _enter(socket, desk)
    if caller is None:
        return
    watching = Watching(desk.scanner.session(), desk.shelf.put)
    with ThreadPoolExecutor(1, "nhirx-frames") as thread:
        try:
            while True:
                message = await socket.receive()
                if message["type"] == "websocket.disconnect":
                    return
                if _is_locked(desk, caller):
                    await _refuse(socket, SessionLocked())
                    return
                answer = await _frame(desk, watching, message, thread)
                if answer is None:
                    continue
                if answer.get("taken") and caller.session is not None:
                    desk.sessions.acted(caller.session)
                await socket.send_text(json.dumps(answer, ensure_ascii=False))
        except (WebSocketDisconnect, RuntimeError):
            return


async def _frame(desk: Desk, watching: Watching, message: Any, thread: ThreadPoolExecutor) -> dict[str, Any] | None:
    data = message.get("bytes")
    if data is None:
        if _word(message.get("text")) == "reset":
            watching.reset()
            return None
        return _told(RequestInvalid(where="text", problem='{"type": "reset"}'))
    if len(data) > desk.options.most_frame:
        return _told(BodyTooLarge(limit=desk.options.most_frame))
    try:
        return await asyncio.get_running_loop().run_in_executor(thread, _looked, watching, data)
    except NhirxError as error:
        return _told(error)
    except Exception as error:
        log_defect(error)
        return _told(NhirxError(kind=type(error).__name__))


def _looked(watching: Watching, data: bytes) -> dict[str, Any]:
    from nhirx_scanner import images

    return watching.look(images.decode(data, "frame"), lambda: data)


@router.websocket("/scans/camera")
async def camera(socket: WebSocket) -> None:
    """A camera of this computer: a JPEG, then its answer; ``{"type": "next"}`` asks for the next pair."""
    desk: Desk = socket.app.state.desk
    caller = await _enter(socket, desk)
    if caller is None:
        return
    text = socket.query_params.get("device", "0")
    device = int(text) if text.isascii() and text.isdigit() and len(text) < 3 else -1
    if not 0 <= device <= _MOST_DEVICE:
        await _refuse(socket, RequestInvalid(where="device", problem=f"0–{_MOST_DEVICE}"))
        return
    from nhirx_scanner import Camera

    source = Camera(desk.options.camera if desk.options.camera is not None and device == 0 else device)
    watching = Watching(desk.scanner.session(), desk.shelf.put)
    loop = asyncio.get_running_loop()
    with ThreadPoolExecutor(1, "nhirx-camera") as thread:
        try:
            while True:
                if _is_locked(desk, caller):
                    raise SessionLocked
                seen = await loop.run_in_executor(thread, _from_camera, source, watching)
                if seen is None:
                    raise CameraGone(device=device)
                picture, answer = seen
                await socket.send_bytes(picture)
                await socket.send_text(json.dumps(answer, ensure_ascii=False))
                if answer["taken"] and caller.session is not None:
                    desk.sessions.acted(caller.session)
                while (word := await asyncio.wait_for(_asked(socket), _NEXT_LIMIT)) != "next":
                    if word == "reset":
                        watching.reset()
        except NhirxError as error:
            await _refuse(socket, error)
        except (WebSocketDisconnect, RuntimeError, TimeoutError):
            return
        finally:
            await loop.run_in_executor(thread, source.close)


def _from_camera(source: Any, watching: Watching) -> tuple[bytes, dict[str, Any]] | None:
    from nhirx_scanner.camera import jpeg

    frame = source.read()
    if frame is None:
        return None
    picture = jpeg(frame)
    return picture, watching.look(frame, lambda: picture)


@router.websocket("/events")
async def events(socket: WebSocket) -> None:
    """``hello`` at once, then news as it happens and a ``tick`` every ten seconds. While locked only ``session`` and ``tick``."""
    desk: Desk = socket.app.state.desk
    caller = await _enter(socket, desk, locked=True)
    if caller is None:
        return
    with desk.hub.listen() as line:
        gone = asyncio.create_task(_until_gone(socket))
        try:
            # Before the first word: what locks from then on is news.
            locked = _is_locked(desk, caller)
            await _send(socket, {"type": "hello", "version": __version__, "started": desk.started})
            await _tell(socket, desk, caller, line, gone, locked)
        except (WebSocketDisconnect, RuntimeError):
            return
        finally:
            gone.cancel()


async def _tell(
    socket: WebSocket, desk: Desk, caller: Caller, line: asyncio.Queue[Any], gone: asyncio.Task[None], locked: bool
) -> None:
    quiet = 0.0
    while not gone.done():
        waiting = asyncio.create_task(line.get())
        await asyncio.wait({waiting, gone}, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            waiting.cancel()
            return
        if (now := _is_locked(desk, caller)) != locked:
            locked = now
            operator = caller.session.operator if caller.session else None
            await _send(socket, {"type": "session", "locked": locked, "operator": operator})
        if not waiting.done():
            waiting.cancel()
            quiet += _LOOK
            if quiet >= _TICK:
                quiet = 0.0
                await _send(socket, {"type": "tick"})
            continue
        event = waiting.result()
        if event is None:
            await socket.close(1013)
            return
        if not locked and event["type"] != "session":
            await _send(socket, event)


async def _until_gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


# ── coming in and being sent away ────────────────────────────────────────────────────────────────────────────────────


async def _enter(socket: WebSocket, desk: Desk, *, locked: bool = False) -> Caller | None:
    """The caller, or None when it was sent away with the reason. ``locked``: whether a locked page may come in."""
    await socket.accept()
    try:
        caller = of_socket(socket, desk)
        if caller.locked and not locked:
            raise SessionLocked
    except NhirxError as error:
        await _refuse(socket, error)
        return None
    return caller


async def _refuse(socket: WebSocket, error: NhirxError) -> None:
    try:
        await _send(socket, _told(error))
        await socket.close(_CLOSE.get(error.code, 1011))
    except (WebSocketDisconnect, RuntimeError):
        return


async def _send(socket: WebSocket, event: dict[str, Any]) -> None:
    await socket.send_text(json.dumps(event, ensure_ascii=False))


async def _asked(socket: WebSocket) -> str | None:
    message = await socket.receive()
    if message["type"] == "websocket.disconnect":
        raise WebSocketDisconnect
    return _word(message.get("text"))


def _word(text: str | None) -> str | None:
    try:
        tree = json.loads(text or "")
    except (ValueError, RecursionError):
        return None
    return tree.get("type") if isinstance(tree, dict) and isinstance(tree.get("type"), str) else None


def _told(error: NhirxError) -> dict[str, Any]:
    return {"type": "error", **error_json(error)}


def _is_locked(desk: Desk, caller: Caller) -> bool:
    if caller.session is None:
        return False
    try:
        desk.sessions.find(caller.cookie)
    except SessionNeeded:
        return True
    return desk.is_locked(caller.session)

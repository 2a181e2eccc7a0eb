"""``create_app``: the page, the API and the WebSockets as one ASGI application."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.routing import Route

from nhirx import __version__
from nhirx.counter import (
    answers,
    api_card,
    api_demo,
    api_dispensings,
    api_plan,
    api_print,
    api_records,
    api_review,
    api_scans,
    api_session,
    api_state,
    live,
)
from nhirx.counter.desk import Desk
from nhirx.counter.guard import Guard
from nhirx.counter.models import EXAMPLE_PRESCRIPTION, ErrorAnswer
from nhirx.counter.options import Options
from nhirx.counter.pages import Pages
from nhirx.host import Host

PREFIX = "/api/v1"
_DESCRIPTION = """調劑台的本機 API：網頁本身只使用這些。身分識別有兩種：網頁以一次性連結取得 Cookie 與 CSRF 代碼，其他程式以
`nhirx counter key NAME` 產生的金鑰（`Authorization: Bearer …`）。所有錯誤同一格式：`{"error": {"code", "zh", "en", "detail"}}`。

The counter's local API; the page itself uses nothing else. A page comes in by a one-time link and gets a cookie and a CSRF token, a program has
a key (`Authorization: Bearer …`) made by `nhirx counter key NAME`. Every failure has one shape. WebSockets, which OpenAPI cannot describe, stand in
`docs/howto/local-api.md`."""
_TAGS = [
    {"name": "state", "description": "狀態與背景上傳 State and background upload"},
    {"name": "session", "description": "登入、鎖定、人員 Sessions, lock, operators"},
    {"name": "scan", "description": "掃描與輸入 Scanning and typing"},
    {"name": "card", "description": "健保卡 The card"},
    {"name": "plan", "description": "試算 The plan"},
    {"name": "dispensing", "description": "調劑 Dispensing"},
    {"name": "record", "description": "上傳資料 Records"},
    {"name": "print", "description": "列印 Printing"},
    {"name": "review", "description": "批次的人工查看 The review list of a batch"},
]
_FAILURES: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorAnswer, "description": "不是 HTTP 要求可接受的內容 Not understood"},
    401: {"model": ErrorAnswer, "description": "`session-needed`"},
    403: {"model": ErrorAnswer, "description": "`request-refused`（Host、Origin、CSRF）, `pin-wrong`"},
    404: {"model": ErrorAnswer, "description": "`not-found`, `scan-gone`"},
    405: {"model": ErrorAnswer, "description": "`method-not-allowed`"},
    409: {"model": ErrorAnswer, "description": "目前不能執行，例如 Not possible now, such as `wrong-card`, `plan-blocked`, `transition-refused`"},
    413: {"model": ErrorAnswer, "description": "`body-too-large`"},
    422: {"model": ErrorAnswer, "description": "`request-invalid`, `invalid-value`, `facts-invalid`"},
    423: {"model": ErrorAnswer, "description": "`session-locked`"},
    "5XX": {"model": ErrorAnswer, "description": "外部服務、磁碟或外掛的問題 A service, the disk or a plugin failed"},
}  # fmt: skip


def create_app(host: Host, options: Options) -> FastAPI:
    """The application for ``host``. ``app.state.desk`` is its desk; the caller closes ``host`` afterwards."""
    desk = Desk(host, options)

    @asynccontextmanager
    async def life(_: FastAPI) -> AsyncIterator[None]:
        desk.start()
        try:
            yield
        finally:
            desk.hub.end()
            desk.stop()

    app = FastAPI(
        title="nhirx counter",
        version=__version__,
        description=_DESCRIPTION,
        openapi_tags=_TAGS,
        docs_url=None,
        redoc_url=None,
        lifespan=life,
        redirect_slashes=False,
        separate_input_output_schemas=True,
    )
    app.state.desk = desk
    answers.install(app)
    app.include_router(_routes())
    app.include_router(live.router, prefix=PREFIX)
    pages = Pages()
    app.router.routes.append(Route("/", pages, include_in_schema=False))
    app.mount("/static", pages)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    app.add_middleware(Guard, options=options)
    return app


def _routes(failures: dict[int | str, dict[str, Any]] | None = None) -> APIRouter:
    """Every route of the API. ``failures`` are for the description alone: a model for each of them at each route takes time to make."""
    api = APIRouter(prefix=PREFIX, responses=failures)
    for module in (
        api_state,
        api_session,
        api_scans,
        api_card,
        api_plan,
        api_dispensings,
        api_records,
        api_print,
        api_review,
        api_demo,
    ):
        api.include_router(module.router)
    return api


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        described = FastAPI()
        described.include_router(_routes(_FAILURES))
        tree = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=described.routes, tags=app.openapi_tags
        )
        # Answers of the demo's story, shortened; a test compares their members with real ones.
        examples = json.loads(resources.files("nhirx.counter").joinpath("examples.json").read_text("utf-8"))
        # A program needs its key; the page needs cookie and CSRF token together.
        both: list[dict[str, list[str]]] = [{"key": []}, {"session": [], "csrf": []}]
        reading: list[dict[str, list[str]]] = [{"key": []}, {"session": []}]
        for path in tree["paths"].values():
            for method, operation in path.items():
                if operation.get("security"):
                    operation["security"] = reading if method == "get" else both
                if (example := examples.get(operation["operationId"])) is not None:
                    done = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
                    done["content"]["application/json"]["example"] = example
        tree["components"]["schemas"]["Prescription"]["example"] = EXAMPLE_PRESCRIPTION
        tree["components"]["securitySchemes"]["session"]["name"] = app.state.desk.options.cookie
        for name in ("HTTPValidationError", "ValidationError"):
            tree["components"]["schemas"].pop(name, None)
        app.openapi_schema = tree
    return app.openapi_schema

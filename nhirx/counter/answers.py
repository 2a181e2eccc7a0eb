"""Every failure as one shape: ``{"error": {"code", "zh", "en", "detail"}}`` with the HTTP status that fits."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from nhirx import errors
from nhirx.errors import MethodRefused, NhirxError, RequestInvalid, ThingMissing
from nhirx.logs import mask

_log = logging.getLogger(__name__)

# The first class of an error's ancestry that stands here decides.
_STATUS: dict[type[NhirxError], int] = {
    errors.RequestRefused: 403,
    errors.RequestInvalid: 422,
    errors.BodyTooLarge: 413,
    errors.ThingMissing: 404,
    errors.ScanGone: 404,
    errors.MethodRefused: 405,
    errors.SessionNeeded: 401,
    errors.SessionLocked: 423,
    errors.PinWrong: 403,
    errors.CounterError: 409,
    errors.SettingMissing: 409,
    errors.SettingInvalid: 409,
    errors.ComponentMissing: 503,
    errors.FileTooLarge: 413,
    errors.InputError: 422,
    errors.PinRequired: 409,
    errors.ControlSoftwareDown: 503,
    errors.CardError: 409,
    errors.TransportError: 503,
    errors.UploadError: 503,
    errors.DiskFull: 507,
    errors.TransitionRefused: 409,
    errors.StoreError: 503,
    errors.PluginError: 502,
    errors.NhirxError: 409,
}


def status_of(error: NhirxError) -> int:
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)


def error_json(error: NhirxError) -> dict[str, Any]:
    """The error object, masked once more on its way out: a message never holds a person, and if one does it stays here."""
    told = error.as_json()
    inside = told["error"]
    return {"error": {"code": inside["code"], "zh": mask(inside["zh"]), "en": mask(inside["en"]), "detail": inside["detail"]}}


def answer(error: NhirxError) -> JSONResponse:
    headers = {"Retry-After": str(error.detail["seconds"])} if isinstance(error, errors.PinWrong) else None
    return JSONResponse(error_json(error), status_of(error), headers)


def install(app: FastAPI) -> None:
    """Make ``app`` answer in this shape whatever happens."""

    @app.exception_handler(NhirxError)
    async def _named(_: Request, error: NhirxError) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        # What was sent may name a person, so only the place and the kind of the fault are told.
        where = ".".join(str(part) for part in first["loc"]) or "body"
        return answer(RequestInvalid(where=where, problem=str(first["msg"])[:200], count=len(error.errors())))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code == 404:
            return answer(ThingMissing(what="這個位址 / such address"))
        if error.status_code == 405:
            refused = answer(MethodRefused(method=request.method))
            refused.headers.update(error.headers or {})
            return refused
        if error.status_code == 400:
            return answer(RequestInvalid(where="body", problem="不是 JSON / no JSON"))
        return JSONResponse(error_json(NhirxError(status=error.status_code)), error.status_code)

    @app.exception_handler(Exception)
    async def _defect(_: Request, error: Exception) -> JSONResponse:
        log_defect(error)
        return JSONResponse(error_json(NhirxError(kind=type(error).__name__)), 500)


def log_defect(error: BaseException) -> None:
    """A defect of ours. Its words may hold anything, so only its kind and place are logged."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    _log.error("%s in %s, line %s", type(error).__name__, Path(last.filename).name, last.lineno)

"""The service as one ASGI app: pages, calls, static files; refusals become sentences."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from collect.errors import CollectError, StorageError
from collect.publishing.jobs import Schedule
from collect.settings import Settings
from collect.web import admin, listening, me, pages, speaking
from collect.web.answers import refusal
from collect.web.guard import Guard
from collect.web.services import Services, texts_of
from store.errors import StoreError

_STATIC = Path(__file__).resolve().parents[1] / "static"
_log = logging.getLogger(__name__)


class _Static(StaticFiles):
    """Files of the pages: kept by browsers for five minutes, then asked for by their tag."""

    async def get_response(self, path: str, scope: MutableMapping[str, Any]) -> Response:
        answer = await super().get_response(path, scope)
        answer.headers["cache-control"] = "public, max-age=300"
        return answer


def create_app(settings: Settings) -> FastAPI:
    """The app; opens the database at once, so that a fault is told before the port is."""
    services = Services.open(settings)
    services.tidy()
    schedule = Schedule(settings, services.database)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        schedule.start()
        services.studio.doubter.start()
        yield
        schedule.stop()
        services.close()

    app = FastAPI(title="speechmill collect", version="1", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.services = services
    app.mount("/static", _Static(directory=_STATIC), name="static")
    for part in (speaking, listening, pages, me, admin):
        app.include_router(part.router)
    app.add_middleware(Guard, services=services)
    _explain(app)

    @app.get("/health", tags=["health"])
    def health() -> dict[str, str]:
        """Whether the service answers."""
        return {"state": "ok"}

    return app


def _explain(app: FastAPI) -> None:
    @app.exception_handler(CollectError)
    async def _refused(request: Request, error: CollectError) -> Response:
        return refusal(request.scope, error)

    @app.exception_handler(StoreError)
    async def _disk(request: Request, error: StoreError) -> Response:
        return refusal(request.scope, StorageError("nothing can be stored now: {cause}", cause=error))

    @app.exception_handler(RequestValidationError)
    async def _malformed(request: Request, error: RequestValidationError) -> Response:
        told = "; ".join(f"{'.'.join(map(str, one['loc'][1:]))}: {one['msg']}" for one in error.errors()[:5])
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": told}, 422)
        return refusal(request.scope, _Malformed(told))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> Response:
        missing = error.status_code == 404 and not request.url.path.startswith("/api/")
        made = _Http(texts_of(request)("message_nothing") if missing else str(error.detail))
        made.status = error.status_code
        answer = refusal(request.scope, made)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(Exception)
    async def _fault(request: Request, error: Exception) -> Response:
        _log.exception("a fault of ours at %s %s", request.method, request.url.path, exc_info=error)
        made = _Http("something went wrong here, and it was written down; try again")
        made.status = 500
        return refusal(request.scope, made)


class _Malformed(CollectError):
    status = 422


class _Http(CollectError):
    """An answer of the framework as one of ours; `status` is set on the instance."""

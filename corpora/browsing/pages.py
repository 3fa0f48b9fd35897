"""The pages of the browser as an application that another server mounts behind its own login.

The page itself is the same for every store: whatever a corpus says comes as JSON and is put in as text by the page's
script, never as markup. Nothing but the application's own script runs. Who may decide is the server's business
(`Visitor`); a decision must come from the page itself.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from corpora.browsing.columns import COLUMNS
from corpora.browsing.library import Building, Library, as_csv
from corpora.browsing.sound import part_of
from corpora.curation.curate import Wish
from native.errors import SpeechmillError
from store.errors import NotPublishedError
from store.pages.around import ALONE, Around

_CSP = (
    "default-src 'none'; style-src 'self'; script-src 'self'; media-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
_KEPT = {**HEADERS, "Cache-Control": "private, max-age=86400"}  # a version's sound never changes
_OWN = "x-speechmill"  # a header that no form and no foreign page can send
_MOST_BYTES = 100_000
_FILES = {"page.js": "text/javascript", "picture.js": "text/javascript", "page.css": "text/css"}


@dataclass(frozen=True)
class Visitor:
    """Who looks: the name that decisions are kept under, and whether they may decide."""

    name: str
    may_decide: bool


def make_app(
    visitor: Callable[..., Any], dependencies: Sequence[Any] = (), around: Around = ALONE
) -> FastAPI:
    """The application: `/` is the page, `/api/…` what it asks for.

    Args:
        visitor: a dependency of FastAPI that answers a `Visitor`, or refuses.
        dependencies: more that every route asks for.
        around: what the page stands in.
    """
    app = FastAPI(
        docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(visitor), *dependencies]
    )
    library = Library()
    _say_what_is_wrong(app)
    _add_files(app, around)
    _add_reading(app, library)
    _add_deciding(app, library, visitor)
    return app


def _answer(value: Any, status: int = 200) -> JSONResponse:
    return JSONResponse(value, status, headers=HEADERS)


def _say_what_is_wrong(app: FastAPI) -> None:
    @app.exception_handler(SpeechmillError)
    def told(request: Request, error: SpeechmillError) -> Response:
        status = 404 if isinstance(error, NotPublishedError) else 400 if error.exit_status == 2 else 500
        return _answer({"problem": str(error)}, status)

    @app.exception_handler(Building)
    def wait(request: Request, error: Building) -> Response:
        return _answer({"building": True}, 202)


def _add_files(app: FastAPI, around: Around) -> None:
    folder = resources.files("corpora.browsing")
    page = around.put_round((folder / "page.html").read_text("utf-8"))
    texts = {name: (folder / name).read_text("utf-8") for name in _FILES}

    @app.get("/")
    def show() -> Response:
        return HTMLResponse(page, headers=HEADERS)

    @app.get("/files/{name}")
    def file(name: str) -> Response:
        if name not in texts:
            return _answer({"problem": "no such file"}, 404)
        return Response(texts[name], media_type=_FILES[name], headers=HEADERS)


def _add_reading(app: FastAPI, library: Library) -> None:
    @app.get("/api/corpora")
    def corpora() -> Response:
        says = [
            {"name": column.name, "says": column.says, "number": column.is_number, "shown": column.shown}
            for column in COLUMNS
        ]
        return _answer({"corpora": library.corpora(), "columns": says})

    @app.get("/api/{name}/{version}/rows")
    def rows(name: str, version: str, request: Request) -> Response:
        index, search = library.search(name, version, request.query_params.multi_items())
        return _answer({"rows": index.rows(search), "offset": search.offset, "limit": search.limit})

    @app.get("/api/{name}/{version}/count")
    def count(name: str, version: str, request: Request) -> Response:
        index, search = library.search(name, version, request.query_params.multi_items())
        return _answer({"count": index.count(search)})

    @app.get("/api/{name}/{version}/values")
    def values(name: str, version: str, kind: str, begins: str = "") -> Response:
        return _answer({"values": library.index(name, version)[1].values(kind, begins, 200)})

    @app.get("/api/{name}/{version}/table.csv")
    def table(name: str, version: str, request: Request) -> Response:
        index, search = library.search(name, version, request.query_params.multi_items())
        said = {**HEADERS, "Content-Disposition": f'attachment; filename="{name}-{version}.csv"'}
        return StreamingResponse(as_csv(index, search), media_type="text/csv; charset=utf-8", headers=said)

    @app.get("/api/{name}/{version}/row/{number}")
    def row(name: str, version: str, number: int) -> Response:
        return _answer(library.row(name, version, number))

    @app.get("/api/{name}/{version}/sound/{number}")
    def sound(name: str, version: str, number: int, request: Request) -> Response:
        return _part(library.sound(name, version, number), request.headers.get("range"))


def _part(data: bytes, asked: str | None) -> Response:
    """A sound, or the part of it that a player asks for."""
    size, said = len(data), {**_KEPT, "Accept-Ranges": "bytes"}
    try:
        part = part_of(size, asked)
    except ValueError:
        return Response(status_code=416, headers={**said, "Content-Range": f"bytes */{size}"})
    if part is None:
        return Response(data, media_type="audio/flac", headers=said)
    first, stop = part
    said["Content-Range"] = f"bytes {first}-{stop - 1}/{size}"
    return Response(data[first:stop], 206, media_type="audio/flac", headers=said)


def _add_deciding(app: FastAPI, library: Library, visitor: Callable[..., Any]) -> None:
    here: Any = Depends(visitor)

    @app.get("/api/visitor")
    def who(guest: Visitor = here) -> Response:
        return _answer({"name": guest.name, "may_decide": guest.may_decide})

    @app.post("/api/{name}/{version}/row/{number}/decide")
    async def decide(
        name: str, version: str, number: int, request: Request, guest: Visitor = here
    ) -> Response:
        if not guest.may_decide:
            return _answer({"problem": "your role may look, not decide"}, 403)
        foreign = request.headers.get("sec-fetch-site", "same-origin") != "same-origin"
        typed = request.headers.get("content-type", "").partition(";")[0] == "application/json"
        if foreign or not typed or request.headers.get(_OWN) != "page":
            return _answer({"problem": "only the page itself may decide"}, 403)
        wish = await _wish(request, guest)
        if wish is None:
            return _answer({"problem": "wanted: JSON with action, and why, text or undoes as text"}, 400)
        return _answer(await run_in_threadpool(library.decide, name, version, number, wish))


async def _wish(request: Request, guest: Visitor) -> Wish | None:
    """What the body asks for, under the visitor's own name; None where it is no such thing."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            return None
    try:
        said = json.loads(body)
        values = {key: said.get(key) for key in ("action", "why", "text", "undoes")}
    except (ValueError, AttributeError, RecursionError):
        return None
    if not all(value is None or isinstance(value, str) for value in values.values()):
        return None
    action, text = values["action"] or "", values["text"] or None
    return Wish(action, "", guest.name, values["why"] or "", text, values["undoes"] or None)

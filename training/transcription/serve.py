"""A page to try a model: drop a file or speak, read the text, click a word to hear it.

Serves on 127.0.0.1 only; the address that is printed carries a token, which becomes a cookie. What is sent is heard
from a temporary file and kept nowhere. `make_app` is the application; another server may mount it behind its own
login.
"""

from __future__ import annotations

import secrets
import socket
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from native.errors import SpeechmillError
from store.opening import open_store
from store.pages.around import ALONE, Around
from training.release.errors import ModelNotFoundError
from training.release.registry import Registry
from training.runtime.package import Package
from training.runtime.recognizer import Recognizer, RecognizerOptions
from training.transcription.transcribe import jobs_of, transcribe

_COOKIE = "speechmill_token"
_MOST_BYTES = 2 << 30
_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; media-src blob:; connect-src 'self'; "
    "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)


def serve(recognizer: Recognizer, port: int = 0) -> int | None:
    """Run the page until it is interrupted; prints where it is."""
    import uvicorn

    token = secrets.token_urlsafe(24)
    with socket.socket() as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(("127.0.0.1", port))
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/?token={token}"
        sys.stdout.write(f"{address}\n")
        sys.stdout.flush()
        config = uvicorn.Config(make_app(lambda: recognizer, token), log_level="warning", server_header=False)
        uvicorn.Server(config).run(sockets=[listening])
    return None


def make_app(
    find: Callable[[], Recognizer],
    token: str | None,
    dependencies: Sequence[Any] = (),
    around: Around = ALONE,
) -> FastAPI:
    """The application: `/` the page, `/hear` takes a sound and answers the transcript as JSON.

    Args:
        find: the recognizer to use; asked at every request, so that it may be loaded late and changed.
        token: what a visitor must bring, in the address once and in a cookie after; None where `dependencies` (FastAPI's)
            ask for a login.
        around: what the page stands in, and what it shows instead where no model is released.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, dependencies=[*dependencies])
    folder = resources.files("training.transcription")
    page = around.put_round((folder / "page.html").read_text("utf-8"))
    script = (folder / "page.js").read_text("utf-8")

    def refused(request: Request) -> Response | None:
        given = request.cookies.get(_COOKIE, "")
        if token is None or secrets.compare_digest(given.encode(), token.encode()):
            return None
        return JSONResponse({"problem": "open the address that was printed: it carries the token"}, 403)

    @app.get("/")
    def show(request: Request) -> Response:
        given = request.query_params.get("token", "")
        if token is not None and secrets.compare_digest(given.encode(), token.encode()):
            answer = RedirectResponse(request.url.path, 303)
            answer.set_cookie(_COOKIE, token, httponly=True, samesite="strict")
            return answer
        if refusal := refused(request):
            return refusal
        try:
            named = page.replace("{{ model }}", escape(find().package.id))
        except SpeechmillError as error:
            known = around.instead if isinstance(error, ModelNotFoundError) else None
            return _problem_page(page, known() if known else f"<p>{escape(str(error))}</p>")
        return HTMLResponse(named, headers={"Content-Security-Policy": _CSP})

    @app.get("/page.js")
    def code(request: Request) -> Response:
        return refused(request) or Response(script, media_type="text/javascript")

    _add_hearing(app, find, refused)
    return app


def _add_hearing(
    app: FastAPI, find: Callable[[], Recognizer], refused: Callable[[Request], Response | None]
) -> None:
    @app.post("/hear")
    async def hear(request: Request) -> Response:
        from starlette.concurrency import run_in_threadpool

        if refusal := refused(request):
            return refusal
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return JSONResponse({"problem": "only the page itself may send sound"}, 403)
        with tempfile.NamedTemporaryFile(prefix="speechmill-") as file:
            size = 0
            async for piece in request.stream():
                size += len(piece)
                if size > _MOST_BYTES:
                    return JSONResponse(
                        {"problem": f"more than {_MOST_BYTES >> 30} GiB: use the command"}, 413
                    )
                file.write(piece)
            file.flush()
            return JSONResponse(await run_in_threadpool(_answer, Path(file.name), find))


def _problem_page(page: str, problem: str) -> Response:
    """The page with other markup in the place of everything that would use a model."""
    above, title, _ = page.partition("<h1>Try the recognizer</h1>")
    text = f"{above}{title}{problem}</main></body></html>"
    return HTMLResponse(text, 503, headers={"Content-Security-Policy": _CSP})


def _answer(path: Path, find: Callable[[], Recognizer]) -> dict[str, Any]:
    """The transcript as JSON, without the temporary file's name."""
    (job,) = jobs_of([path])
    try:
        answer = transcribe(job, find()).as_json()
    except SpeechmillError as error:
        return {"file": "", "duration_s": 0.0, "model": "", "segments": [], "problem": str(error)}
    answer["file"] = ""
    if "problem" in answer:
        answer["problem"] = answer["problem"].replace(f"{path}: ", "").replace(path.name, "the sound")
    return answer


class Released:
    """The recognizer of the model in force, loaded when it is asked for and again when another was released."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: Recognizer | None = None

    def __call__(self) -> Recognizer:
        """Open it, or what is open already.

        Raises:
            ModelNotFoundError: no model is released.
        """
        model = Registry(open_store()).model()
        with self._lock:
            if self._loaded is None or self._loaded.package.id != model.id:
                package = Package.open(model.path.resolve())
                weights = replace(package.weights, mode="default")
                self._loaded = Recognizer.load(package, RecognizerOptions(weights=weights))
            return self._loaded

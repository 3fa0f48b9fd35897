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
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from training.runtime.recognizer import Recognizer
from training.transcription.transcribe import jobs_of, transcribe

_COOKIE = "speechmill_token"
_MOST_BYTES = 2 << 30
_CSP = "default-src 'none'; style-src 'unsafe-inline'; script-src 'self'; media-src blob:; connect-src 'self'"


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
        config = uvicorn.Config(make_app(recognizer, token), log_level="warning", server_header=False)
        uvicorn.Server(config).run(sockets=[listening])
    return None


def make_app(recognizer: Recognizer, token: str | None) -> FastAPI:
    """The application: `/` the page, `/hear` takes a sound and answers the transcript as JSON.

    Args:
        token: what a visitor must bring, in the address once and in a cookie after; None where the server that mounts
            this asks for a login itself.
    """
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    folder = resources.files("training.transcription")
    page = (folder / "page.html").read_text("utf-8").replace("{{ model }}", escape(recognizer.package.id))
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
        return refused(request) or HTMLResponse(page, headers={"Content-Security-Policy": _CSP})

    @app.get("/page.js")
    def code(request: Request) -> Response:
        return refused(request) or Response(script, media_type="text/javascript")

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
            return JSONResponse(await run_in_threadpool(_answer, Path(file.name), recognizer))

    return app


def _answer(path: Path, recognizer: Recognizer) -> dict[str, Any]:
    """The transcript as JSON, without the temporary file's name."""
    (job,) = jobs_of([path])
    answer = transcribe(job, recognizer).as_json()
    answer["file"] = ""
    if "problem" in answer:
        answer["problem"] = answer["problem"].replace(f"{path}: ", "").replace(path.name, "the sound")
    return answer

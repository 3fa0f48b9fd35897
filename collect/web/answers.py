"""Pages from templates, and refusals as a page or as JSON, whichever was asked for."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import Scope

from collect.errors import CollectError, TooManyError
from collect.people.voices import AGES, GENDERS
from collect.web.services import Guest, services_of, texts_of


def page(
    request: Request, template: str, guest: Guest | None = None, status: int = 200, **values: Any
) -> Response:
    """A page in the visitor's language."""
    services = services_of(request)
    texts = guest.texts if guest else texts_of(request)
    shown = {
        "t": texts,
        "languages": [(one.language, one.name) for one in services.texts.values()],
        "csrf": services.csrf(request.state.visitor),
        "campaign": guest.campaign if guest else None,
        "voice": guest.voice if guest else None,
        "here": request.url.path,
        "ages": AGES,
        "genders": GENDERS,
        **values,
    }
    return HTMLResponse(services.templates.get_template(template).render(shown), status)


def refusal(scope: Scope, error: CollectError) -> Response:
    """A sentence in the visitor's language with its status: JSON for calls, a page for people."""
    request = Request(scope)
    sentence = texts_of(request).refusal(error)
    headers = {"retry-after": str(error.retry_after_s)} if isinstance(error, TooManyError) else {}
    if request.url.path.startswith("/api/"):
        return JSONResponse({"error": sentence}, error.status, headers)
    answer = page(request, "message.html", None, error.status, sentence=sentence)
    answer.headers.update(headers)
    return answer


def see(path: str) -> RedirectResponse:
    """After a form: look there."""
    return RedirectResponse(path, 303)

"""How a page of ours is made and sent: templates of this folder, everything escaped, no script but our own file.

And who may press a button on it: whoever may start the DAG it stands for, by a form of these very pages.
"""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlsplit

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from store.pages.around import Around
from store.pages.charts import script_sources

User = Annotated[Any, Depends(get_user)]
TEMPLATES = Path(__file__).resolve().parent / "templates"
# Of scripts shell.js alone; sound and pictures from inside the page, or from ours.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src data: 'self'; "
    "media-src data: blob: 'self'; font-src data:; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'self'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
# Of a report's scripts those that draw its charts, known by their hashes; it sends nothing and leads nowhere.
REPORT_POLICY = POLICY.replace("script-src 'self'", f"script-src {script_sources()}").replace(
    "form-action 'self'", "form-action 'none'"
)
REPORT_HEADERS = PAGE_HEADERS | {
    "Content-Security-Policy": f"{REPORT_POLICY}; sandbox allow-same-origin allow-scripts"
}


class Late:
    """An application that is made when somebody first asks it something.

    What it imports (pandas, Arrow, numpy) takes 80 MiB, which an Airflow whose pages nobody opens does not hold.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make, self._app, self._lock = make, None, threading.Lock()

    def made(self) -> Any:
        """The application."""
        with self._lock:
            if self._app is None:
                self._app = self._make()
            return self._app

    @property
    def routes(self) -> Any:
        """Its routes, for whoever lists them."""
        return self.made().routes

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        app = await run_in_threadpool(self.made)
        await app(scope, receive, send)


def page(template: str, here: str = "", status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template; `here` is the entry of the navigation that is shown."""
    return HTMLResponse(piece(template, here=here, **values), status, headers=PAGE_HEADERS)


def around(here: str, instead: Callable[[], str] | None = None) -> Around:
    """What our pages share, for one of another room that is mounted here."""
    links = piece("navigation.html", here=here)
    navigation = f'<nav class="bar" aria-label="Speech"><ul>{links}</ul></nav>'
    return Around('<script src="/speech/shell.js"></script>', navigation, instead)


def piece(template: str, **values: Any) -> str:
    """A part of a page."""
    from store.pages.environment import page_environment

    return page_environment(TEMPLATES).get_template(template).render(**values)


async def ask_for_login(request: Request, go_on: Callable[[Request], Awaitable[Response]]) -> Response:
    """Send a person who follows a link without a login to the form, and from there on; a program gets its 401."""
    answer = await go_on(request)
    looks = request.method == "GET" and "text/html" in request.headers.get("accept", "")
    if answer.status_code != 401 or not looks:
        return answer
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/api/v2/auth/login?next={quote(wanted, safe='')}", 307)


def may_start(user: Any, dag_id: str) -> bool:
    """Whether a user may start a DAG, and so do what stands for it on our pages."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails

    return bool(
        get_auth_manager().is_authorized_dag(
            method="POST", access_entity=DagAccessEntity.RUN, details=DagDetails(id=dag_id), user=user
        )
    )


def require_own_form(request: Request) -> None:
    """Refuse a request that another page sent.

    Raises:
        HTTPException: 403 where the browser names another origin, or none.
    """
    origin = request.headers.get("origin", "")
    if not origin or urlsplit(origin).netloc != request.headers.get("host", ""):
        raise HTTPException(403, "this is done by the forms of the Speech pages only")

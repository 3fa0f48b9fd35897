"""How a page of ours is made and sent: templates of this folder, everything escaped, no script but our own file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fastapi.responses import HTMLResponse

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
NO_SCRIPT = POLICY.replace("script-src 'self'; ", "").replace("form-action 'self'", "form-action 'none'")
REPORT_HEADERS = PAGE_HEADERS | {"Content-Security-Policy": f"{NO_SCRIPT}; sandbox allow-same-origin"}


def page(template: str, here: str = "", status: int = 200, **values: Any) -> HTMLResponse:
    """Render a template; `here` is the entry of the navigation that is shown."""
    from store.pages.environment import page_environment

    text = page_environment(TEMPLATES).get_template(template).render(here=here, **values)
    return HTMLResponse(text, status, headers=PAGE_HEADERS)

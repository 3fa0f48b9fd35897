"""*Speech → Lineage*: what a figure, a model, a corpus or an utterance was made of, and what was made with it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse
from page_frame import PAGE_HEADERS, page

from corpora.lineage.trace import trace
from native.errors import SpeechmillError
from store.opening import open_store

router = APIRouter()


@router.get("/lineage")
def lineage_page(of: str = "") -> HTMLResponse:
    """A field for a name, and its trees."""
    found, problem = None, ""
    if of.strip():
        try:
            found = trace(open_store(), of.strip())
        except SpeechmillError as error:
            problem = str(error)
    return page("lineage.html", "Lineage", of=of, answer=found, problem=problem)


@router.get("/lineage.json")
def lineage_json(of: str) -> JSONResponse:
    """The same as JSON."""
    try:
        return JSONResponse(trace(open_store(), of.strip()), headers=PAGE_HEADERS)
    except SpeechmillError as error:
        return JSONResponse({"problem": str(error)}, 404, headers=PAGE_HEADERS)

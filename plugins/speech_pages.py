"""The *Speech* pages inside the Airflow UI: what the store holds, and the reports.

Pages under /speech/…, the same figures as JSON under /speech/api/…; every route asks for Airflow's login.
Corpus text is hostile: templates escape, and reports are served without any script. It only reads; the
figures come from `store.overview`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response
from utterance_pages import app as utterances

from store.opening import open_store
from store.overview import overview, report_path
from training.transcription.serve import Released, make_app

TEMPLATES = Path(__file__).resolve().parent / "templates"
# No script at all; sound and pictures only from inside the page.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data: 'self'; media-src data: blob: 'self'; "
    "font-src data:; frame-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-cache",
}
REPORT_HEADERS = PAGE_HEADERS | {"Content-Security-Policy": f"{POLICY}; sandbox allow-same-origin"}
# The report that says most about a run of a DAG; corpus_refresh has one per corpus.
CHAIN_REPORT = "index.html"

app = FastAPI(
    title="speechmill", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)]
)

# Try it: a sound to text by the released model, under the same login; it has a script, and only there.
app.mount("/try", make_app(Released(), None, [Depends(get_user)]))
app.mount("/utterances", utterances)


def page(name: str, **values: Any) -> HTMLResponse:
    """Render a template with every value escaped."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    return HTMLResponse(environment.get_template(name).render(**values), headers=PAGE_HEADERS)


@app.get("/")
def overview_page() -> HTMLResponse:
    """Corpora, language models, runs and evaluations."""
    tables = overview(open_store())
    return page(
        "overview.html", tables=tables, has_report=lambda name: report_path(open_store(), name) is not None
    )


@app.get("/report")
def report_frame(name: str = CHAIN_REPORT) -> HTMLResponse:
    """A report in a frame, with the way back."""
    return page("report.html", report=name, found=report_path(open_store(), name) is not None)


@app.get("/run")
def run_page(dag_id: str, run_id: str) -> HTMLResponse:
    """The report that belongs to a DAG run; the tab on the run's page."""
    name = CHAIN_REPORT
    if dag_id == "corpus_refresh":
        name = f"corpora/{corpus_of_run(dag_id, run_id)}.html"
    elif dag_id == "language_model":
        name = f"language_models/{language_model_of_run(dag_id, run_id)}.html"
    return page("report.html", report=name, found=report_path(open_store(), name) is not None)


def corpus_of_run(dag_id: str, run_id: str) -> str:
    """The corpus of a run: from the event it sent, else from its form; empty when neither says."""
    events, asked = events_and_form(dag_id, run_id)
    names = [extra.get("name") for extra in events]
    return str(next(filter(None, [*names, asked.get("name"), asked.get("importer")]), ""))


def language_model_of_run(dag_id: str, run_id: str) -> str:
    """The first language model that a run told of, else the one its form asks for, else *default*."""
    events, asked = events_and_form(dag_id, run_id)
    names = [name for extra in events for name in extra.get("names", [])]
    return str(next(filter(None, [*names, asked.get("name")]), "default"))


def events_and_form(dag_id: str, run_id: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The extras of the asset events that a run sent, and what its form held."""
    from airflow.models.asset import AssetEvent
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    event = select(AssetEvent.extra).where(
        AssetEvent.source_dag_id == dag_id, AssetEvent.source_run_id == run_id
    )
    run = select(DagRun.conf).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
    with create_session() as session:
        return list(session.scalars(event)), session.scalar(run) or {}


@app.get("/reports/{name:path}")
def report(name: str) -> Response:
    """A report page of the store, without any script and below the reports' folder only."""
    path = report_path(open_store(), name)
    if path is None:
        raise HTTPException(404, "no such report")
    return FileResponse(path, media_type="text/html; charset=utf-8", headers=REPORT_HEADERS)


@app.get("/api/routes")
def routes() -> list[str]:
    """Every route of this application."""
    return sorted({f"/speech{route.path}" for route in app.routes if hasattr(route, "path")})


@app.get("/api/overview")
def overview_json() -> JSONResponse:
    """All tables."""
    return JSONResponse(overview(open_store()), headers={"Cache-Control": "no-cache"})


@app.get("/api/{table}")
def table_json(table: str) -> JSONResponse:
    """One table: corpora, language_models, runs or evaluations."""
    tables = overview(open_store())
    if table not in tables:
        raise HTTPException(404, f"no table of that name; there are {', '.join(tables)}")
    return JSONResponse(tables[table], headers={"Cache-Control": "no-cache"})

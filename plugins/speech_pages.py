"""The *Speech* pages inside the Airflow UI: what the store holds, and the reports.

Pages under /speech/…, the same figures as JSON under /speech/api/…; every route asks for Airflow's login.
Corpus text is hostile: templates escape, and of a report only the scripts that draw its charts run. Figures come from
`store.overview`; all that is done here is to go back to an earlier model, and to start what is due.
"""

from __future__ import annotations

from typing import Any

from airflow.api_fastapi.core_api.security import get_user
from evidence_pages import certified
from evidence_pages import router as evidence
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, RedirectResponse, Response
from model_pages import released_now, way_to_a_model
from model_pages import router as model_router
from page_frame import (
    REPORT_HEADERS,
    TEMPLATES,
    Late,
    User,
    around,
    ask_for_login,
    may_start,
    page,
    require_own_form,
)
from run_pages import CHAIN_REPORT, live_run_page, run_page_values
from waiting import BUILDING, build_due, due, waiting

from store.opening import open_store
from store.overview import overview, report_path

app = FastAPI(
    title="speechmill", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)]
)

app.middleware("http")(ask_for_login)


# Try it: a sound to text by the released model, under the same login; it has a script, and only there.
@Late
def try_it() -> FastAPI:
    """A sound to text."""
    from training.transcription.serve import Released, make_app

    return make_app(Released(), None, [Depends(get_user)], around("Try it", way_to_a_model))


def visitor(user: User) -> Any:
    """The user who is logged in; whoever may start `corpus_refresh` may decide about utterances."""
    from corpora.browsing.pages import Visitor

    return Visitor(str(user.get_name()), may_start(user, "corpus_refresh"))


@Late
def browser() -> FastAPI:
    """Every row of every version."""
    from corpora.browsing.pages import make_app

    return make_app(visitor, around=around("Utterances"))


app.mount("/try", try_it)
app.mount("/utterances", browser)
app.include_router(model_router)
app.include_router(evidence)


@app.get("/")
def overview_page(user: User) -> HTMLResponse:
    """What waits for a person and what is due, then corpora, evaluations, runs and language models."""
    store = open_store()
    return page(
        "overview.html",
        here="Speech",
        tables=overview(store),
        waiting=waiting(),
        due=due(),
        may_build=may_start(user, BUILDING),
        released=released_now(store),
        has_report=lambda name: report_path(store, name) is not None,
        certified=lambda corpus: certified(store, corpus),
    )


@app.post("/due")
def build_what_is_due(request: Request, user: User) -> Response:
    """Start the run that builds the language models behind their inputs; none where there are none, or one works."""
    require_own_form(request)
    if not may_start(user, BUILDING):
        raise HTTPException(403, f"building asks for the right to start the DAG {BUILDING}")
    now = due()
    if now.paused:
        raise HTTPException(409, f"{BUILDING} is paused, a run would wait: unpause it and press again")
    if now.models and not now.run:
        build_due(str(user.get_name()))
    return RedirectResponse("/speech/", 303)


@app.get("/shell.js")
def shell_script() -> Response:
    """The only script of these pages."""
    return FileResponse(TEMPLATES / "shell.js", media_type="text/javascript; charset=utf-8")


@app.get("/report")
def report_frame(name: str = CHAIN_REPORT) -> HTMLResponse:
    """A report in a frame, with the way back."""
    if report_path(open_store(), name) is None:
        missing = "There is no report of that name yet: data_quality writes the pages of the corpora after a refresh, "
        return page("message.html", status=404, text=f"{missing}retrain the one of the whole chain.")
    return page("report.html", report=name)


@app.get("/training/{run}")
def training_frame(run: str) -> HTMLResponse:
    """A training run as it is now; the page draws itself anew while the run goes on."""
    states = {one["run"]: one["state"] for one in overview(open_store())["runs"] if "run" in one}
    if run not in states:
        return page("message.html", status=404, text="There is no training run of that name.")
    return page("training.html", run=run, running=states[run] in ("running", "queued"))


@app.get("/training/{run}/page")
def training_page(run: str) -> HTMLResponse:
    """The inside of the frame."""
    text = live_run_page(open_store(), run)
    if text is None:
        raise HTTPException(404, "no such run")
    return HTMLResponse(text, headers=REPORT_HEADERS)


@app.get("/run")
def run_report(dag_id: str, run_id: str) -> HTMLResponse:
    """The tab of a run: what became of it, and the pages it made."""
    values = run_page_values(dag_id, run_id)
    if values is None:
        return page("message.html", status=404, text="Airflow knows no such run.")
    return page("run.html", **values)


@app.get("/reports/{name:path}")
def report(name: str) -> Response:
    """A report page of the store, below the reports' folder only; nothing runs in it but what draws its charts."""
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

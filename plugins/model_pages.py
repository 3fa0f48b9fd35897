"""*Speech → Models* and *→ Compare*: which model is in force, who decided it, going back; two models by utterance.

What changes something asks for the right to start `promote`, and for a form of this very page (the browser's word of
where it came from). The logic stands in `training.release` and `training.evaluation`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse, Response
from page_frame import User, may_start, page, piece, require_own_form
from waiting import run_at_work, waiting

from native.errors import SpeechmillError
from store.opening import open_store
from store.overview import report_path
from store.store import Store
from training.release.registry import Registry

router = APIRouter()
MOST_SHOWN = 100


def released_now(store: Store) -> dict[str, Any] | None:
    """The model in force with the decision that put it there."""
    registry = Registry(store)
    try:
        model, history = registry.released(), registry.history()
    except SpeechmillError:
        return None
    if model is None:
        return None
    last = next(one for one in reversed(history) if one.model == model.id and one.action != "register")
    return {"id": model.id, "when": last.when[:16].replace("T", " "), "who": last.who, "why": last.why}


def way_to_a_model() -> str:
    """What a person does next where none is in force, as markup."""
    return piece(
        "no_model.html",
        waiting=[one for one in waiting() if one.kind == "decide"],
        running=run_at_work("retrain"),
        corpora=open_store().corpus_names(),
    )


@router.get("/models")
def models(user: User) -> Response:
    """All packages, the questions that wait, the decisions."""
    store, problem = open_store(), ""
    rows: list[dict[str, Any]] = []
    history: list[Any] = []
    try:
        registry = Registry(store)
        history = list(reversed(registry.history()))
        rows = [_row(store, one) for one in registry.models()]
    except SpeechmillError as error:
        problem = str(error)
    forces = [one for one in history if one.action in ("promote", "rollback")]
    return page(
        "models.html",
        here="Models",
        models=rows,
        history=history,
        problem=problem,
        waiting=[one for one in waiting() if one.kind == "decide"],
        may_decide=may_start(user, "promote"),
        can_go_back=len({one.model for one in forces}) > 1,
    )


def _row(store: Store, model: Any) -> dict[str, Any]:
    manifest = model.manifest
    measured = [one for one in manifest.get("evaluations", []) if "greedy" in one]
    weighed = f"models/{model.id}.html"
    return {
        "id": model.id,
        "state": model.state,
        "run": manifest.get("run", ""),
        "hours": sum(manifest.get("hours_by_corpus", {}).values()),
        "rates": [(one["corpus"], (one.get("lm") or one["greedy"])["wer"]) for one in measured],
        "page": weighed if report_path(store, weighed) is not None else None,
    }


@router.post("/models/rollback")
async def rollback(request: Request, user: User) -> Response:
    """Put the model in force that was so before."""
    require_own_form(request)
    if not may_start(user, "promote"):
        raise HTTPException(403, "going back from a model asks for the right to start the DAG promote")
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    try:
        Registry(open_store()).rollback(form.get("why", [""])[0], str(user.get_name()))
    except SpeechmillError as error:
        raise HTTPException(409, str(error)) from error
    return RedirectResponse("/speech/models", 303)


@router.get("/compare")
def compare(
    before: str = "", after: str = "", corpus: str = "", speaker: str = "", side: str = ""
) -> Response:
    """Two models utterance by utterance."""
    from training.evaluation.side_by_side import Filter, side_by_side
    from training.pages.side_by_side import shown

    store, problem, found = open_store(), "", None
    choices = _choices(store)
    if before and after:
        try:
            found = shown(side_by_side(before, after, store, Filter(corpus, speaker, side)), MOST_SHOWN)
        except SpeechmillError as error:
            problem = str(error)
    asked = {"before": before, "after": after, "corpus": corpus, "speaker": speaker, "side": side}
    return page("compare.html", here="Compare", choices=choices, asked=asked, found=found, problem=problem)


def _choices(store: Store) -> list[tuple[str, str]]:
    """(name, what the list shows) of runs and evaluations, newest first."""
    from training.evaluation.evaluate import evaluations

    def when(one: dict[str, Any]) -> float:
        return (store.evaluations_dir / one["id"] / "evaluation.json").stat().st_mtime

    measured = sorted(evaluations(store, rescored=True), key=when, reverse=True)
    models = {str(one.manifest.get("run")): f"{one.state} model {one.id}" for one in Registry(store).models()}
    runs = list(dict.fromkeys(one["run"] for one in measured))
    choices = [
        (run, f"run {run}{', ' + models[run] if run in models else ''}: all test sets") for run in runs
    ]
    for one in measured:
        model = (one["language_model"] or {}).get("name") or "greedy"
        others = one.get("rescored", {}).get("networks", [])[1:]
        network = f"run {one['run']}{' with ' + ', '.join(others) if others else ''}"
        choices.append((one["id"], f"{one['corpus']} {one['split']} of {network}, {model}, {one['id']}"))
    return choices


@router.get("/sound/{evaluation}/{utterance:path}")
def sound(evaluation: str, utterance: str) -> Response:
    """The sound of an utterance that an evaluation measured."""
    from training.evaluation.compare import evaluation_dir
    from training.evaluation.side_by_side import sound_of

    store = open_store()
    try:
        content = sound_of(store, evaluation_dir(evaluation, store).name, utterance)
    except SpeechmillError as error:
        raise HTTPException(404, str(error)) from error
    if content is None:
        raise HTTPException(404, "that version of the corpus is gone")
    return Response(content, media_type="audio/flac", headers={"X-Content-Type-Options": "nosniff"})

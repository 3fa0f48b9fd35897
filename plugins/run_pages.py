"""The tab *Report* of a run: what became of it first, then the very pages it made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evidence_pages import aligned_corpus, certified
from run_facts import RunFacts, headline, run_facts, sealed_by, subject_of

from store.opening import open_store
from store.overview import report_path
from store.store import Store

Page = tuple[str, str]
CHAIN_REPORT = "index.html"


def run_page_values(dag_id: str, run_id: str) -> dict[str, Any] | None:
    """What the template of the tab needs; None where there is no such run."""
    facts = run_facts(dag_id, run_id)
    if facts is None:
        return None
    store = open_store()
    wanted, missing = _pages(facts)
    pages = [page for page in wanted if report_path(store, page[0]) is not None]
    sealed = facts.answer("seal") or {}
    aligned = facts.answer("align") or {}
    return {
        "run": facts,
        "subject": subject_of(facts),
        "headline": headline(facts),
        "twice": sealed.get("twice", []),
        "certificates": certified(store, str(aligned.get("corpus"))),
        "preview": facts.said("preview"),
        "pages": pages,
        "missing": missing if wanted else "",
    }


def _pages(facts: RunFacts) -> tuple[list[Page], str]:
    """The pages that a run made, and what to say while they are not there."""
    made = {
        "corpus_refresh": _of_refresh,
        "language_model": _of_language_models,
        "data_quality": _of_data_quality,
        "promote": _of_promotion,
        "retrain": _of_training,
        "tune": _of_search,
    }.get(facts.dag_id)
    return made(facts) if made else ([], "")


def _of_refresh(facts: RunFacts) -> tuple[list[Page], str]:
    from corpora.report import pinned_report, refused_report

    sealed, name = sealed_by(facts), subject_of(facts)
    if sealed is not None and sealed.get("published"):
        title = f"{sealed['corpus']}, version {sealed['version']}"
        return [(pinned_report(sealed["corpus"], sealed["version"]), title)], (
            f"The page of {title} is not written yet: data_quality does that after the last refresh on its way."
        )
    refused = {one.task_id for one in facts.failures if one.sentence} & {"seal", "align"}
    if refused and name:
        name = aligned_corpus(name) if "align" in refused else name
        return [(refused_report(name), f"{name}: what was refused, and why")], ""
    return [], ""


def _of_language_models(facts: RunFacts) -> tuple[list[Page], str]:
    built = facts.answers("build")
    pages = [
        (f"language_models/{one['name']}/{one['version']}.html", f"{one['name']}, version {one['version']}")
        for one in built
    ]
    return pages, "The page of this version was not kept."


def _of_data_quality(facts: RunFacts) -> tuple[list[Page], str]:
    reports = open_store().reports_dir
    looked = [one["page"] for one in facts.answer("expect") or []]
    found = [_below(reports, path) for path in [*facts.answers("corpus_page"), *looked]]
    return [(name, name.removesuffix(".html")) for name in found if name], ""


def _of_promotion(facts: RunFacts) -> tuple[list[Page], str]:
    weighed = facts.answer("weigh") or {}
    model = weighed.get("candidate")
    return ([(f"models/{model}.html", f"{model} beside the released model")] if model else []), ""


def _of_training(facts: RunFacts) -> tuple[list[Page], str]:
    run = (facts.answer("train") or {}).get("run")
    if not run:
        return [], ""
    pages = [(f"runs/{run}.html", f"the training of run {run}")]
    rows = [row for share in facts.answers("evaluate") for row in share]
    pages += [(f"evaluations/{row['id']}.html", f"evaluation on {row['corpus']}") for row in rows]
    return [*pages, (CHAIN_REPORT, "the whole chain, as it is now")], ""


def _of_search(facts: RunFacts) -> tuple[list[Page], str]:
    found = facts.answer("search") or {}
    name = _below(open_store().reports_dir, str(found.get("page") or ""))
    return ([(name, "the search")] if name else []), ""


def _below(folder: Path, path: str) -> str:
    try:
        return str(Path(path).relative_to(folder)) if path else ""
    except ValueError:
        return ""


def live_run_page(store: Store, run: str) -> str | None:
    """The page of a training run as it is now; None where there is no such run."""
    from training.pages.run import render_run

    folder = store.runs_dir / run
    known = {path.parent.name for path in store.runs_dir.glob("*/state.json")}
    return render_run(store, folder) if run in known else None

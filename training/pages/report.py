"""Pages a person reads: reports/index.html for the whole chain, reports/evaluations/<id>.html for each
evaluation.

Self-contained HTML without scripts or requests; every text of a corpus is escaped. Reads what is published and
measures nothing; a page whose inputs are those of before is left as it is. Corpora and language models have
pages of their own (`corpora report`, `lm report`), linked when they exist; that of a corpus of which a training set
something aside since is written anew.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora.pages.leaks import leak_matrix
from corpora.report import misses_what_was_set_aside, write_corpus_report
from store.corpus import SPLITS
from store.errors import StoreError
from store.opening import open_store
from store.overview import Row, overview
from store.store import Store
from store.writing import write_bytes_atomic
from training.decoding.recognise import DECODERS
from training.decoding.weights import weights_for
from training.evaluation.evaluate import evaluations
from training.evaluation.figures import pooled
from training.pages.environment import environment
from training.pages.evaluation import completed, page_key, render_evaluation
from training.pages.run import render_run
from training.runs import status

log = logging.getLogger(__name__)


def write_reports(store: Store | None = None) -> Path:
    """Write all pages of a store (the default one when None); returns the path of the index."""
    store = store or open_store()
    found = [completed(one) for one in evaluations(store, rescored=True)]
    for one in found:
        page = store.reports_dir / "evaluations" / f"{one['id']}.html"
        mark = f"<!-- {page_key(store, one)} -->\n".encode()
        if not (page.is_file() and page.read_bytes().endswith(mark)):
            write_bytes_atomic(page, render_evaluation(store, one).encode() + b"\n" + mark)
    for run in status(store):
        html = render_run(store, store.runs_dir / run["run"])
        write_bytes_atomic(store.reports_dir / "runs" / f"{run['run']}.html", html.encode())
    _tell_corpora(store)
    index = store.reports_dir / "index.html"
    write_bytes_atomic(index, render_index(store, found).encode())
    return index


def _tell_corpora(store: Store) -> None:
    """Write the pages of corpora of which a training set something aside since; a damaged corpus keeps the page it has."""
    for name in store.corpus_names():
        try:
            if misses_what_was_set_aside(store, name):
                write_corpus_report(store, store.corpus(name))
        except StoreError as error:
            log.warning("the page of corpus %s stays as it is: %s", name, error)


def render_index(store: Store, found: Sequence[dict[str, Any]]) -> str:
    """The chain on one page."""
    runs = sorted(status(store), key=lambda run: (-float(run.get("heartbeat") or 0.0), run["run"]))
    by_run = [(run["run"], [one for one in found if one["run"] == run["run"]]) for run in runs]
    measured = [(run, ones) for run, ones in by_run if ones]
    newest = (
        [one for one in measured[0][1] if one["lm"] and _is_current(store, one["run"], one)]
        if measured
        else []
    )
    tables, stored = {run: _tables(store, run, ones) for run, ones in measured}, overview(store)
    return environment().get_template("index.html").render(
        corpora=[_corpus(store, row) for row in stored["corpora"]],
        language_models=[_linked(store, row) for row in stored["language_models"]],
        shared=leak_matrix(store),
        runs=runs,
        seen={run["run"]: run.get("heartbeat") for run in runs},
        measured=measured,
        tables=tables,
        largest=max(newest, key=lambda one: (one["hours"], one["id"]), default=None),
    )  # fmt: skip


def _tables(store: Store, run: str, evaluations: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The run's evaluations by language model and decoder settings, with all corpora of each taken as one.

    Those at the weights the run would be used with now come first.
    """
    tables: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for one in evaluations:
        model, decoder = one["language_model"] or {}, one["decoder"] or {}
        networks = one.get("rescored", {}).get("networks", [])
        named = (one["split"], model.get("name", ""), model.get("version", ""))
        kind = (*named, str(sorted(decoder.items())), *networks)
        tables.setdefault(kind, []).append(one)
    made = [
        {
            "split": rows[0]["split"],
            "model": rows[0]["language_model"],
            "decoder": rows[0]["decoder"],
            "others": rows[0].get("rescored", {}).get("networks", [])[1:],
            "rows": rows,
            "total": pooled(rows) if _each_once(rows) else None,
            "largest": max(0.01, *(row[name]["wer"] for row in rows for name in DECODERS if row[name])),
            "current": _is_current(store, run, rows[0]),
        }
        for rows in tables.values()
    ]
    return sorted(made, key=lambda table: not table["current"])


def _is_current(store: Store, run: str, evaluation: dict[str, Any]) -> bool:
    model = evaluation["language_model"]
    if model is None or "rescored" in evaluation:
        return model is None
    return bool(weights_for(store.runs_dir / run, model["lm_hash"]).as_json() == evaluation["decoder"])


def _each_once(evaluations: Sequence[dict[str, Any]]) -> bool:
    """Whether taking them as one counts no utterance twice."""
    corpora = [one["corpus"] for one in evaluations]
    return len(set(corpora)) == len(corpora) > 1


def _linked(store: Store, row: Row) -> Row:
    """A row of the overview with the page there is of it; one that cannot be read has its error only."""
    return {**row, "page": _page(store, row["report"]) if "report" in row else None}


def _corpus(store: Store, row: Row) -> Row:
    splits, rejected = row.get("splits", {}), row.get("rejections", {})
    return {
        **_linked(store, row),
        "shares": [int(splits.get(split, {}).get("utterances", 0)) for split in SPLITS],
        "reasons": sorted(rejected.items(), key=lambda item: (-item[1], item[0]))[:3],
    }


def _page(store: Store, relative: str) -> str | None:
    return relative if (store.reports_dir / relative).exists() else None

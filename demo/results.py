"""The final table and `var/<kind>.json`: figures from manifests and evaluation.json, nothing measured here.

`collect` reads the store, `table` renders it for people. The headline (`evaluation`) is one of
`evaluations`: the corpus and language model that were asked for.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table

from store.store import Store
from store.writing import read_json
from training.evaluation.evaluate import EvaluationRequest, find_evaluation
from training.run_state import read_state
from training.runs import run_id_for
from training.settings import evaluations_of, read_retrain

Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """What to show: corpora in order, the headline's corpus ("" = nothing was trained) and language model, facts."""

    corpora: Sequence[str]
    headline_corpus: str
    headline_model: str
    facts: Json = field(default_factory=dict)


def collect(store: Store, asked: Asked) -> Json:
    """Everything the table and the JSON file say.

    Raises:
        NotPublishedError, StoreError: a corpus or a language model is missing or damaged.
    """
    if not asked.headline_corpus:  # nothing could be trained
        corpora = {name: _corpus(store, name) for name in asked.corpora}
        nothing: Json = {
            "lm": None,
            "language_models": {},
            "training": None,
            "evaluation": None,
            "evaluations": [],
        }
        return {**asked.facts, "corpora": corpora, **nothing}
    retrain = read_retrain(store)
    run = run_id_for(retrain.config, store)
    requests = [EvaluationRequest(**entry) for entry in evaluations_of(run, store)]
    found = [find_evaluation(request, store) for request in requests]
    evaluations = [_evaluation(one) for one in found if one is not None]
    headline = [
        one
        for one in evaluations
        if one["corpus"] == asked.headline_corpus and one["language_model"] == asked.headline_model
    ]
    models = {name: _language_model(store, name) for name in retrain.language_models}
    state = read_state(store.runs_dir / run) or {}
    return {
        **asked.facts,
        "corpora": {name: _corpus(store, name) for name in asked.corpora},
        "lm": models[asked.headline_model],
        "language_models": models,
        "training": {"run": run, "steps": state.get("steps"), "dev_wer": state.get("dev_wer")},
        "evaluation": headline[0] if headline else None,
        "evaluations": evaluations,
    }


def _corpus(store: Store, name: str) -> Json:
    manifest = store.corpus(name).manifest
    splits = manifest["splits"]
    return {
        "version": manifest["version"],
        "hours": round(sum(split["hours"] for split in splits.values()), 4),
        "utterances": sum(split["utterances"] for split in splits.values()),
        "splits": {split: facts["utterances"] for split, facts in splits.items()},
        "rejected": manifest["rejected"],
        "items": manifest["items"],
    }


def _language_model(store: Store, name: str) -> Json:
    manifest = read_json(store.language_model(name) / "manifest.json")
    keys = ("name", "version", "order", "ngrams", "perplexity", "oov_rate")
    return {key: manifest.get(key) for key in keys}


def _evaluation(one: Json) -> Json:
    return {
        "id": one["id"],
        "corpus": one["corpus"],
        "split": one["split"],
        "language_model": (one["language_model"] or {}).get("name"),
        "decoder": one["decoder"],
        "utterances": one["utterances"],
        "greedy": one["greedy"],
        "corrected": one.get("corrected"),
        "lm": one["lm"],
        "interval_by": one.get("interval_by"),
        "rtf": one["rtf"],
    }


def code_version(root: Path) -> str:
    """The commit of the code, with `+` when files were changed since; "unknown" outside a checkout."""
    command = ["git", "-C", str(root), "describe", "--always", "--dirty=+", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def table(result: Json) -> Group:
    """The figures for people, in three small tables."""
    if not result["evaluations"]:
        return Group(_corpora_table(result))
    return Group(_corpora_table(result), _models_table(result), _evaluations_table(result))


def _corpora_table(result: Json) -> Table:
    columns = ("corpus", "hours", "utterances", "train / dev / test", "rejected")
    shown = Table(*columns, title="Corpora", title_justify="left")
    for name, facts in result["corpora"].items():
        splits = " / ".join(str(facts["splits"].get(split, 0)) for split in ("train", "dev", "test"))
        reasons = (
            ", ".join(f"{check} {count}" for check, count in sorted(facts["rejected"].items())) or "none"
        )
        shown.add_row(name, f"{facts['hours']:.2f}", str(facts["utterances"]), splits, reasons)
    return shown


def _models_table(result: Json) -> Table:
    columns = ("language model", "order", "n-grams", "perplexity on dev", "out of vocabulary")
    shown = Table(*columns, title="Language models", title_justify="left")
    for name, facts in result["language_models"].items():
        ngrams = facts["ngrams"]
        counts = " + ".join(f"{count:,}" for count in ngrams) if isinstance(ngrams, list) else f"{ngrams:,}"
        perplexity = "–" if facts["perplexity"] is None else f"{facts['perplexity']:.1f}"
        unknown = "–" if facts["oov_rate"] is None else f"{100 * facts['oov_rate']:.2f} %"
        shown.add_row(name, str(facts["order"]), counts, perplexity, unknown)
    return shown


def _evaluations_table(result: Json) -> Table:
    columns = ("test of", "utterances", "WER greedy → corrected → LM", "CER greedy → corrected → LM")
    shown = Table(*columns, "RTF net + search", title="Error rates on test", title_justify="left")
    several = len(result["language_models"]) > 1
    for one in result["evaluations"]:
        name = f"{one['corpus']} ({one['language_model']})" if several else one["corpus"]
        decoders = [one["greedy"], one["corrected"] or {}, one["lm"] or {}]
        cells = [" → ".join(_percent(rates.get(kind)) for rates in decoders) for kind in ("wer", "cer")]
        rtf = f"{one['rtf']['acoustic']:.4f} + {one['rtf']['decoder']:.4f}"
        shown.add_row(name, str(one["utterances"]), *cells, rtf)
    return shown


def _percent(rate: float | None) -> str:
    return "–" if rate is None else f"{100 * rate:.1f} %"


def where_to_look(status: Json) -> str:
    """URL, user and password; over ssh also the tunnel. `status` is the launcher's."""
    lines = [f"Airflow: {status['url']}   user {status['user']}   password {status['password']}"]
    if os.environ.get("SSH_CONNECTION"):
        machine, user = os.environ["SSH_CONNECTION"].split()[2], os.environ.get("USER") or "user"
        port = status["port"]
        lines.append(
            f"from your own machine: ssh -L {port}:127.0.0.1:{port} {user}@{machine}   (then the same URL)"
        )
    lines.append("`make airflow-stop` ends it.")
    return "\n".join(lines)

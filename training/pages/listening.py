"""The page "what an hour of listening bought": what was doubted, what a listener decided of it, and the error rates of two
networks, one that learnt from the version before and one from the version that honours the decisions.

    reports/listening/<corpus>.html       one file with the sounds of what was decided; nothing leaves it

Reads the table of doubt, the curation list, and two evaluations of the same utterances; trains and measures nothing.
"""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.parquet as pq

from corpora.browsing.columns import HEARD
from corpora.browsing.index import doubt_path
from corpora.curation.decisions import Decision, read_decisions, standing
from store.corpus import Corpus
from store.errors import UsageError
from store.store import Store
from store.writing import read_json, write_bytes_atomic
from training.evaluation.compare import compare_evaluations, evaluation_dir
from training.evaluation.side_by_side import sound_in
from training.pages.environment import environment

PLAYED = 30
_SOUNDS_BYTES = 2_000_000  # of all sounds of a page as its text holds them
_HEARD_AGAIN = 2.0  # a row is heard about twice, and decided
_DECIDES_S = 4.0


@dataclass(frozen=True)
class Bought:
    """What the page is about.

    Attributes:
        version: the one that was doubted and listened to.
        before, after: ids of evaluations, or unique beginnings of ids. rows: how many of the most doubtful rows were heard;
        0 = down to the last one that was decided.
    """

    corpus: str
    version: str
    before: str
    after: str
    rows: int = 0


def write_listening_page(asked: Bought, store: Store) -> dict[str, Any]:
    """Write the page; answers its facts and its `path`.

    Raises:
        UsageError: that version was never doubted, or nobody decided anything about a row of it.
        DataError: the evaluations cannot be compared.
    """
    corpus = store.corpus(asked.corpus, asked.version)
    facts = _facts(corpus, asked, store)
    compared = compare_evaluations(asked.after, asked.before, store)
    rates = {
        side: _rates(compared[key], store) for side, key in (("before", "against"), ("after", "evaluation"))
    }
    html = (
        environment()
        .get_template("listening.html")
        .render(
            corpus=corpus,
            facts=facts,
            decisions=_with_sound(corpus, facts["decided"]),
            rates=rates,
            compared=compared,
        )
    )
    path = store.reports_dir / "listening" / f"{corpus.name}.html"
    write_bytes_atomic(path, html.encode())
    told = {key: value for key, value in facts.items() if key != "decided"}
    return {**told, "wer": rates, "compared": compared["decoders"], "path": str(path)}


def _facts(corpus: Corpus, asked: Bought, store: Store) -> dict[str, Any]:
    """What was heard, and what was decided, the most doubtful first."""
    path = doubt_path(store, corpus)
    if not path.is_file():
        raise UsageError(
            f"{corpus.name} {corpus.version} was never doubted: python -m training doubt --corpus {corpus.name} "
            f"--version {corpus.version}"
        )
    table = pq.read_table(path, columns=["utterance_id", "doubt", "text", HEARD])
    order = np.argsort(-table["doubt"].to_numpy(), kind="stable")
    ranks = {table["utterance_id"][int(row)].as_py(): (rank, int(row)) for rank, row in enumerate(order)}
    decided: list[dict[str, Any]] = [
        {"decision": one, "rank": rank + 1, "kind": _kind(one), **_texts(table, row)}
        for one in standing(read_decisions(store, corpus.name)).values()
        for rank, row in [ranks.get(one.utterance_id, (-1, -1))]
        if rank >= 0
    ]
    if not decided:
        raise UsageError(f"nobody flagged or corrected a row of {corpus.name} {corpus.version}")
    decided.sort(key=lambda one: one["rank"])
    rows = asked.rows or decided[-1]["rank"]
    heard = {table["utterance_id"][int(row)].as_py() for row in order[:rows]}
    seconds = _seconds(corpus, heard)
    return {
        "rows": table.num_rows,
        "heard": rows,
        "minutes": round((_HEARD_AGAIN * seconds + _DECIDES_S * rows) / 60, 1),
        "decisions": len(decided),
        "by_kind": dict(sorted(Counter(one["kind"] for one in decided).items())),
        "decided": decided,
    }


def _kind(decision: Decision) -> str:
    return decision.why or {"flag": "flagged as bad", "correct": "corrected"}[decision.action]


def _texts(table: Any, row: int) -> dict[str, str]:
    return {"text": table["text"][row].as_py(), "heard": table[HEARD][row].as_py()}


def _seconds(corpus: Corpus, names: set[str]) -> float:
    """How long these training rows are, together."""
    total = 0.0
    for batch in corpus.batches(split="train", columns=["utterance_id", "duration_s"]):
        told = zip(batch["utterance_id"].to_pylist(), batch["duration_s"].to_pylist(), strict=True)
        total += sum(length for name, length in told if name in names)
    return total


def _rates(evaluation: str, store: Store) -> dict[str, float]:
    facts = read_json(evaluation_dir(evaluation, store) / "evaluation.json")
    return {name: facts[name]["wer"] for name in ("greedy", "corrected", "lm") if facts.get(name)}


def _with_sound(corpus: Corpus, decided: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The most doubtful of them with their sound, as far as there is room."""
    shown, left = [], _SOUNDS_BYTES
    for one in decided[:PLAYED]:
        flac = sound_in(corpus, "train", one["decision"].utterance_id)
        sound = "" if flac is None else "data:audio/flac;base64," + base64.b64encode(flac).decode()
        sound = sound if len(sound) <= left else ""
        left -= len(sound)
        shown.append({**one, "sound": sound})
    return shown

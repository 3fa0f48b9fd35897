"""Which model to choose: perplexity against size for a few orders, prunings and structures, measured on dev.

One text is cleaned once; every order and pruning is estimated once and written in every structure. A result
that is known is not measured again: `results.jsonl` beside the text says which are, so that an interrupted
sweep goes on where it stopped. Nothing is published but the page and its JSON.
"""

from __future__ import annotations

import json
import logging
import shlex
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from lm import kenlm
from lm.defaults import DEFAULT_NAME, SWEEP_ORDERS, SWEEP_PRUNINGS
from lm.errors import EmptyTextError, LanguageModelUsageError
from lm.perplexity import measure_corpora
from lm.request import BuildRequest, Inputs, gather
from lm.text.sentences import SentenceSources, held_out_sentences, write_sentences
from lm.units import WORDS
from native import LanguageModel
from store.store import Store
from store.writing import explain_write, write_bytes_atomic, write_json_atomic

STRUCTURES = (("probing", None), ("trie", None), ("trie", 8))
BALANCED_LOSS, SMALL_LOSS = 0.02, 0.10
"""How much more perplexity than the best a balanced and a small model may have."""

_FIGURES = ("perplexity", "perplexity_without_oov", "oov_rate")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Grid:
    """What is tried: every order with every pruning, in every structure (name, bits)."""

    orders: tuple[int, ...] = SWEEP_ORDERS
    prunings: tuple[tuple[int, ...], ...] = SWEEP_PRUNINGS
    structures: tuple[tuple[str, int | None], ...] = STRUCTURES

    def estimates(self) -> Iterator[tuple[int, tuple[int, ...]]]:
        """Orders with prunings, each once: thresholds beyond the order and runs of zeros say nothing."""
        tried = set()
        for order in self.orders:
            for pruning in self.prunings:
                cut = pruning[:order] if any(pruning[:order]) else ()
                if (order, cut) not in tried:
                    tried.add((order, cut))
                    kenlm.check_order(order, cut)
                    yield order, cut


def sweep(request: BuildRequest, grid: Grid | None = None) -> dict[str, Any]:
    """Measures the grid for the inputs of a request and returns the results with what to choose.

    Raises what a build raises; LanguageModelUsageError where no corpus has dev transcripts to measure on.
    """
    inputs, grid = gather(request), grid or Grid()
    if inputs.unit != WORDS:
        raise LanguageModelUsageError(
            "a sweep measures models of words; build models of characters one by one"
        )
    if not any("dev" in corpus.splits for corpus in inputs.everything):
        raise LanguageModelUsageError(
            f"no published corpus in {inputs.store.root} has dev transcripts, so nothing can be measured; "
            "import one first"
        )
    name = request.publish or DEFAULT_NAME
    base = {key: value for key, value in inputs.record.items() if key != "settings"}
    base |= {"language": inputs.language} if "language" in inputs.record["settings"] else {}
    base_hash = replace(inputs, record=base).hash
    folder = inputs.store.staging_dir("language_models") / f"sweep-{name}-{base_hash[:16]}"
    with explain_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
    rows = _measure_all(request, inputs, grid, folder)
    result = {
        "kind": "language_model_sweep",
        "name": name,
        "inputs_hash": base_hash,
        "rows": rows,
        "choices": choices(rows, name, request),
    }
    shutil.rmtree(folder)
    return result


def choices(rows: Sequence[dict[str, Any]], name: str, request: BuildRequest) -> list[dict[str, Any]]:
    """Three ways to choose, each with its command: the best, the balanced, the small."""
    best = min(row["perplexity"] for row in rows)
    found = []
    for title, loss in (("best", 0.0), ("balanced", BALANCED_LOSS), ("small", SMALL_LOSS)):
        within = [row for row in rows if row["perplexity"] <= best * (1 + loss)]
        row = min(within, key=lambda one: (one["bytes"], one["perplexity"]))
        found.append(
            {"choice": title, "at_most_above_best": loss, **row, "command": _command(row, name, request)}
        )
    return found


def _command(row: dict[str, Any], name: str, request: BuildRequest) -> str:
    """The command line that builds a row's model; without corpora only the long form can say so."""
    values = {
        "prune": row["prune"],
        "binary": row["binary"],
        "quantise": row["quantise"],
        "text": request.text,
    }
    values |= {"corpora": request.corpora}
    if values["binary"] == "probing":
        del values["binary"]
    words = {key: " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
             for key, value in values.items() if value}  # fmt: skip
    if request.corpora == ():
        flags = " ".join(f"--{key} {text}" for key, text in words.items())
        return f"python -m lm build --publish {name} --order {row['order']} {flags} --corpora"
    settings = " ".join(f"{key.upper()}={shlex.quote(text)}" for key, text in words.items())
    return f"make lm NAME={name} ORDER={row['order']} {settings}".rstrip()


def _measure_all(request: BuildRequest, inputs: Inputs, grid: Grid, folder: Path) -> list[dict[str, Any]]:
    """All rows of the grid, those of an earlier, interrupted sweep read back."""
    journal = folder / "results.jsonl"
    known = [json.loads(line) for line in journal.read_text().splitlines()] if journal.is_file() else []
    rows, text = [], folder / "sentences.txt"
    for order, pruning in grid.estimates():
        wanted = [(order, list(pruning), *structure) for structure in grid.structures]
        done = [
            row
            for row in known
            if (row["order_asked"], row["prune"], row["binary"], row["quantise"]) in wanted
        ]
        if len(done) == len(wanted):
            rows += done
            continue
        longest = _write_text(request, inputs, text)
        fresh = _measure_one((order, pruning), (text, longest), grid, inputs)
        with explain_write(journal), journal.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(row) + "\n" for row in fresh)
        rows += fresh
    return rows


def _write_text(request: BuildRequest, inputs: Inputs, text: Path) -> int:
    """Cleans the text once; the length of its longest sentence in words stands beside it."""
    noted = text.with_suffix(".longest")
    if noted.is_file():
        return int(noted.read_text())
    labels = tuple(inputs.alphabet.labels)
    sources = SentenceSources(inputs.training, inputs.text, labels, request.workers, inputs.language)
    held_out = held_out_sentences(inputs.everything, request.keep_held_out, not inputs.alphabet.unspaced)
    with explain_write(text):
        counts = write_sentences(text, sources, held_out)
        if not counts.total.kept:
            raise EmptyTextError(
                "no sentence is left to learn from; give more text or a corpus with a train split"
            )
        write_bytes_atomic(noted, str(counts.longest_words).encode())
    return counts.longest_words


def _measure_one(
    model: tuple[int, tuple[int, ...]], text: tuple[Path, int], grid: Grid, inputs: Inputs
) -> list[dict[str, Any]]:
    """One order and pruning: a row for each structure."""
    (order, pruning), (sentences, longest) = model, text
    arpa, binary, rows = sentences.parent / "lm.arpa", sentences.parent / "lm.binary", []
    estimate = kenlm.estimate(sentences, arpa, longest, kenlm.EstimateOptions(order, pruning))
    for structure, bits in grid.structures:
        kenlm.to_binary(arpa, binary, kenlm.BinaryOptions(structure, bits))
        figures = measure_corpora(inputs.everything, LanguageModel.load(binary).score_sentence)
        row = {
            "order": estimate.order,
            "order_asked": order,
            "prune": list(pruning),
            "binary": structure,
            "quantise": bits,
            "ngrams": list(estimate.ngrams),
            "bytes": binary.stat().st_size,
            **{key: figures[key] for key in _FIGURES},
        }
        _log.info("order %d, prune %s, %s: perplexity %s, %d bytes", order, pruning or "none", structure,
                  row["perplexity"], row["bytes"])  # fmt: skip
        rows.append(row)
    arpa.unlink()
    binary.unlink()
    return rows


def write_sweep(store: Store, result: dict[str, Any]) -> list[Path]:
    """Writes `reports/language_models/sweep-NAME.{json,html}` and returns both paths."""
    from lm.pages.report import render_sweep

    folder = store.reports_dir / "language_models"
    page, data = folder / f"sweep-{result['name']}.html", folder / f"sweep-{result['name']}.json"
    write_json_atomic(data, result)
    write_bytes_atomic(page, render_sweep(result).encode("utf-8"))
    return [page, data]

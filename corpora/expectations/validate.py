"""A published corpus against its expectations, by Great Expectations; the verdict is kept beside the manifest.

    corpora/<name>/<version>/expectations.json     level, when the rows were looked at, every expectation and what was seen
    reports/expectations/<name>/<version>.html     the same for people

Level *full* looks at every row, *fast* at some of every shard, which nothing can be counted by; figures of the
whole are asked at both.
The library sends nothing (its analytics are off) and draws nothing: its own pages fetch from the network.
"""

from __future__ import annotations

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from corpora.expectations.rows import COLUMNS, Facts, prepared, row_expectations
from corpora.expectations.whole import Figure, Whole, figures
from corpora.report import environment
from corpora.text.languages import labels_for
from corpora.versions.history import history
from store.corpus import Corpus
from store.errors import NotPublishedError, StoreError, UsageError
from store.overview import file_time
from store.store import Store
from store.writing import read_json, write_bytes_atomic, write_json_atomic

LEVELS = ("fast", "full")
VERDICT = "expectations.json"
ROWS_AT_ONCE = 250_000
FAST_ROWS = 200  # of a shard
SHOWN = 5
_log = logging.getLogger(__name__)
Outcome = dict[str, Any]


def expect(store: Store, name: str, level: str = "fast") -> dict[str, Any]:
    """Look at the current version of a corpus; writes the verdict and its page.

    Returns:
        corpus, version, level, rows, passed, expectations ([{name, says, passed, observed, scope, …}]), page.

    Raises:
        UsageError: no such level. NotPublishedError, StoreError: the corpus cannot be read.
    """
    if level not in LEVELS:
        raise UsageError(f"there is no level {level!r} of expectations; there are: {', '.join(LEVELS)}")
    corpus, before = store.corpus(name), _before(store, name)
    rows = _rows(corpus, level)
    letters = "".join(labels_for(str(corpus.manifest["language"]), store.alphabets_dir))
    facts = Facts(corpus.manifest, corpus.manifest["thresholds"], letters)
    whole = _whole(corpus, rows, before, level)
    with _library() as context:
        outcomes = [*_look_at_rows(context, rows, facts), *_look_at_figures(context, figures(whole))]
    verdict = {
        "corpus": name,
        "version": corpus.version,
        "level": level,
        "before": None if before is None else before.version,
        "rows": len(rows),
        "passed": all(one["passed"] for one in outcomes),
        "expectations": outcomes,
    }
    write_json_atomic(corpus.path / VERDICT, verdict)
    return {**verdict, "page": str(write_page(store, corpus, verdict))}


def verdict_of(corpus: Corpus) -> dict[str, Any] | None:
    """What was found of a version, None where nobody has looked."""
    path = corpus.path / VERDICT
    said: dict[str, Any] | None = read_json(path) if path.is_file() else None
    return said


def write_page(store: Store, corpus: Corpus, verdict: dict[str, Any]) -> Path:
    """Write the page of a verdict, which needs nothing but itself; answers the path."""
    html = (
        environment()
        .get_template("expectations.html")
        .render(verdict=verdict, looked_at=file_time(corpus.path / VERDICT))
    )
    path = store.reports_dir / "expectations" / corpus.name / f"{corpus.version}.html"
    write_bytes_atomic(path, html.encode())
    return path


def _before(store: Store, name: str) -> Corpus | None:
    """The version that was published before the current one, where it can still be read."""
    earlier = [one for one in history(store, name) if not one["current"] and "error" not in one]
    if not earlier:
        return None
    try:
        return store.corpus(name, earlier[-1]["version"])
    except (NotPublishedError, StoreError):
        return None


def _whole(corpus: Corpus, rows: pd.DataFrame, before: Corpus | None, level: str) -> Whole:
    """The corpus as a whole, beside the version before where that can be read."""
    sampled = level == "fast"
    if before is None:
        return Whole(corpus.manifest, rows, sampled=sampled)
    try:
        earlier = _rows(before, level)
    except StoreError as error:
        _log.warning("drift is not asked for, the version before cannot be read: %s", error)
        return Whole(corpus.manifest, rows, sampled=sampled)
    return Whole(corpus.manifest, rows, earlier, before.manifest, sampled)


def _rows(corpus: Corpus, level: str) -> pd.DataFrame:
    """The rows without sound; `shard` names where each stands."""
    tables = []
    for path in corpus.shard_paths():
        try:
            table = pq.read_table(path, columns=[*COLUMNS, "measures"])
        except (OSError, pa.ArrowException) as error:
            raise StoreError(
                f"shard {path} cannot be read ({error}); run the refresh of {corpus.name} again"
            ) from error
        if level == "fast" and table.num_rows > FAST_ROWS:
            step = table.num_rows / FAST_ROWS
            table = table.take(pa.array([int(index * step) for index in range(FAST_ROWS)]))
        shard = pa.DictionaryArray.from_arrays(
            pa.array([0] * table.num_rows, pa.int32()), pa.array([f"{path.parent.name}/{path.name}"])
        )
        tables.append(table.flatten().append_column("shard", shard))
    if not tables:
        raise StoreError(f"{corpus.name} {corpus.version} has no rows to look at")
    frame: pd.DataFrame = prepared(pa.concat_tables(tables, promote_options="permissive").to_pandas())
    return frame


@contextmanager
def _library() -> Iterator[Any]:
    """A context of Great Expectations that keeps nothing, says nothing and sends nothing."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx

        logging.getLogger("great_expectations").setLevel(logging.WARNING)
        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False}
        yield context


def _validated(context: Any, name: str, frame: pd.DataFrame, expectations: list[Any]) -> list[Any]:
    """The library's results in the order of the expectations."""
    import great_expectations as gx

    source = context.data_sources.add_pandas(name)
    batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
    suite = context.suites.add(gx.ExpectationSuite(name=name, expectations=expectations))
    definition = gx.ValidationDefinition(name=name, data=batch, suite=suite)
    result = context.validation_definitions.add(definition).run(
        batch_parameters={"dataframe": frame}, result_format={"result_format": "SUMMARY"}
    )
    by_id = {one.expectation_config.id: one for one in result.results}
    return [by_id[one.id] for one in suite.expectations]


def _look_at_rows(context: Any, rows: pd.DataFrame, facts: Facts) -> list[Outcome]:
    """Every row expectation, a quarter of a million rows at a time; where it fails the shards are named."""
    found: dict[str, Outcome] = {}
    for start in range(0, len(rows), ROWS_AT_ONCE):
        frame = rows.iloc[start : start + ROWS_AT_ONCE].reset_index(drop=True)
        expectations = row_expectations(facts)
        results = _validated(context, f"rows {start}", frame, expectations)
        for asked, result in zip(expectations, results, strict=True):
            said = _row_outcome(asked, result, frame)
            known = found.setdefault(said["says"], said)
            if known is not said:
                _add(known, said)
    return list(found.values())


def _row_outcome(asked: Any, result: Any, frame: pd.DataFrame) -> Outcome:
    facts = result.result or {}
    trouble = (result.exception_info or {}).get("exception_message") if not result.success else None
    places = [index for index in facts.get("partial_unexpected_index_list") or [] if isinstance(index, int)]
    return {
        "name": getattr(asked, "column", "") or type(asked).__name__,
        "scope": "every row",
        "says": str(asked.notes),
        "passed": bool(result.success),
        "looked_at": int(facts.get("element_count") or len(frame)),
        "unexpected": int(facts.get("unexpected_count") or 0),
        "examples": [str(value)[:200] for value in (facts.get("partial_unexpected_list") or [])[:SHOWN]],
        "shards": sorted({str(frame["shard"].iloc[index]) for index in places[:SHOWN]}),
        "problem": str(trouble)[:300] if trouble else "",
    }


def _add(known: Outcome, more: Outcome) -> None:
    known["passed"] = known["passed"] and more["passed"]
    for key in ("looked_at", "unexpected"):
        known[key] += more[key]
    known["examples"] = [*known["examples"], *more["examples"]][:SHOWN]
    known["shards"] = sorted({*known["shards"], *more["shards"]})
    known["problem"] = known["problem"] or more["problem"]


def _look_at_figures(context: Any, asked: list[Figure]) -> list[Outcome]:
    """Every figure as a column of one row."""
    import great_expectations.expectations as gxe

    frame = pd.DataFrame({one.name: [float(one.value)] for one in asked})
    expectations = [
        gxe.ExpectColumnValuesToBeBetween(
            column=one.name, min_value=one.least, max_value=one.most, notes=one.says
        )
        for one in asked
    ]
    results = _validated(context, "whole", frame, expectations)
    return [
        {**asdict(one), "scope": "the whole", "observed": one.value, "passed": bool(result.success)}
        for one, result in zip(asked, results, strict=True)
    ]

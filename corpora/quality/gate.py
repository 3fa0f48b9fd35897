"""The gate of a corpus: may this version be published? Seven expectations over its totals."""

from __future__ import annotations

import gc
import importlib.util
import logging
import os
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


# What Great Expectations imports and a table of one row needs not: half the time it takes to start.
_NOT_ASKED = ("sqlalchemy", "boto3", "botocore", "psycopg2")


_SELDOM_ASKED = ("scipy.stats", "altair")


def run_gate(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Validate a corpus's summary with Great Expectations.

    Args:
        summary: rows, unbalanced, duplicate_ids, shared_speakers (None = not asked for: the donor chose a
            split by utterances), leaked_speakers, leaked_audio, leaked_sentences (the share beyond what is
            tolerated; see leakage.py).

    Returns:
        {"passed": bool, "expectations": [{"name", "says", "passed", "observed"}]}.
    """
    import pandas as pd

    frame = pd.DataFrame([{key: value for key, value in summary.items() if value is not None}])
    verdicts = _validate(frame, _expectations(summary))
    return {"passed": all(v["passed"] for v in verdicts), "expectations": verdicts}


def _expectations(summary: Mapping[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """(column, plain words, limits) of every expectation that applies."""
    wanted: list[tuple[str, str, dict[str, Any]]] = [
        ("rows", "at least one utterance was accepted", {"min_value": 1}),
        ("unbalanced", "input = accepted + rejected + ignored", {"min_value": 0, "max_value": 0}),
        ("duplicate_ids", "every utterance id appears once", {"max_value": 0}),
        ("shared_speakers", "no speaker is in more than one split", {"max_value": 0}),
        ("leaked_speakers", "no speaker of dev or test is in another corpus's train", {"max_value": 0}),
        ("leaked_audio", "no sound of dev or test is in any corpus's train", {"max_value": 0}),
        (
            "leaked_sentences",
            "long sentences of dev and test that are in any train stay within what is tolerated",
            {"max_value": 0},
        ),
    ]
    return [entry for entry in wanted if summary.get(entry[0]) is not None]


@lru_cache(maxsize=1)
def great_expectations() -> Any:
    """The library, imported when it is first needed: a second of CPU time."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    with lean(optional=_NOT_ASKED, later=_SELDOM_ASKED):
        import great_expectations as gx

    logging.getLogger("great_expectations.data_context.types.base").setLevel(logging.WARNING)
    return gx


def _validate(frame: pd.DataFrame, wanted: list[tuple[str, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    gx = great_expectations()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    source = context.data_sources.add_pandas("summary")
    batch = source.add_dataframe_asset("corpus").add_batch_definition_whole_dataframe("all")
    suite = gx.ExpectationSuite(name="corpus")
    for column, _, limits in wanted:
        suite.add_expectation(gx.expectations.ExpectColumnValuesToBeBetween(column=column, **limits))
    result = batch.get_batch(batch_parameters={"dataframe": frame}).validate(suite)
    passed = {r.expectation_config.kwargs["column"]: bool(r.success) for r in result.results}
    return [
        {"name": column, "says": says, "passed": passed[column], "observed": frame[column].iloc[0].item()}
        for column, says, _ in wanted
    ]


class _Held:
    """A finder that stands before all others for one thread."""

    def __init__(self, optional: Iterable[str], later: Iterable[str]) -> None:
        self._optional = {name for name in optional if name not in sys.modules}
        self._later = {name for name in later if name not in sys.modules}
        self._thread = threading.get_ident()

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if threading.get_ident() != self._thread:
            return None
        if name.partition(".")[0] in self._optional:
            raise ModuleNotFoundError(f"{name} is held back during this import", name=name)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target) if name in self._later else None
        if spec is not None and spec.loader is not None:
            spec.loader = importlib.util.LazyLoader(spec.loader)
        return spec


@contextmanager
def lean(optional: Iterable[str], later: Iterable[str]) -> Iterator[None]:
    """While it is open, imports of this thread leave out what is named; nothing collects garbage meanwhile.

    Args:
        optional: packages which the imported library does without where they are not installed. Afterwards
            they can be imported by anybody else. One that is loaded already stays visible.
        later: modules that are given as they are and loaded when something in them is touched, also afterwards.
    """
    held = _Held(optional, later)
    collects = gc.isenabled()
    sys.meta_path.insert(0, held)
    gc.disable()
    try:
        yield
    finally:
        sys.meta_path.remove(held)
        gc.freeze()  # modules live as long as the process: no collection need look at them again
        if collects:
            gc.enable()

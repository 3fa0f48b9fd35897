"""Holding back what a library imports: what is left out, what is loaded later, and the gate with and without."""

from __future__ import annotations

import gc
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from corpora.quality.gate import lean

GOOD = {"rows": 5, "unbalanced": 0, "duplicate_ids": 0, "shared_speakers": 0, "leaked_sentences": 0.0}
GATES = """
import json, sys
BEFORE
from corpora.quality.checks import run_gate
good = GOOD
summaries = [good, {**good, "rows": 0}, {**good, "unbalanced": 1, "leaked_sentences": 0.25}]
answers = [run_gate(summary) for summary in summaries]
held = [name for name in ("scipy.stats", "altair", "sqlalchemy.sql") if name in sys.modules]
lazy = [name for name in held if type(sys.modules[name]).__name__ == "_LazyModule"]
import scipy.stats, sqlalchemy, boto3, altair
used = [scipy.stats.norm.cdf(0.0), sqlalchemy.text("x").text, boto3.__name__, altair.Chart.__name__]
print(json.dumps({"answers": answers, "held": held, "lazy": lazy, "used": used}))
"""


def _packages(root: Path, monkeypatch: pytest.MonkeyPatch, tag: str) -> None:
    """`<tag>_big`, which imports `<tag>_optional` if it can and `<tag>_plots` without using it."""
    big = f"""
import {tag}_plots
try:
    import {tag}_optional
except ImportError:
    {tag}_optional = None
def plot():
    return {tag}_plots.ANSWER
"""
    (root / f"{tag}_big.py").write_text(big)
    (root / f"{tag}_optional.py").write_text("")
    (root / f"{tag}_plots.py").write_text("import pathlib\nANSWER = 42\nLOADED = True\n")
    monkeypatch.syspath_prepend(str(root))


def _is_loaded(module: Any) -> bool:
    return "LOADED" in object.__getattribute__(module, "__dict__")


def test_what_is_held_back_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _packages(tmp_path, monkeypatch, "held")
    with lean(optional=["held_optional"], later=["held_plots"]):
        big = importlib.import_module("held_big")
    assert big.held_optional is None
    assert not _is_loaded(big.held_plots)
    assert big.plot() == 42
    assert _is_loaded(big.held_plots)
    assert importlib.import_module("held_optional").__name__ == "held_optional"


def test_what_is_loaded_already_stays_visible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _packages(tmp_path, monkeypatch, "seen")
    optional = importlib.import_module("seen_optional")
    with lean(optional=["seen_optional"], later=[]):
        assert importlib.import_module("seen_big").seen_optional is optional


def test_a_failing_import_leaves_nothing_behind() -> None:
    before = [*sys.meta_path]
    with (
        pytest.raises(ModuleNotFoundError, match="json_of_nobody"),
        lean(optional=["json_of_nobody"], later=[]),
    ):
        importlib.import_module("json_of_nobody")
    assert sys.meta_path == before
    assert gc.isenabled()


def _gates(before: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", GATES.replace("BEFORE", before).replace("GOOD", repr(GOOD))],
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.mark.slow
def test_the_gate_says_the_same_with_all_of_its_library() -> None:
    whole, lean_one = _gates("import great_expectations"), _gates("")
    assert lean_one["answers"] == whole["answers"]
    assert [answer["passed"] for answer in whole["answers"]] == [True, False, False]
    assert whole["lazy"] == []
    assert lean_one["held"] == lean_one["lazy"] == ["scipy.stats", "altair"]
    assert lean_one["used"] == whole["used"] == [0.5, "x", "boto3", "Chart"]

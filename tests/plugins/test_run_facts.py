"""A run in one line: what was measured is called by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def test_the_line_of_a_training_names_each_rate(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(root / "plugins"))
    from run_facts import RunFacts, TaskFacts, headline

    measured: list[dict[str, Any]] = [
        {"corpus": "talks", "unit": "characters", "greedy": 0.3, "corrected": None, "lm": 0.125},
        {"corpus": "town", "unit": "words", "greedy": 0.04, "corrected": None, "lm": None},
    ]
    tasks = (
        TaskFacts("train", -1, "success", answer={"run": "r1"}),
        TaskFacts("evaluate", 0, "success", answer=measured),
    )
    assert (
        headline(RunFacts("retrain", "x", "success", tasks=tasks))
        == "run r1: talks CER 12.50\u00a0%, town WER 4.00\u00a0%"
    )
    assert headline(RunFacts("retrain", "x", "success", tasks=tasks[:1])) == "run r1"


def test_a_run_that_a_person_ended_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """States as Airflow leaves them: what worked is failed, what waited is skipped; of a failure, nothing is skipped."""
    monkeypatch.syspath_prepend(str(root / "plugins"))
    from run_facts import RunFacts, TaskFacts, headline

    def run(**states: str) -> RunFacts:
        tasks = tuple(TaskFacts(task, -1, state) for task, state in states.items())
        return RunFacts("corpus_refresh", "x", "failed", {"name": "town"}, tasks)

    ended = run(plan="success", import_groups="failed", seal="skipped", align="skipped", settle="skipped")
    assert headline(ended) == "town: ended by hand; nothing was published by this run"
    assert headline(run(plan="success")) == headline(ended)
    killed = run(plan="success", import_groups="failed", seal="upstream_failed", settle="upstream_failed")
    assert headline(killed) == "town: see its log (task import_groups)"
    refused = (
        TaskFacts("seal", -1, "failed", sentence="the gate refused"),
        TaskFacts("align", -1, "skipped"),
    )
    assert (
        headline(RunFacts("corpus_refresh", "x", "failed", tasks=refused)) == "the gate refused (task seal)"
    )
    looked = (TaskFacts("check", -1, "skipped", skipped="built"), TaskFacts("train", -1, "failed"))
    assert headline(RunFacts("retrain", "x", "failed", tasks=looked)) == "see its log (task train)"

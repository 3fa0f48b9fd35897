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
        == "run r1: talks CER 12.5 %, town WER 4.0 %"
    )
    assert headline(RunFacts("retrain", "x", "success", tasks=tasks[:1])) == "run r1"

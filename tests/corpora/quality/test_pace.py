"""Letters per second beside those of the corpus: limits from its quartiles, the flag in rows, manifest and shards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from corpora.quality.pace import LEAST_UTTERANCES, is_unusual, pace_limits
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from store.opening import open_store


def test_limits_lie_three_widths_outside_the_middle_half_and_are_rounded_outwards() -> None:
    paces = np.linspace(10.0, 18.0, 101, dtype=np.float32)  # quartiles 12 and 16
    assert pace_limits(paces, 3.0) == (0.0, 28.0)
    assert pace_limits(paces, 1.0) == (8.0, 20.0)
    assert pace_limits(paces, 1.02) == (7.5, 20.5)


def test_few_utterances_have_no_limits() -> None:
    paces = np.full(LEAST_UTTERANCES - 1, 12.0, dtype=np.float32)
    assert pace_limits(paces, 3.0) is None
    assert not is_unusual(paces, None).any()


def test_a_further_utterance_does_not_move_the_limits() -> None:
    paces = np.random.default_rng(1).normal(13.2, 1.3, 1000).astype(np.float32)
    limits = pace_limits(paces, 3.0)
    assert limits == pace_limits(np.append(paces, np.float32(60.0)), 3.0)
    assert list(is_unusual(np.array([limits[0] - 0.1, 13.0, limits[1] + 0.1]), limits)) == [True, False, True]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """120 utterances; one says three times as much in its time as the others, far below the absolute limit."""
    utterances = list(tones.utterances(speakers_per_split=8, each=5))
    letters = [len(u.text) / len(u.samples) for u in utterances]
    usual = float(np.median(letters))
    one = utterances[0]
    words = "one two three four five six " * 40
    text = words[: round(3 * usual * len(one.samples))].rpartition(" ")[0].strip()
    return librispeech.write(tmp_path_factory.mktemp("tree"), [replace(one, text=text), *utterances[1:]]).path


def test_an_utterance_of_unusual_pace_is_kept_and_flagged(tree: Path, tmp_path: Path) -> None:
    refresh(RefreshRequest("librispeech", (tree,), store=tmp_path))
    corpus = open_store(tmp_path).corpus("librispeech")
    low, high = corpus.manifest["pace_limits"]
    rows = [row for batch in corpus.batches(columns=["flags", "measures"]) for row in batch.to_pylist()]
    flagged = [row for row in rows if "unusual_pace" in row["flags"]]
    assert corpus.manifest["flags"]["unusual_pace"] == len(flagged) == 1
    assert flagged[0]["measures"]["chars_per_s"] > high > low
    again = refresh(RefreshRequest("librispeech", (tree,), store=tmp_path / "other", workers=2))
    assert again["version"] == corpus.version


def test_a_wider_fence_flags_nothing(tree: Path, tmp_path: Path) -> None:
    refresh(RefreshRequest("librispeech", (tree,), store=tmp_path, thresholds={"pace_fence": 1000.0}))
    assert "unusual_pace" not in open_store(tmp_path).corpus("librispeech").manifest["flags"]

"""What another aligner answers is read as it was meant: words by their labels, all of them claimed."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.align.other_aligners import claimed, words_of_path
from training.network.config import FeatureConfig

PACKAGE: Any = SimpleNamespace(features=FeatureConfig())
A, B, SPACE, BLANK = range(4)


def test_a_path_of_labels_becomes_words_with_times() -> None:
    path = np.array([BLANK, A, A, BLANK, B, SPACE, SPACE, BLANK, B, BLANK])
    first, second = words_of_path(path, ("ab", "b"), (BLANK, SPACE), PACKAGE)
    assert first[0] == "ab" and second[0] == "b"
    hop_s, window_s = FeatureConfig().hop_s, FeatureConfig().window_s
    assert first[1] == pytest.approx(window_s / 2) and first[2] == pytest.approx(5 * hop_s + window_s / 2)
    assert second[2] - second[1] == pytest.approx(2 * hop_s)
    with pytest.raises(ValueError, match="spells 2 words, the text has 3"):
        words_of_path(path, ("ab", "b", "a"), (BLANK, SPACE), PACKAGE)


def test_every_word_is_claimed() -> None:
    answer = claimed([("ab", 0.0, 0.5), ("b", 0.6, 0.7)])
    assert [word["word"] for word in answer["segments"][0]["words"]] == ["ab", "b"]
    assert answer["not_spoken"] == answer["not_written"] == claimed([])["segments"] == []

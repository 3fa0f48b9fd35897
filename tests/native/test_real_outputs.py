"""Outside answers: real network outputs decode to their text, a real ARPA gives its known score."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import native
from tests.native.ctc_reference import build_language_model

SPOKEN = (
    "i have a good deal of will you remember and what i have set my mind upon"
    " no doubt i shall some day achieve"
)


def test_real_outputs_decode_to_their_text(real_data: Path, tmp_path: Path, english: native.Alphabet) -> None:
    path = real_data / "logits" / "pyctcdecode_libri" / "libri_logits.json"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    logits = np.array(json.loads(path.read_text()), dtype=np.float64)
    log_probs = (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)[None]
    assert native.greedy(log_probs, [371], english)[0].text == SPOKEN
    scorer = native.Scorer.load(build_language_model(tmp_path / "lm", [SPOKEN], english))
    for mode in ("exact", "default", "fast"):
        assert native.decode(log_probs, [371], english, mode=mode)[0][0].text == SPOKEN
        assert native.decode(log_probs, [371], english, scorer, mode=mode)[0][0].text == SPOKEN


def test_a_real_arpa_gives_its_known_score(real_data: Path) -> None:
    path = real_data / "logits" / "flashlight_text" / "lm.arpa"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    model = native.LanguageModel.load(path)
    assert (model.order, model.vocabulary_size) == (3, 200_003)
    scores = model.score_sentence("the cat sat on the mat")
    assert sum(log10 for _, log10, _ in scores) == pytest.approx(-19.5123, abs=1e-4)
    assert not any(unknown for _, _, unknown in scores)

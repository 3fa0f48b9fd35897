"""The calls that NeMo's `BeamCTCInfer` makes of pyctcdecode (search_type="pyctcdecode"), in its order, by its names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import native
from native.pyctcdecode import build_ctcdecoder
from tests.native.ctc_reference import build_language_model

LETTERS = [
    " ",
    *"abcdefghijklmnopqrstuvwxyz'",
]  # NeMo's vocabulary has no blank; it is the column behind the last
PIECES = ["<unk>", "▁the", "▁c", "at", "▁s", "▁on", "▁m"]


def heard(places: list[int], columns: int) -> np.ndarray:
    """Log-probabilities [frames, columns] of a network that is nearly sure; the last column is the blank."""
    rows = np.full((2 * len(places), columns), -9.0, np.float32)
    rows[range(0, len(rows), 2), places] = 0.0
    rows[range(1, len(rows), 2), columns - 1] = 0.0
    return rows - np.logaddexp.reduce(rows, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("vocabulary", "said"), [(LETTERS, [*"the cat sat"]), (PIECES, ["▁the", "▁c", "at", "▁s", "at"])]
)
def test_a_batch_as_nemo_decodes_it(vocabulary: list[str], said: list[str], tmp_path: Path) -> None:
    sentences = ["the cat sat on the mat", "the cat sat on a mat"]
    folder = build_language_model(tmp_path, sentences, native.Alphabet(LETTERS))
    scorer = build_ctcdecoder(
        labels=vocabulary, kenlm_model_path=str(folder / "lm.arpa"), alpha=1.0, beta=0.0
    )
    logprobs = heard([vocabulary.index(one) for one in said], len(vocabulary) + 1)
    beams = scorer.decode_beams(
        logprobs, beam_width=16, beam_prune_logp=-10.0, token_min_logp=-5.0, prune_history=False, hotwords=None,
        hotword_weight=10.0, lm_start_state=None,
    )  # fmt: skip
    best = beams[0]
    assert best[0] == "the cat sat"
    assert [word for word, _ in best[2]] == ["the", "cat", "sat"]
    frames = [frame for _, times in best[2] for frame in times]
    assert frames == sorted(frames) and frames[-1] <= len(logprobs)
    assert isinstance(best[4], float) and best[4] >= beams[-1][4]
    if vocabulary is LETTERS:
        assert all(sign in vocabulary for sign in best[0])  # each is looked up for its number

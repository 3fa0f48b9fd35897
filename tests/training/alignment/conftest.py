"""A recording of tones and its text, and the recognizer of tones in the place of the engine's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from training.alignment import align as engine
from training.alignment.align import AlignRequest
from training.runtime.recognizer import Recognizer

WORDS = ("abba", "cad", "bee", "face", "deaf", "fade", "dad", "cafe", "bad", "fee", "ace", "beef")


@pytest.fixture(scope="session")
def sentences() -> Any:
    """Makes sentences of six words."""
    return _sentences


def _sentences(count: int, seed: int = 1) -> list[str]:
    generator = np.random.default_rng(seed)
    return [" ".join(generator.choice(WORDS, size=6)) for _ in range(count)]


@pytest.fixture
def tone_engine(root: Path, tone_recognizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The recognizer of tones in the engine's place."""
    if not (root / "build" / "kenlm" / "bin" / "lmplz").exists():
        pytest.skip("KenLM's programs are not built")
    import native

    def load(package: Any, options: Any) -> Recognizer:
        made: Recognizer = tone_recognizer(deaf_frames=0)
        made.search.scorer = native.Scorer.load(options.language_model, alpha=0.5, beta=0.5)
        return made

    made = tone_recognizer(deaf_frames=0).package
    monkeypatch.setattr(engine.Package, "open", lambda folder: made)
    monkeypatch.setattr(engine.Recognizer, "load", load)


@pytest.fixture
def request_for(tmp_path: Path, tone_engine: None, spoken: Any) -> Any:
    """Makes a recording of sentences and a text file."""
    rest = np.zeros(12000, np.float32)

    def make(said: list[str], written: str, stem: str = "long") -> AlignRequest:
        sound = np.concatenate([part for text in said for part in (rest, spoken(text))] + [rest])
        soundfile.write(tmp_path / f"{stem}.wav", sound, 16000)
        (tmp_path / f"{stem}.txt").write_text(written)
        return AlignRequest(tmp_path / f"{stem}.wav", tmp_path / f"{stem}.txt", tmp_path)

    return make

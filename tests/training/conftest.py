"""A tiny spoken language of tones: one pitch per letter, published as the corpora stage publishes speech."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from corpora.text.normaliser import NORMALISER_VERSION, default_alphabet
from corpora.versions.shards import ShardWriter
from store.opening import open_store
from store.store import Store
from store.versions import link_current
from store.writing import write_json_atomic
from training.network.config import AugmentConfig, LoopConfig, ModelConfig, OptimiserConfig, TrainingConfig
from training.network.dataset import Clip

WORDS = ("abba", "cad", "bee", "face", "deaf", "fade")
Publish = Callable[[Store, str, "dict[str, Sequence[Clip]]"], Path]


def tone_samples(text: str, rate_hz: int, generator: np.random.Generator) -> npt.NDArray[np.int16]:
    """Samples of a text: 90 ms of one pitch per letter, 20 ms of rest between, a little noise."""
    pieces = []
    for letter in text:
        length = int(0.09 * rate_hz)
        pitch = 0.0 if letter == " " else 300.0 + 220.0 * (ord(letter) - ord("a"))
        pieces.append(0.3 * np.sin(2 * np.pi * pitch * np.arange(length) / rate_hz))
        pieces.append(np.zeros(int(0.02 * rate_hz)))
    sound = np.concatenate(pieces)
    sound += 0.005 * generator.standard_normal(len(sound))
    return np.round(sound * 32767).astype(np.int16)


def tone_clips(count: int, seed: int = 1, rate_hz: int = 16000, prefix: str = "u") -> list[Clip]:
    """Sentences of two or three words by three speakers."""
    generator = np.random.default_rng(seed)
    clips = []
    for index in range(count):
        text = " ".join(generator.choice(WORDS, size=int(generator.integers(2, 4))))
        samples = tone_samples(text, rate_hz, generator)
        clips.append(Clip(f"{prefix}{index:03d}", text, rate_hz, samples, f"{prefix}-speaker{index % 3}"))
    return clips


def _row(corpus: str, split: str, clip: Clip) -> dict[str, Any]:
    buffer = io.BytesIO()
    samples = clip.sound()
    soundfile.write(buffer, samples, clip.rate_hz, format="FLAC", subtype="PCM_16")
    return {
        "utterance_id": clip.utterance_id,
        "corpus": corpus,
        "split": split,
        "subset": f"{split}-clean",
        "recording_id": clip.utterance_id,
        "speaker_id": clip.speaker_id,
        "gender": "f",
        "language": "en",
        "licence": "CC0-1.0",
        "audio": {"bytes": buffer.getvalue(), "path": f"{clip.utterance_id}.flac"},
        "sample_rate_hz": clip.rate_hz,
        "num_samples": len(samples),
        "duration_s": len(samples) / clip.rate_hz,
        "channel": 0,
        "text": clip.text,
        "text_raw": clip.text,
        "source_path": "invented",
        "audio_sha256": "",
        "flags": [],
        "measures": {"snr_db": 30.0},
        "normaliser_version": NORMALISER_VERSION,
    }


def publish_corpus(store: Store, name: str, splits: dict[str, Sequence[Clip]]) -> Path:
    """Write a corpus version from clips; returns its folder."""
    version = f"v{sum(map(len, splits.values()))}"
    folder = store.corpora_dir / name / version
    shards, counts = [], {}
    for split, clips in splits.items():
        path = folder / split / "part-00000.parquet"
        with ShardWriter(path) as writer:
            writer.add_rows([_row(name, split, clip) for clip in clips])
        hours = sum(len(clip.sound()) / clip.rate_hz for clip in clips) / 3600
        shards.append(
            {"path": f"{split}/part-00000.parquet", "split": split, "rows": len(clips), "hours": hours}
        )
        counts[split] = {"utterances": len(clips), "hours": hours, "speakers": 3}
    manifest = {
        "kind": "corpus", "corpus": name, "version": version, "alphabet_hash": default_alphabet().hash,
        "normaliser_version": NORMALISER_VERSION, "splits": counts, "shards": shards,
        "rejected": {"empty text": 1},
    }  # fmt: skip
    write_json_atomic(folder / "manifest.json", manifest)
    link_current(folder.parent, version)
    return folder


def small_config(**changes: Any) -> TrainingConfig:
    """Two quick epochs of a network eight units wide."""
    config = TrainingConfig(
        model=ModelConfig(n_hidden=8),
        loop=LoopConfig(epochs=2, batch_size=8, threads=1),
        optimiser=OptimiserConfig(learning_rate=0.01, clip_norm=5.0),
        augment=AugmentConfig(time_masks=1, feature_noise=0.1, feature_offset=0.1),
    )
    return replace(config, **changes)


@dataclass(frozen=True)
class Tones:
    """The helpers above, for tests."""

    clips: Callable[..., list[Clip]] = tone_clips
    publish: Publish = publish_corpus
    config: Callable[..., TrainingConfig] = small_config
    words: tuple[str, ...] = WORDS


@pytest.fixture(scope="session")
def tones() -> Tones:
    """Makes and publishes tones."""
    return Tones()


@pytest.fixture(scope="session")
def tone_store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A store with the corpus `tones`: 40 train, 6 dev, 9 test utterances; the test is at 8 kHz."""
    store = open_store(tmp_path_factory.mktemp("tone_store"))
    splits = {
        "train": tone_clips(40, 1, prefix="train"),
        "dev": tone_clips(6, 2, prefix="dev"),
        "test": tone_clips(9, 3, rate_hz=8000, prefix="test"),
    }
    publish_corpus(store, "tones", splits)
    return store

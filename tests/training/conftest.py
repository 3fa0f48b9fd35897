"""A tiny spoken language of tones: one pitch per letter, published as the corpora stage publishes speech."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

from corpora.text.normaliser import NORMALISER_VERSION, default_alphabet, default_labels
from corpora.versions.shards import ShardWriter
from store.opening import open_store
from store.store import Store
from store.versions import link_current
from store.writing import write_json_atomic
from training.decoding.weights import Weights
from training.network.config import (
    AugmentConfig,
    FeatureConfig,
    LoopConfig,
    ModelConfig,
    OptimiserConfig,
    TrainingConfig,
)
from training.network.dataset import Clip
from training.network.features import Float, mfcc
from training.runtime import live as live_engine
from training.runtime import recognizer as engine
from training.runtime.package import Package
from training.runtime.recognizer import Recognizer, RecognizerOptions, Search

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
        "audio_sha256": hashlib.sha256(samples.tobytes()).hexdigest(),
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


# A recognizer of tones: one pitch per letter, heard by comparing frames with those of each pitch. No training.
LETTERS = "abcdef"
RATE_HZ = 16000
_NEAR = 40.0  # of two frames of cepstra, squared
DEAF_FRAMES = 25  # at either end of a window, where a real network lacks context


def tone(letter: str, duration_s: float) -> Float:
    """A letter's pitch, in steps of 16 bits as files hold it."""
    pitch = 600.0 + 280.0 * (ord(letter) - ord("a"))
    wave = 0.3 * np.sin(2 * np.pi * pitch * np.arange(int(duration_s * RATE_HZ)) / RATE_HZ)
    return (np.round(wave * 32768) / 32768).astype(np.float32)


def spoken(text: str) -> Float:
    """Samples of a text: a tone of 90 ms per letter with 50 ms of rest; a blank is rest."""
    rest = np.zeros(int(0.05 * RATE_HZ), np.float32)
    parts = [
        np.zeros(int(0.09 * RATE_HZ), np.float32) if letter == " " else tone(letter, 0.09) for letter in text
    ]
    return np.concatenate([piece for part in parts for piece in (part, rest)])


class ToneNetwork:
    """Log-probabilities by the nearest pitch; deaf near the ends of whatever it is given."""

    def __init__(self, deaf_frames: int = DEAF_FRAMES) -> None:
        config = FeatureConfig()
        self._patterns = np.stack([mfcc(tone(letter, 0.1), RATE_HZ, config)[1] for letter in LETTERS])
        self._quiet = mfcc(np.zeros(2048, np.float32), RATE_HZ, config)[1]
        self._deaf = deaf_frames
        self.calls: list[list[int]] = []

    def log_probs(self, stretches: Sequence[Float]) -> list[Float]:
        self.calls.append([len(one) for one in stretches])
        return [self._one(frames) for frames in stretches]

    def _one(self, frames: Float) -> Float:
        """A letter where its pitch is heard pure, the blank of a pause once in every long rest, else nothing."""
        apart = np.square(frames[:, None, :] - self._patterns[None]).sum(-1)
        quiet = np.square(frames - self._quiet).sum(-1) < _NEAR
        labels = np.where(apart.min(axis=1) < _NEAR, apart.argmin(axis=1), len(LETTERS) + 1)
        run = 0
        for place, still in enumerate(quiet):
            run = run + 1 if still else 0
            if run == 4:
                labels[place] = len(LETTERS)
        labels[: self._deaf] = len(LETTERS) + 1
        labels[len(labels) - self._deaf :] = len(LETTERS) + 1
        columns = np.array(
            [*(default_labels().index(letter) for letter in (*LETTERS, " ")), len(default_labels())]
        )
        result = np.full((len(frames), len(default_labels()) + 1), np.log(1e-5), np.float32)
        result[np.arange(len(frames)), columns[labels]] = np.log(0.999)
        return result


class LoudEars:
    """Speech is what is loud; stands in for the detector, which takes tones for no speech."""

    def __init__(self, rate_hz: int, rule: Any, lanes: bool = True, submit: Any = None) -> None:
        from training.runtime.speech import CHUNK, Stretches

        self._chunk, self._stretches = CHUNK, Stretches(rule)
        self._tail = np.zeros(0, np.float32)

    def feed(self, samples: Float) -> None:
        self._tail = np.concatenate([self._tail, samples])
        count = len(self._tail) // self._chunk
        chunks = self._tail[: count * self._chunk].reshape(count, self._chunk)
        self._tail = self._tail[count * self._chunk :]
        self._stretches.feed((np.abs(chunks).max(axis=1) > 0.01).astype(np.float32))

    def finish(self) -> None:
        self.feed(np.zeros(self._chunk, np.float32))
        self._stretches.finish()

    def closed(self) -> list[tuple[int, int]]:
        found = [*self._stretches.closed]
        self._stretches.closed.clear()
        return found

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stretches, name)


Make = Callable[..., Recognizer]


@pytest.fixture
def tone_recognizer(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Make:
    """Makes recognizers of tones."""
    import native

    for module in (engine, live_engine):
        monkeypatch.setattr(module, "Ears", LoudEars)
    labels = default_labels()

    def make(threads: int = 1, deaf_frames: int = DEAF_FRAMES, **options: Any) -> Recognizer:
        package = Package(
            "tones", tmp_path, FeatureConfig(), labels, Weights(), "en", {"language_model": None}
        )
        search = Search(native.Alphabet(list(labels)), None, Weights(mode="default"), {})
        chosen = RecognizerOptions(threads=threads, **options)
        network: Any = ToneNetwork(deaf_frames)
        return Recognizer(package, network, search, chosen)

    return make


def pieces(samples: Float, size: int) -> list[npt.NDArray[np.float32]]:
    """A sound cut anyhow."""
    return [samples[start : start + size] for start in range(0, len(samples), size)]


@pytest.fixture(name="spoken")
def spoken_fixture() -> Callable[[str], Float]:
    """The samples of a text."""
    return spoken


@pytest.fixture(name="pieces")
def pieces_fixture() -> Callable[[Float, int], list[Float]]:
    """Cuts a sound."""
    return pieces

"""A released model of a few sentences that espeak-ng says: small enough to train in a test, and right on what it learnt."""

from __future__ import annotations

import hashlib
import io
import random
import subprocess
from pathlib import Path
from typing import Any

import soundfile

from corpora.text.normaliser import NORMALISER_VERSION, default_alphabet
from corpora.versions.shards import ShardWriter
from lm.build import build
from lm.request import BuildRequest
from store.opening import open_store
from store.store import Store
from store.versions import link_current
from store.writing import write_json_atomic
from training.network.config import LoopConfig, ModelConfig, OptimiserConfig, TrainingConfig
from training.release.package import release_for
from training.release.registry import Model
from training.runs import run_id_for, train_in_store

_WORDS = (
    *(
        "the",
        "old",
        "captain",
        "walked",
        "by",
        "a",
        "river",
        "and",
        "saw",
        "seven",
        "boats",
        "near",
        "his",
        "mill",
    ),
    *("before", "morning", "came", "with", "rain"),
)
_VOICES = ("en", "en-us")


def sentences(count: int, seed: int = 1) -> list[str]:
    """Rows of five to seven words."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(_WORDS, k=chance.randint(5, 7))) for _ in range(count)]


def say(text: str, path: Path, voice: str = "en") -> Path:
    """A sound file of a text, as espeak-ng says it."""
    subprocess.run(["espeak-ng", "-v", voice, "-s", "150", "-w", str(path), text], check=True)
    return path


def released_model(folder: Path, direction: str = "bidirectional") -> tuple[Store, Model]:
    """Train, build a language model and release, in a store of its own."""
    store = open_store(folder / "store")
    said = sentences(30)
    _publish(store, said, folder)
    text = folder / "said.txt"
    text.write_text("\n".join(said) + "\n", encoding="utf-8")
    build(BuildRequest(publish="default", text=(text,), corpora=(), order=3, prune=(), store=store.root))
    config = TrainingConfig(
        model=ModelConfig(n_hidden=96, direction=direction),
        loop=LoopConfig(epochs=40, batch_size=6, dev_every_epochs=40),
        optimiser=OptimiserConfig(learning_rate=0.003, clip_norm=5.0, decay="linear"),
    )
    train_in_store(config, store)
    return store, release_for(run_id_for(config, store), store, "it knows its sentences by heart")


def _publish(store: Store, said: list[str], folder: Path) -> None:
    rows = [
        _row(f"{voice}{number:02d}", text, say(text, folder / "one.wav", voice))
        for number, text in enumerate(said)
        for voice in _VOICES
    ]
    version, shards, counts = "v1", [], {}
    for split, chosen in (("train", rows), ("dev", rows[::10]), ("test", rows[5::10])):
        path = store.corpora_dir / "espeak" / version / split / "part-00000.parquet"
        with ShardWriter(path) as writer:
            writer.add_rows(
                [{**row, "split": split, "utterance_id": f"{split}-{row['utterance_id']}"} for row in chosen]
            )
        hours = sum(row["duration_s"] for row in chosen) / 3600
        shards.append({"path": f"{split}/{path.name}", "split": split, "rows": len(chosen), "hours": hours})
        counts[split] = {"utterances": len(chosen), "hours": hours, "speakers": len(_VOICES)}
    place = store.corpora_dir / "espeak"
    items = {"input": len(rows), "accepted": len(rows), "rejected": 0, "ignored": 0}
    manifest = {
        "kind": "corpus", "corpus": "espeak", "importer": "librispeech", "version": version,
        "alphabet_hash": default_alphabet().hash,
        "normaliser_version": NORMALISER_VERSION, "splits": counts, "shards": shards, "rejected": {}, "items": items,
    }  # fmt: skip
    write_json_atomic(place / version / "manifest.json", manifest)
    link_current(place, version)


def _row(name: str, text: str, sound: Path) -> dict[str, Any]:
    samples, rate_hz = soundfile.read(sound, dtype="int16")
    packed = io.BytesIO()
    soundfile.write(packed, samples, rate_hz, format="FLAC", subtype="PCM_16")
    return {
        "utterance_id": name, "corpus": "espeak", "split": "", "subset": "", "recording_id": name,
        "speaker_id": name[:2], "gender": "m", "language": "en", "licence": "CC0-1.0",
        "audio": {"bytes": packed.getvalue(), "path": f"{name}.flac"}, "sample_rate_hz": rate_hz,
        "num_samples": len(samples), "duration_s": len(samples) / rate_hz, "channel": 0, "text": text, "text_raw": text,
        "source_path": "espeak-ng", "audio_sha256": hashlib.sha256(samples.tobytes()).hexdigest(), "flags": [],
        "measures": {"snr_db": 60.0}, "normaliser_version": NORMALISER_VERSION,
    }  # fmt: skip

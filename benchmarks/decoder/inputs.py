"""What is decoded: made-up network outputs, language models in three forms, and a real network's outputs.

    <build>/bench/decoder/<key>/speed/     200 utterances for the tables     task.json flat.npy offsets.npy
                                many/      2,000 more, for default against exact
                                lm-probing/ lm-trie/ lm-quantised/          by our own `python -m lm build`
                                words.txt  the lexicon

`key` stands for text, seed and this code's rules; what exists is not made again.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import native
from benchmarks.decoder.posteriors import LABELS, Posteriors, calibrate, make_posteriors
from benchmarks.decoder.text import read_prose
from scoring.wer import count_errors

RULES_VERSION = "3"
WANTED_WER = 0.15
_CALIBRATION_UTTERANCES = 300
_MODELS = {"probing": ("--binary", "probing"), "trie": ("--binary", "trie"),
           "quantised": ("--binary", "trie", "--quantise", "8")}  # fmt: skip


@dataclass(frozen=True)
class InputRequest:
    """Which text, how many utterances for the tables and for the search-error check."""

    text: Path
    seed: int = 1
    speed: int = 200
    many: int = 2000


@dataclass(frozen=True)
class Inputs:
    """Folders for the workers and what was said."""

    speed: Path
    many: Path
    texts: dict[str, list[str]]
    facts: dict[str, Any]
    models: dict[str, str]


def prepare(request: InputRequest, build: Path) -> Inputs:
    """Makes all inputs, or finds those of an earlier run."""
    stamp = [RULES_VERSION, request.seed, request.speed, request.many, *_fingerprint(request.text)]
    folder = build / "bench" / "decoder" / hashlib.sha256(json.dumps(stamp).encode()).hexdigest()[:12]
    facts_file = folder / "facts.json"
    models = {name: str(folder / f"lm-{name}") for name in _MODELS}
    if not facts_file.is_file():
        _make(request, folder, models)
    facts = json.loads(facts_file.read_text(encoding="utf-8"))
    texts = {
        n: json.loads((folder / n / "texts.json").read_text(encoding="utf-8")) for n in ("speed", "many")
    }
    return Inputs(folder / "speed", folder / "many", texts, facts, models)


def _fingerprint(path: Path) -> list[Any]:
    files = [path] if path.is_file() else sorted(path.rglob("*.txt"))
    return [[file.name, file.stat().st_size] for file in files]


def _make(request: InputRequest, folder: Path, models: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    prose = read_prose(request.text, request.speed + request.many)
    text_file = folder / "lm.txt"
    text_file.write_text("\n".join(prose.sentences) + "\n", encoding="utf-8")
    for name, options in _MODELS.items():
        _build_model(Path(models[name]), text_file, folder, options)
    words_file = folder / "words.txt"
    words = words_of(next(Path(models["probing"]).glob("lm.arpa*")))
    words_file.write_text("\n".join(words) + "\n", encoding="utf-8")
    every = len(prose.utterances) // request.speed
    chosen = set(range(0, every * request.speed, every))  # spread over the held-out books
    speed = [text for i, text in enumerate(prose.utterances) if i in chosen]
    many = [text for i, text in enumerate(prose.utterances) if i not in chosen]
    sample = many[:: max(1, len(many) // _CALIBRATION_UTTERANCES)]
    doubtful = calibrate(sample, request.seed, WANTED_WER, greedy_wer)
    facts: dict[str, Any] = {"doubtful": round(doubtful, 4), "books": prose.books, "held_out": prose.held_out}
    description = {"labels": list(LABELS), "models": models, "words": str(words_file)}
    for name, texts, seed in (("speed", speed, request.seed), ("many", many, request.seed + 1)):
        made = make_posteriors(texts, doubtful, seed)
        write_task(folder / name, made, description)
        facts[name] = {**describe(made), "unknown_words": _unknown(texts, words)}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def _build_model(target: Path, text: Path, folder: Path, options: Sequence[str]) -> None:
    """Our own language model stage, trigrams."""
    command = [sys.executable, "-m", "lm", "build", "--out", str(target), "--text", str(text), "--corpora",
               "--order", "3", "--store", str(folder / "store"), *options]  # fmt: skip
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=os.environ)


def words_of(arpa: Path) -> list[str]:
    """The words of an ARPA file, packed or not, without its marks."""
    words, inside = [], False
    packed = arpa.suffix == ".gz"
    with gzip.open(arpa, "rt", encoding="utf-8") if packed else arpa.open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("\\"):
                if inside:
                    break
                inside = line.startswith("\\1-grams")
            elif inside and line.strip():
                words.append(line.split("\t")[1].strip())
    return [word for word in words if not word.startswith("<")]


def write_task(folder: Path, made: Posteriors, description: dict[str, Any]) -> None:
    """Writes what worker.Task reads."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "flat.npy", made.flat)
    np.save(folder / "offsets.npy", made.offsets)
    (folder / "texts.json").write_text(json.dumps(made.texts), encoding="utf-8")
    (folder / "task.json").write_text(json.dumps(description), encoding="utf-8")


def greedy_wer(made: Posteriors) -> float:
    """Word error rate of best-path decoding."""
    alphabet = native.Alphabet(list(LABELS))
    heard = [native.greedy(r[None], [len(r)], alphabet)[0].text for r in map(made.rows, range(len(made)))]
    return count_errors(made.texts, heard).wer


def describe(made: Posteriors) -> dict[str, Any]:
    """The figures that make inputs comparable with those of other benchmarks."""
    probability = np.exp(made.flat)
    return {
        "utterances": len(made),
        "frames_per_utterance": round(len(made.flat) / len(made), 1),
        "labels": made.flat.shape[1],
        "blank_above_0.999": round(float((probability[:, -1] > 0.999).mean()), 3),
        "labels_above_1e-4": round(float((probability > 1e-4).sum(1).mean()), 2),
        "labels_to_0.99": round(float(_labels_to(probability, 0.99).mean()), 2),
        "greedy_wer": round(greedy_wer(made), 4),
    }


def _labels_to(probability: Any, mass: float) -> Any:
    """How many labels of each frame it takes to reach `mass`."""
    return 1 + (np.cumsum(np.sort(probability, 1)[:, ::-1], 1) < mass).sum(1)


def _unknown(texts: Sequence[str], words: Sequence[str]) -> float:
    """Share of words that no lexicon of `words` can write."""
    known, said = set(words), [word for text in texts for word in text.split()]
    return round(sum(word not in known for word in said) / max(1, len(said)), 4)

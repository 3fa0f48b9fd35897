"""What a fixed network heard, as features: a network of our own learns from them how some speakers say their sounds.

    OUTPUTS/tokens.npz        natural logs of all that the network tells apart, float16 [frames, tokens], by utterance id
    OUTPUTS/tokens-85.npz     the same of the sound played at 0.85 of its speed, and so on: other hearings of it

What a network of the last layer's width says in more tokens than that layer has cells is the layer itself, turned and
moved: its principal components are taken, each with deviation 1, those left out that only rounding makes. The text of a
training utterance is the sounds of its words; so it learns which sounds the speaker makes where those were to be read.
Played slower a voice has a longer vocal tract, and the network mistakes other sounds: every hearing of a training utterance
is learnt from, and those of dev and test are measured apart, so that they can judge together.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from demo.journey.ocean import read_table
from store.writing import write_bytes_atomic
from training.errors import DataError
from training.network.features import Float
from training.network.feed.feature_folder import transcripts_table

TOKENS = "tokens.npz"
_OTHERS = re.compile(r"tokens-(\d+)\.npz")  # per cent of the speed
_PLAIN = "100"
_HOP_S = 0.02
_ROUNDING = 0.05  # nats; components that deviate less are made by float16
_DECIMALS = 6  # of a rotation
_EVERY = 5  # training utterances of which the components are found


@dataclass(frozen=True)
class Heard:
    """An utterance and, by per cent of the speed, a fixed network's natural logs, float32 [frames, tokens]."""

    utterance_id: str
    split: str
    speaker: str
    text: str
    logs: Mapping[str, Float]


@dataclass(frozen=True)
class Outputs:
    """speechocean762's folder, the split of each of its speakers (others are left out), the folder of outputs."""

    folder: Path
    splits: Mapping[str, str]
    given: Path

    def hearings(self) -> dict[str, Path]:
        """Per cent of the speed to its file, the plain one first."""
        found = {match[1]: path for path in self.given.iterdir() if (match := _OTHERS.fullmatch(path.name))}
        return {_PLAIN: self.given / TOKENS} | dict(sorted(found.items(), key=lambda one: int(one[0])))

    def utterances(self) -> Iterator[Heard]:
        """Those of known speakers, in the order of their names, training part first; without logs where a hearing lacks
        it."""
        with ExitStack() as stack:
            packs = {speed: stack.enter_context(np.load(path)) for speed, path in self.hearings().items()}
            there = set.intersection(*(set(pack.files) for pack in packs.values()))
            for part in ("train", "test"):
                speaker_of = read_table(self.folder / part / "utt2spk")
                for name, text in sorted(read_table(self.folder / part / "text").items()):
                    split = self.splits.get(speaker_of.get(name, ""))
                    if split is None:
                        continue
                    logs = {
                        speed: pack[name].astype(np.float32) for speed, pack in packs.items() if name in there
                    }
                    yield Heard(name, split, speaker_of[name], " ".join(text.lower().split()), logs)


@dataclass(frozen=True)
class Components:
    """Principal components of a network's logs: mean [tokens] and rotation [tokens, components].

    What a BLAS sums depends on how many cores it has: sums are einsum's, and what LAPACK finds is rounded.
    """

    mean: npt.NDArray[np.float64]
    rotation: npt.NDArray[np.float64]

    @classmethod
    def of(cls, frames: npt.NDArray[np.floating]) -> Components:
        """Of logs [frames, tokens], whose own mean per frame says nothing."""
        values = _levelled(frames)
        mean = values.mean(axis=0)
        apart = values - mean
        squares, vectors = np.linalg.eigh(np.einsum("fi,fj->ij", apart, apart) / (len(apart) - 1))
        deviations = np.sqrt(np.maximum(squares[::-1], 0.0))
        kept = deviations >= _ROUNDING
        rotation = vectors[:, ::-1][:, kept] / deviations[kept]
        largest = np.take_along_axis(rotation, np.abs(rotation).argmax(axis=0)[None], axis=0)
        return cls(mean, np.round(rotation * np.sign(largest), _DECIMALS))

    def features(self, logs: npt.NDArray[np.floating]) -> Float:
        """float32 [frames, components]."""
        turned: Float = np.einsum("fi,ic->fc", _levelled(logs) - self.mean, self.rotation).astype(np.float32)
        return turned


def _levelled(logs: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    values = logs.astype(np.float64)
    levelled: npt.NDArray[np.float64] = values - values.mean(axis=1, keepdims=True)
    return levelled


def components_of(outputs: Outputs) -> Components:
    """The components of what the network heard at the plain speed, of every fifth training utterance.

    Raises:
        DataError: nothing was heard of any.
    """
    train = [one.logs[_PLAIN] for one in outputs.utterances() if one.split == "train" and one.logs][::_EVERY]
    if not train:
        raise DataError(f"{outputs.given / TOKENS} holds no outputs for the training speakers")
    return Components.of(np.concatenate(train))


def write_sounds_folder(
    outputs: Outputs, components: Components, lexicon: Mapping[str, Sequence[str]], out: Path
) -> dict[str, int]:
    """Write what `training run --features` learns from: texts in sounds, train in every hearing.

    Answers utterances by split (training ones counted once) and those left out: training ones that were not heard at every
    speed, and those with a word without a pronunciation.
    """
    counts, rows = {"train": 0, "dev": 0, "unheard": 0, "unpronounced": 0}, []
    for one in outputs.utterances():
        words = one.text.split()
        if one.split == "test":
            continue
        if not one.logs:
            counts["unheard"] += one.split == "train"
            continue
        if any(word not in lexicon for word in words):
            counts["unpronounced"] += 1
            continue
        counts[one.split] += 1
        for speed, logs in one.logs.items():
            if speed == _PLAIN or one.split == "train":
                name = one.utterance_id + ("" if speed == _PLAIN else f"-{speed}")
                _write_features(out / f"{name}.npy", components.features(logs))
                rows.append((name, one.split, one.speaker, " ".join(lexicon[word][0] for word in words)))
    _write_tables(out, rows)
    return counts


def write_words_folders(
    outputs: Outputs, components: Components, folders: Mapping[str, Path]
) -> dict[str, int]:
    """Write what such a network is measured on, a folder for each hearing: dev and test, texts in words.

    Answers utterances by split, and those of both that were not heard at every speed.
    """
    counts, rows = {"dev": 0, "test": 0, "unheard": 0}, []
    for one in outputs.utterances():
        if one.split != "train":
            counts[one.split if one.logs else "unheard"] += 1
        if one.split != "train" and one.logs:
            rows.append((one.utterance_id, one.split, one.speaker, one.text))
            for speed, folder in folders.items():
                _write_features(folder / f"{one.utterance_id}.npy", components.features(one.logs[speed]))
    for folder in folders.values():
        _write_tables(folder, rows)
    return counts


def _write_features(path: Path, values: Float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    content = io.BytesIO()
    np.save(content, values)
    write_bytes_atomic(path, content.getvalue())


def _write_tables(out: Path, rows: list[tuple[str, str, str, str]]) -> None:
    write_bytes_atomic(out / "features.toml", f"hop_s = {_HOP_S}\nstack = 1\n".encode())
    write_bytes_atomic(out / "transcripts.tsv", transcripts_table(rows))

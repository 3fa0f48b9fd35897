"""AN4 as features: Sphinx' archive of MFCC becomes a folder that `training --features` reads.

    an4/etc/an4_train.{transcription,fileids}     TEXT (id) lines; paths of the ids below feat/
    an4/etc/an4.dic                               WORD and its sounds, WORD(2) and those of another way to say it
    an4/feat/<path>.mfc                           a big-endian int32 count, then float32 frames of 13, every 10 ms

Two sets of speakers are held out by the hash of their names: ten are test, the next eight dev. Each speaker's mean is
taken out and the deviation made 1: microphones and voices differ, and one spelled letter has no mean of its own. Because
no sound is there that could be played faster or by another voice, the training utterances stand there at three tempi,
frames drawn out or pressed together, and as said by vocal tracts of seven lengths: a warped frequency axis is a linear
map of cepstra (Pitz and Ney, 2005).

The same utterances stand in a second folder with their texts in sounds, one letter each, for a network over sounds.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt

from store.writing import write_bytes_atomic
from training.errors import DataError
from training.network.feed.feature_folder import transcripts_table

_COEFFICIENTS = 13
_TEST_SPEAKERS, _DEV_SPEAKERS = 10, 8
_TEMPI = (0.9, 1.0, 1.1)
_WARPS = (0.85, 0.9, 0.95, 1.0, 1.05, 1.1, 1.15)
_LOW_HZ, _HIGH_HZ, _FILTERS = 130.0, 6800.0, 40  # of the archive's front end
_KNEE = 0.85  # of the highest frequency: above it the axis is drawn straight to the end
_LINE = re.compile(r"(?P<text>.*?)\s*\((?P<id>[^()\s]+)\)\s*$")
_COPY = re.compile(r"-\d+-\d+$")  # at another tempo, of another tract
_SOUNDS = "abcdefghijklmnopqrstuvwxyzàáâãäåæçèéêëì"  # sounds are written with, in the order of their names
_LETTER_A = ["EY"]  # here an "a" is spelled, not the article that the dictionary has first
_MARKS = re.compile(r"</?s>|<sil>|\+\+\w+\+\+")


@dataclass(frozen=True)
class Said:
    """One utterance of the archive; features are float32 [frames, 13]."""

    utterance_id: str
    speaker: str
    text: str
    features: npt.NDArray[np.float32]


def write_feature_folder(archive: Path, folder: Path) -> dict[str, int]:
    """Write the folder of features; answers utterances by split (training ones counted once).

    Raises:
        DataError: the archive is not what is described above; names the part.
    """
    said = list(read_archive(archive))
    voices: dict[str, list[npt.NDArray[np.float32]]] = {}
    for one in said:
        voices.setdefault(one.speaker, []).append(one.features)
    all_of = {speaker: np.concatenate(parts) for speaker, parts in voices.items()}
    split_of = held_out(sorted({one.speaker for one in said}))
    folder.mkdir(parents=True, exist_ok=True)
    counts, rows = dict.fromkeys(("train", "dev", "test"), 0), []
    for one in said:
        split = split_of[one.speaker]
        counts[split] += 1
        for tempo, factor in product(_TEMPI, _WARPS) if split == "train" else [(1.0, 1.0)]:
            plain = tempo == factor == 1.0
            name = one.utterance_id + ("" if plain else f"-{round(100 * tempo)}-{round(100 * factor)}")
            content = io.BytesIO()
            voice = by_tract(all_of[one.speaker], factor)
            np.save(content, at_tempo(evened(by_tract(one.features, factor), voice), tempo))
            write_bytes_atomic(folder / f"{name}.npy", content.getvalue())
            rows.append((name, split, one.speaker, one.text))
    write_bytes_atomic(folder / "features.toml", b"hop_s = 0.01\nstack = 2\n")
    write_bytes_atomic(folder / "transcripts.tsv", transcripts_table(rows))
    return counts


def write_sounds_folder(archive: Path, folder: Path, out: Path) -> dict[str, list[str]]:
    """Write beside the folder of features one with texts in sounds, its `alphabet.txt` and `pronunciations.txt`.

    Answers the sounds of each word, as its first pronunciation has them.

    Raises:
        DataError: the archive has no dictionary, too many sounds stand in it, or a word does not.
    """
    said = _dictionary(archive)
    names = sorted({sound for sounds in said.values() for sound in sounds})
    if len(names) > len(_SOUNDS):
        raise DataError(
            f"{archive}: etc/an4.dic has {len(names)} sounds; at most {len(_SOUNDS)} can be written"
        )
    label_of = dict(zip(names, _SOUNDS, strict=False))
    out.mkdir(parents=True, exist_ok=True)
    rows = []
    for row in _rows(folder):
        missing = [word for word in row["text"].split() if word not in said]
        if missing:
            raise DataError(f"{archive}: etc/an4.dic has no {missing[0]!r}, which is said in {row['id']}")
        spelled = " ".join("".join(label_of[sound] for sound in said[word]) for word in row["text"].split())
        rows.append((row["id"], row["split"], row["speaker"], spelled))
        features = out / f"{row['id']}.npy"
        features.unlink(missing_ok=True)
        features.hardlink_to(folder / features.name)
    lines = (
        f"{word} {' '.join(label_of[sound] for sound in sounds)}\n" for word, sounds in sorted(said.items())
    )
    write_bytes_atomic(out / "pronunciations.txt", "".join(lines).encode())
    write_bytes_atomic(
        out / "alphabet.txt", "".join(f"{label}\n" for label in (" ", *label_of.values())).encode()
    )
    write_bytes_atomic(out / "features.toml", (folder / "features.toml").read_bytes())
    write_bytes_atomic(out / "transcripts.tsv", transcripts_table(rows))
    return said


def _dictionary(archive: Path) -> dict[str, list[str]]:
    """Word to the sounds of its first pronunciation."""
    contents = _contents(archive)
    name = next((name for name in contents if name.endswith("etc/an4.dic")), None)
    if name is None:
        raise DataError(f"{archive}: holds no etc/an4.dic")
    said: dict[str, list[str]] = {}
    for line in contents[name].decode("utf-8").splitlines():
        word, *sounds = line.split() or [""]
        if not sounds:
            continue  # an empty line, or a word that nobody can say
        said.setdefault(word.partition("(")[0].lower(), sounds)
    return {**said, "a": _LETTER_A}


def held_out(speakers: list[str]) -> dict[str, str]:
    """The split of each speaker: by the hash of the name ten are test, the next eight dev, the others train."""
    order = sorted(speakers, key=lambda name: hashlib.sha256(name.encode()).digest())
    last = _TEST_SPEAKERS + _DEV_SPEAKERS
    return {
        name: "test" if place < _TEST_SPEAKERS else "dev" if place < last else "train"
        for place, name in enumerate(order)
    }


def evened(
    values: npt.NDArray[np.float32], voice: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.float32]:
    """Frames [frames, n], moved and scaled so that those of `voice` (default: themselves) have mean 0 and deviation 1."""
    like = values if voice is None else voice
    out: npt.NDArray[np.float32] = (values - like.mean(axis=0)) / (like.std(axis=0) + 1e-3)
    return out.astype(np.float32)


def by_tract(values: npt.NDArray[np.float32], factor: float) -> npt.NDArray[np.float32]:
    """Cepstra [frames, n] as of a vocal tract whose frequencies are `factor` times as high."""
    if factor == 1.0:
        return values
    warped: npt.NDArray[np.float32] = (values @ _tract_map(factor, values.shape[1]).T).astype(np.float32)
    return warped


def _tract_map(factor: float, count: int) -> npt.NDArray[np.float64]:
    """[n, n]: the spectrum that cepstra stand for, read at other frequencies, in cepstra again."""
    places = (np.arange(_FILTERS) + 0.5) / _FILTERS
    low, high = (2595 * np.log10(1 + hz / 700) for hz in (_LOW_HZ, _HIGH_HZ))
    hz = 700 * (10 ** ((low + places * (high - low)) / 2595) - 1)
    knee = _KNEE * _HIGH_HZ / max(factor, 1.0)
    above = factor * knee + (_HIGH_HZ - factor * knee) * (hz - knee) / (_HIGH_HZ - knee)
    read_at = np.clip(np.where(hz <= knee, factor * hz, above), _LOW_HZ, _HIGH_HZ)
    warped = (2595 * np.log10(1 + read_at / 700) - low) / (high - low)
    waves = np.pi * np.arange(count)
    answer: npt.NDArray[np.float64] = np.linalg.lstsq(
        np.cos(places[:, None] * waves), np.cos(warped[:, None] * waves), rcond=None
    )[0]
    return answer


def at_tempo(values: npt.NDArray[np.float32], tempo: float) -> npt.NDArray[np.float32]:
    """Frames [frames, n] drawn out (tempo below 1) or pressed together, between neighbours in a straight line."""
    if tempo == 1.0 or len(values) < 2:
        return np.ascontiguousarray(values, np.float32)
    places = np.arange(0, len(values) - 1, tempo)
    first = places.astype(np.int64)
    share = (places - first)[:, None]
    drawn: npt.NDArray[np.float32] = (values[first] * (1 - share) + values[first + 1] * share).astype(
        np.float32
    )
    return drawn


def read_archive(archive: Path) -> Iterator[Said]:
    """The utterances of the archive, in the order of its transcription.

    Raises:
        DataError: no archive, a part is missing, or features are not what they should be.
    """
    contents = _contents(archive)
    lines = _text(archive, contents, "transcription")
    paths = {path.rpartition("/")[2]: path for path in _text(archive, contents, "fileids")}
    for number, line in enumerate(lines, start=1):
        found = _LINE.match(line)
        if found is None or found["id"] not in paths:
            raise DataError(f"{archive}: transcription:{number}: expected TEXT (id) with an id of fileids")
        path = paths[found["id"]]
        text = " ".join(_MARKS.sub(" ", found["text"]).lower().split())
        content = next((contents[name] for name in contents if name.endswith(f"feat/{path}.mfc")), b"")
        yield Said(found["id"], path.split("/")[-2], text, _features(archive, path, content))


def _contents(archive: Path) -> dict[str, bytes]:
    """Name to content of every file."""
    try:
        with tarfile.open(archive) as tar:
            parts = {one.name: tar.extractfile(one) for one in tar.getmembers() if one.isfile()}
            return {name: part.read() for name, part in parts.items() if part is not None}
    except (OSError, tarfile.TarError, EOFError) as error:
        raise DataError(f"{archive}: cannot be read as a tar: {error}") from error


def _text(archive: Path, contents: dict[str, bytes], what: str) -> list[str]:
    names = [name for name in contents if name.endswith(f"etc/an4_train.{what}")]
    if not names:
        raise DataError(f"{archive}: holds no etc/an4_train.{what}")
    return contents[names[0]].decode("utf-8").split("\n")[:-1]


def _features(archive: Path, path: str, content: bytes) -> npt.NDArray[np.float32]:
    values = np.frombuffer(content[4:], ">f4") if len(content) > 4 and len(content) % 4 == 0 else np.zeros(0)
    declared = int.from_bytes(content[:4], "big")
    if len(values) == 0 or len(values) != declared or len(values) % _COEFFICIENTS:
        raise DataError(f"{archive}: feat/{path}.mfc: expected a count and as many values, 13 a frame")
    frames: npt.NDArray[np.float32] = values.reshape(-1, _COEFFICIENTS).astype(np.float32)
    return frames


def write_training_text(folder: Path, path: Path) -> None:
    """What the training speakers said, each sentence once per utterance, for the language model."""
    rows = _rows(folder)
    texts = [row["text"] for row in rows if row["split"] == "train" and not _COPY.search(row["id"])]
    write_bytes_atomic(path, "".join(f"{text}\n" for text in texts).encode())


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "transcripts.tsv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))

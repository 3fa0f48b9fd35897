"""AN4 as features: Sphinx' archive of MFCC becomes a folder that `training --features` reads.

    an4/etc/an4_train.{transcription,fileids}     TEXT (id) lines; paths of the ids below feat/
    an4/feat/<path>.mfc                           a big-endian int32 count, then float32 frames of 13, every 10 ms

Two sets of speakers are held out by the hash of their names: every `_SHARE`-th of them is test, the next one dev. Each
utterance's mean is taken out (microphones differ), and the training utterances stand there at three tempi, frames
drawn out or pressed together, because no sound is there that could be played faster.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from store.writing import write_bytes_atomic
from training.errors import DataError

_COEFFICIENTS = 13
_TEST_SPEAKERS, _DEV_SPEAKERS = 10, 8
_TEMPI = (0.9, 1.0, 1.1)
_LINE = re.compile(r"(?P<text>.*?)\s*\((?P<id>[^()\s]+)\)\s*$")
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
    split_of = held_out(sorted({one.speaker for one in said}))
    folder.mkdir(parents=True, exist_ok=True)
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
    writer.writerow(["id", "split", "speaker", "text"])
    counts = dict.fromkeys(("train", "dev", "test"), 0)
    for one in said:
        split = split_of[one.speaker]
        counts[split] += 1
        values = one.features - one.features.mean(axis=0)
        for tempo in _TEMPI if split == "train" else (1.0,):
            name = one.utterance_id if tempo == 1.0 else f"{one.utterance_id}-{round(100 * tempo)}"
            content = io.BytesIO()
            np.save(content, at_tempo(values, tempo))
            write_bytes_atomic(folder / f"{name}.npy", content.getvalue())
            writer.writerow([name, split, one.speaker, one.text])
    write_bytes_atomic(folder / "features.toml", b"hop_s = 0.01\nstack = 2\n")
    write_bytes_atomic(folder / "transcripts.tsv", table.getvalue().encode())
    return counts


def held_out(speakers: list[str]) -> dict[str, str]:
    """The split of each speaker: by the hash of the name ten are test, the next eight dev, the others train."""
    order = sorted(speakers, key=lambda name: hashlib.sha256(name.encode()).digest())
    last = _TEST_SPEAKERS + _DEV_SPEAKERS
    return {
        name: "test" if place < _TEST_SPEAKERS else "dev" if place < last else "train"
        for place, name in enumerate(order)
    }


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
    try:
        with tarfile.open(archive) as tar:
            parts = {one.name: tar.extractfile(one) for one in tar.getmembers() if one.isfile()}
            contents = {name: part.read() for name, part in parts.items() if part is not None}
    except (OSError, tarfile.TarError, EOFError) as error:
        raise DataError(f"{archive}: cannot be read as a tar: {error}") from error
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
    with (folder / "transcripts.tsv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    texts = [
        row["text"] for row in rows if row["split"] == "train" and not row["id"].endswith(("-90", "-110"))
    ]
    write_bytes_atomic(path, "".join(f"{text}\n" for text in texts).encode())

"""A network over phonemes that is not ours, and what a lexicon of pronunciations and a language model make of its outputs.

What it needs lies in one folder: `log_probs.npz`, `labels.tsv`, `refs.tsv` (docs/training.md) and `lexicon.tsv`, each
word with its spelling in the network's labels, one character a sound. The first utterances of the first reader are dev,
the reader's others are test, other readers' are counted and left out. Measured twice: as it is written, and as it
sounds, where two words of one sound count as equal, which is all that the network's own text can be measured by.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from scoring.significance import wer_interval
from scoring.wer import count_errors
from store.writing import write_bytes_atomic
from training.decoding.recognise import DECODERS
from training.errors import DataError
from training.network.feed.feature_folder import transcripts_table

_READER = "a_"
_TUNED_ON = 85  # of the first reader's


def read_lexicon(folder: Path) -> dict[str, str]:
    """Word to its spelling in labels.

    Raises:
        DataError: it cannot be read.
    """
    path = folder / "lexicon.tsv"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE) if len(row) > 1]
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read: {error}") from error
    return {row[0]: row[1] for row in rows}


def prepare(folder: Path, work: Path) -> dict[str, int]:
    """Write what the commands read: outputs with their references, the alphabet; answers utterances by split."""
    work.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "log_probs.npz", work / "log_probs.npz")
    shutil.copyfile(folder / "labels.tsv", work / "labels.tsv")
    write_bytes_atomic(work / "alphabet.txt", labels_of(folder / "labels.tsv").encode())
    return _write_references(folder, work)


def labels_of(table: Path) -> str:
    """The labels of a network's table without its blank, one a line."""
    lines = table.read_text(encoding="utf-8").splitlines()
    return "".join(line.split("\t")[1] + "\n" for line in lines[:-1])  # the last is the blank


def sounds_of(table: Path) -> dict[str, str]:
    """ARPAbet's name of each sound to its label, of a network's table."""
    lines = table.read_text(encoding="utf-8").splitlines()
    return {name: label for _, label, name, *_ in (line.split("\t") for line in lines[1:-1])}


def words_of(model: Path) -> list[str]:
    """The words of a language model's folder, in its order."""
    words: list[str] = []
    with (model / "lm.arpa").open(encoding="utf-8") as lines:
        for line in lines:
            if line.startswith("\\2-grams:"):
                break
            fields = line.rstrip("\n").split("\t")
            if len(fields) > 1 and not fields[1].startswith("<"):
                words.append(fields[1])
    return words


def write_pronunciations(lexicon: Mapping[str, Sequence[str]], path: Path) -> None:
    """The list that `lm build --pronunciations` reads: word, then its sounds; a line for each pronunciation."""
    said = [
        f"{word}{'' if number == 1 else f'({number})'} {' '.join(sounds)}\n"
        for word, ways in lexicon.items()
        for number, sounds in enumerate(ways, start=1)
    ]
    write_bytes_atomic(path, "".join(said).encode())


def _write_references(folder: Path, work: Path) -> dict[str, int]:
    counts, rows = {"dev": 0, "test": 0, "other": 0}, []
    for line in (folder / "refs.tsv").read_text(encoding="utf-8").splitlines():
        name, _, text = line.partition("\t")
        if not name.startswith(_READER):
            counts["other"] += 1
            continue
        split = "dev" if counts["dev"] < _TUNED_ON else "test"
        counts[split] += 1
        rows.append((name, split, name.partition("_")[0], text))
    write_bytes_atomic(work / "refs.tsv", transcripts_table(rows))
    return counts


def as_they_sound(evaluation: Path, lexicon: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Any]]:
    """Rates of an evaluation's decoders, words written as they sound: {decoder: {"wer", "interval"}}."""
    table = pq.read_table(evaluation / "utterances.parquet")

    def sounding(column: str) -> list[str]:
        return [
            " ".join(lexicon.get(word, (word,))[0] for word in text.split())
            for text in table[column].to_pylist()
        ]

    references, speakers = sounding("reference"), table["speaker_id"].to_pylist()
    found = {}
    for decoder in DECODERS:
        if table[decoder].null_count < table.num_rows:
            rates = count_errors(references, sounding(decoder))
            found[decoder] = {"wer": rates.wer, "interval": list(wer_interval(rates, speakers))}
    return found

"""A network over phonemes that is not ours, and what a lexicon and a language model make of its outputs.

What it needs lies in one folder: `log_probs.npz`, `labels.tsv`, `refs.tsv` (docs/training.md) and `lexicon.tsv`, each
word with its spelling in the network's labels. Words that sound alike have one spelling, so references and the language
model's text are written as they sound, and two words of one sound count as equal; the page that shows the figures says
so. A word outside the lexicon breaks a text in two, and counts as an error where it stands in a reference.
"""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

from corpora.text.normaliser import default_alphabet
from lm.text.cleaning import clean_block
from lm.text.files import expand_paths, read_blocks
from store.writing import write_bytes_atomic
from training.errors import DataError

_TUNED_ON = 85  # of the first reader's; the others are test
_LEAST_WORDS = 3  # of a piece of text between two words that the lexicon lacks
_UNKNOWN = "?"  # stands where no pronunciation is known; no label


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


def prepare(folder: Path, novels: list[Path], work: Path) -> dict[str, int]:
    """Write what the commands read: outputs with references as they sound, alphabet, text as it sounds."""
    lexicon = read_lexicon(folder)
    work.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(folder / "log_probs.npz", work / "log_probs.npz")
    shutil.copyfile(folder / "labels.tsv", work / "labels.tsv")
    labels = [
        line.split("\t")[1] for line in (folder / "labels.tsv").read_text(encoding="utf-8").splitlines()
    ]
    letters = sorted({*labels[:-1]} - {" "})
    write_bytes_atomic(work / "alphabet.txt", "".join(f"{one}\n" for one in [" ", *letters]).encode())
    counts = _write_references(folder, lexicon, work)
    text = "".join(f"{line}\n" for line in _sounding(novels, lexicon))
    write_bytes_atomic(work / "novels.txt", text.encode())
    return {**counts, "lines": text.count("\n"), "words": len(lexicon)}


def _write_references(folder: Path, lexicon: dict[str, str], work: Path) -> dict[str, int]:
    table = io.StringIO()
    writer = csv.writer(table, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
    writer.writerow(["id", "split", "speaker", "text"])
    counts = {"dev": 0, "test": 0}
    for line in (folder / "refs.tsv").read_text(encoding="utf-8").splitlines():
        name, _, text = line.partition("\t")
        split = "dev" if name.startswith("a_") and counts["dev"] < _TUNED_ON else "test"
        counts[split] += 1
        spelled = " ".join(lexicon.get(word, _UNKNOWN) for word in text.split())
        writer.writerow([name, split, name.partition("_")[0], spelled])
    write_bytes_atomic(work / "refs.tsv", table.getvalue().encode())
    return counts


def _sounding(texts: list[Path], lexicon: dict[str, str]) -> Iterator[str]:
    """Clean sentences of prose as they sound, cut where the lexicon lacks a word."""
    labels = tuple(default_alphabet().labels)
    for file in expand_paths(texts):
        for block in read_blocks(file):
            for sentence in clean_block(block, labels).lines.decode("utf-8").splitlines():
                piece: list[str] = []
                for word in [*sentence.split(), ""]:
                    spelled = lexicon.get(word)
                    if spelled is not None:
                        piece.append(spelled)
                        continue
                    if len(piece) >= _LEAST_WORDS:
                        yield " ".join(piece)
                    piece = []

"""The letters of published corpora and text files; what is counted and left out says `corpora.text.draft`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from corpora.text.draft import Letters, letters_of
from lm.errors import EmptyTextError
from lm.text.encoding import as_utf8
from lm.text.files import expand_paths, read_blocks
from native import Alphabet
from store.corpus import Corpus
from store.writing import explain_write, write_bytes_atomic


def derive(corpora: Sequence[Corpus], files: Sequence[Path]) -> Letters:
    """Counts the letters of corpora (training transcripts as the source has them) and text files.

    Raises EmptyTextError where there is no letter, TextSourceError for unreadable files.
    """
    odd_lines: Counter[str] = Counter()
    sources = (*(f"corpus {corpus.name}" for corpus in corpora), *(path.name for path in files))
    letters = letters_of(_texts(corpora, files, odd_lines), sources)
    if letters is None:
        raise EmptyTextError("no letter was read; name corpora with transcripts or text files")
    return replace(letters, lines_not_utf8=dict(odd_lines))


def write_alphabet(path: Path, letters: Letters) -> Alphabet:
    """Writes the file and returns the alphabet as it reads back."""
    with explain_write(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_bytes_atomic(path, letters.file_text().encode("utf-8"))
    return Alphabet.load(path)


def _texts(corpora: Sequence[Corpus], files: Sequence[Path], odd_lines: Counter[str]) -> Iterable[str]:
    """The texts; counts in `odd_lines` the lines of every file that are no UTF-8."""
    for corpus in corpora:
        for batch in corpus.batches(split="train", columns=["text_raw"]):
            yield from (text for text in batch.column(0).to_pylist() if text)
    for file in expand_paths(files):
        for block in read_blocks(file):
            try:
                text = block.data.decode("utf-8")
            except UnicodeDecodeError:
                data, lines = as_utf8(block.data)
                text = data.decode("utf-8")
                odd_lines[file.name] += lines
            yield text

"""What the language model learns from: training transcripts and extra text, one clean sentence per line.

Never from development or test: a sentence of five or more words that equals a dev or test transcript of any
corpus in the store is left out, wherever it comes from, and counted (unless the request re-admits them).
Shorter ones ("yes", "uh huh") stay and are counted as `short_overlap`. Cleaning runs in parallel threads; the
order of the sentences is that of the sources whatever their number. Memory holds a few blocks, the held-out
sentences, and counts of words up to a limit, no more.
"""

from __future__ import annotations

import logging
import os
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from lm.text.cleaning import CleanText, clean_block
from lm.text.files import TextFile, read_blocks
from native import HeldOut, WordCounter
from store.console import Progress
from store.corpus import Corpus

HELD_OUT_WORDS = 5
"""Sentences of at least so many words are left out when they equal a dev or test transcript."""

WORD_COUNT_BYTES = 512 << 20
"""Memory for counting words; what does not fit is sorted on disk."""

STRANGE_CHARACTERS = 40
_log = logging.getLogger(__name__)


@dataclass
class SourceCounts:
    """What became of one source's sentences: read = kept + left_out + refused.

    `words` are those of the kept sentences; `short_overlap` and `readmitted` are among the kept.
    `lines_not_utf8` are lines of the text that were read as Windows-1252.
    """

    read: int = 0
    kept: int = 0
    words: int = 0
    left_out: int = 0
    readmitted: int = 0
    short_overlap: int = 0
    lines_not_utf8: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def add(self, other: SourceCounts | CleanText) -> None:
        """Adds the counts of another source or of a block."""
        self.read += other.read
        self.kept += other.kept
        self.words += other.words
        self.left_out += other.left_out
        self.readmitted += other.readmitted
        self.short_overlap += other.short_overlap
        self.lines_not_utf8 += other.lines_not_utf8
        self.refused.update(other.refused)

    def as_json(self) -> dict[str, Any]:
        """The counts as the manifest has them."""
        return {
            "read": self.read,
            "kept": self.kept,
            "words": self.words,
            "left_out": self.left_out,
            "readmitted": self.readmitted,
            "short_overlap": self.short_overlap,
            "lines_not_utf8": self.lines_not_utf8,
            "refused": dict(sorted(self.refused.items())),
        }


@dataclass
class SentenceCounts:
    """Counts per source ("corpus name" or "text file"), and what the estimate needs of the whole."""

    sources: dict[str, SourceCounts] = field(default_factory=dict)
    outside_alphabet: Counter[str] = field(default_factory=Counter)
    longest_words: int = 0

    @property
    def total(self) -> SourceCounts:
        """The sum over all sources."""
        total = SourceCounts()
        for counts in self.sources.values():
            total.add(counts)
        return total

    def merge(self, other: SentenceCounts) -> None:
        """Adds the counts of other sources."""
        for name, counts in other.sources.items():
            self.sources.setdefault(name, SourceCounts()).add(counts)
        self.outside_alphabet.update(other.outside_alphabet)
        self.longest_words = max(self.longest_words, other.longest_words)

    def as_json(self) -> dict[str, Any]:
        """The counts as the manifest has them: totals first, then per source."""
        strange = sorted(self.outside_alphabet.items(), key=lambda item: (-item[1], item[0]))
        return {
            **self.total.as_json(),
            "longest_words": self.longest_words,
            "refused_for_characters": dict(strange[:STRANGE_CHARACTERS]),
            "sources": {name: counts.as_json() for name, counts in self.sources.items()},
        }


@dataclass(frozen=True)
class Part:
    """One source with its clean sentences."""

    name: str
    text: Path
    counts: SentenceCounts


def held_out_sentences(
    corpora: Iterable[Corpus], keep_long: bool = False, spaced: bool = True, more: Iterable[str] = ()
) -> HeldOut:
    """All dev and test transcripts (training and scoring form) of the corpora and `more`; `keep_long` re-admits them.

    Where no blank divides words (`spaced`), a sentence is one word and held out whatever its length.
    """
    texts = {
        text
        for corpus in corpora
        for split in ("dev", "test")
        for text in transcripts(corpus, split, ("text", "text_scoring"))
    }.union(more)
    return HeldOut(sorted(texts), HELD_OUT_WORDS if spaced else 1, keep_long)


def transcripts(corpus: Corpus, split: str, columns: Sequence[str] = ("text",)) -> Iterator[str]:
    """The normalised transcripts of one split, without empty ones; audio is not read."""
    for batch in corpus.batches(split=split, columns=list(columns)):
        for column in batch.columns:
            yield from (text for text in column.to_pylist() if text)


class SentenceWriter:
    """Writes admitted sentences to a file, counts them and, where asked, their words."""

    def __init__(self, out: IO[bytes], held_out: HeldOut, words: WordCounter | None = None) -> None:
        self.counts = SentenceCounts()
        self.held_out = held_out
        self._out, self._words = out, words

    def add(self, source: str, lines: bytes) -> None:
        """Takes clean sentences, one per line, every line ended; leaves out what is held out."""
        kept, tally = self.held_out.admit(lines)
        clean = CleanText(kept)
        clean.count(tally)
        self.add_cleaned(source, clean)

    def add_cleaned(self, source: str, clean: CleanText) -> SourceCounts:
        """Takes a cleaned block, its refusals included; returns the source's counts so far."""
        counts = self.counts.sources.setdefault(source, SourceCounts())
        counts.add(clean)
        self.counts.outside_alphabet.update(clean.outside_alphabet)
        self.counts.longest_words = max(self.counts.longest_words, clean.longest_words)
        if self._words is not None:
            self._words.add(clean.lines)
        self._out.write(clean.lines)
        return counts


@dataclass(frozen=True)
class SentenceSources:
    """Where sentences come from, in the order in which they are written; `language` (BCP 47) is that of the text."""

    training: tuple[Corpus, ...]
    text: tuple[TextFile, ...]
    labels: tuple[str, ...]
    workers: int | None = None
    language: str = "en"


def write_sentences(
    out: Path, sources: SentenceSources, held_out: HeldOut, words: WordCounter | None = None
) -> SentenceCounts:
    """Writes every admitted sentence of the sources to a file. Raises TextSourceError for unusable text."""
    with out.open("wb") as file:
        writer = SentenceWriter(file, held_out, words)
        for corpus in sources.training:
            writer.counts.sources[f"corpus {corpus.name}"] = SourceCounts()
            for batch in corpus.batches(split="train", columns=["text"]):
                texts = [text for text in batch.column(0).to_pylist() if text]
                writer.add(f"corpus {corpus.name}", "".join(f"{text}\n" for text in texts).encode("utf-8"))
        sizes = [file.path.stat().st_size for file in sources.text]
        done_bytes = 0
        with Progress("text", sum(sizes)) as progress:
            for text, size in zip(sources.text, sizes, strict=True):
                counts = writer.counts.sources.setdefault(f"text {text.name}", SourceCounts())
                for read_bytes, clean in _cleaned(text, sources, held_out):
                    writer.add_cleaned(f"text {text.name}", clean)
                    progress.show(done_bytes + read_bytes, partial(_so_far, text.name, counts))
                done_bytes += size
    return writer.counts


def _so_far(name: str, counts: SourceCounts, elapsed_s: float) -> str:
    rate = f"{counts.words / elapsed_s:,.0f} words/s"
    return f"{name}, {counts.kept:,} sentences, {counts.words:,} words, {rate}"


def _cleaned(file: TextFile, sources: SentenceSources, held_out: HeldOut) -> Iterator[tuple[int, CleanText]]:
    """(bytes of the file read, cleaned block), in order; cleaned in threads beside the reading."""
    workers = sources.workers or len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(workers, thread_name_prefix="cleaning") as pool:
        waiting: deque[tuple[int, Future[CleanText]]] = deque()
        try:
            for block in read_blocks(file):
                cleaned = pool.submit(clean_block, block, sources.labels, held_out, sources.language)
                waiting.append((block.done_bytes, cleaned))
                if len(waiting) >= 2 * workers:  # bounds the memory
                    done_bytes, future = waiting.popleft()
                    yield done_bytes, future.result()
            while waiting:
                done_bytes, future = waiting.popleft()
                yield done_bytes, future.result()
        finally:
            for _, future in waiting:
                future.cancel()

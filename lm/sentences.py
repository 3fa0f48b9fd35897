"""What the language model learns from: training transcripts and extra text, one clean sentence per line.

Never from development or test: a sentence of five or more words that equals a dev or test transcript of any
corpus in the store is left out, wherever it comes from, and counted. Shorter ones ("yes", "uh huh") stay and
are counted as `short_overlap`. Cleaning runs in parallel processes; the order of the sentences is that of
the sources whatever the number of workers. Memory holds a few blocks and the held-out sentences, no more.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from corpora import Corpus
from lm.cleaning import CleanText, clean_block
from lm.text_files import BLOCK_BYTES, TextBlock, expand_paths, read_blocks

HELD_OUT_WORDS = 5
"""Sentences of at least so many words are left out when they equal a dev or test transcript."""

_SAY_EVERY_S = 5.0
_POOL_FROM_BYTES = 4 * BLOCK_BYTES
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HeldOut:
    """Dev and test transcripts of the store as UTF-8, split at `HELD_OUT_WORDS`."""

    long: frozenset[bytes]
    short: frozenset[bytes]


@dataclass
class SourceCounts:
    """What became of one source's sentences: read = kept + left_out + refused; short_overlap ⊂ kept."""

    read: int = 0
    kept: int = 0
    words: int = 0
    left_out: int = 0
    short_overlap: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """The counts as the manifest has them."""
        return {
            "read": self.read,
            "kept": self.kept,
            "words": self.words,
            "left_out": self.left_out,
            "short_overlap": self.short_overlap,
            "refused": dict(sorted(self.refused.items())),
        }


@dataclass
class SentenceCounts:
    """Counts per source ("corpus name" or "text file"), and what the estimate needs of the whole."""

    sources: dict[str, SourceCounts] = field(default_factory=dict)
    outside_alphabet: Counter[str] = field(default_factory=Counter)
    blocks_not_utf8: int = 0
    longest_words: int = 0
    word_counts: Counter[bytes] | None = None

    @property
    def total(self) -> SourceCounts:
        """The sum over all sources."""
        total = SourceCounts()
        for counts in self.sources.values():
            total.read += counts.read
            total.kept += counts.kept
            total.words += counts.words
            total.left_out += counts.left_out
            total.short_overlap += counts.short_overlap
            total.refused.update(counts.refused)
        return total

    def as_json(self) -> dict[str, Any]:
        """The counts as the manifest has them: totals first, then per source."""
        strange = sorted(self.outside_alphabet.items(), key=lambda item: (-item[1], item[0]))
        return {
            **self.total.as_json(),
            "longest_words": self.longest_words,
            "blocks_not_utf8": self.blocks_not_utf8,
            "refused_for_characters": dict(strange[:40]),
            "sources": {name: counts.as_json() for name, counts in self.sources.items()},
        }


def held_out_sentences(corpora: Iterable[Corpus]) -> HeldOut:
    """All dev and test transcripts (training and scoring form) of the corpora."""
    long: set[bytes] = set()
    short: set[bytes] = set()
    for corpus in corpora:
        for split in ("dev", "test"):
            for text in transcripts(corpus, split, ("text", "text_scoring")):
                enough = text.count(" ") + 1 >= HELD_OUT_WORDS
                (long if enough else short).add(text.encode("utf-8"))
    return HeldOut(frozenset(long), frozenset(short))


def transcripts(corpus: Corpus, split: str, columns: Sequence[str] = ("text",)) -> Iterator[str]:
    """The normalised transcripts of one split, without empty ones; audio is not read."""
    for batch in corpus.batches(split=split, columns=list(columns)):
        for column in batch.columns:
            yield from (text for text in column.to_pylist() if text)


class SentenceWriter:
    """Writes admitted sentences to a file and counts."""

    def __init__(self, out: IO[bytes], held_out: HeldOut, count_words: bool) -> None:
        self.counts = SentenceCounts(word_counts=Counter() if count_words else None)
        self._out, self._held_out = out, held_out

    def add(self, source: str, lines: bytes) -> None:
        """Takes clean sentences, one per line, every line ended; leaves out what is held out."""
        if not lines:
            return
        counts = self.counts.sources.setdefault(source, SourceCounts())
        sentences = lines.split(b"\n")
        sentences.pop()
        counts.read += len(sentences)
        if not self._held_out.long.isdisjoint(sentences):
            before = len(sentences)
            sentences = [sentence for sentence in sentences if sentence not in self._held_out.long]
            counts.left_out += before - len(sentences)
            lines = b"".join(sentence + b"\n" for sentence in sentences)
        if not self._held_out.short.isdisjoint(sentences):
            counts.short_overlap += sum(1 for sentence in sentences if sentence in self._held_out.short)
        counts.kept += len(sentences)
        counts.words += lines.count(b" ") + len(sentences)
        if sentences:
            longest = max(sentence.count(b" ") for sentence in sentences) + 1
            self.counts.longest_words = max(self.counts.longest_words, longest)
        if self.counts.word_counts is not None:
            self.counts.word_counts.update(lines.split())
        self._out.write(lines)

    def add_cleaned(self, source: str, clean: CleanText) -> None:
        """Takes the result of cleaning one block of a text file, its refusals included."""
        counts = self.counts.sources.setdefault(source, SourceCounts())
        counts.refused.update(clean.refused)
        counts.read += sum(clean.refused.values())
        self.counts.outside_alphabet.update(clean.outside_alphabet)
        self.counts.blocks_not_utf8 += clean.not_utf8
        self.add(source, clean.lines)


@dataclass(frozen=True)
class SentenceSources:
    """Where sentences come from, in the order in which they are written."""

    training: tuple[Corpus, ...]
    text: tuple[Path, ...]
    labels: tuple[str, ...]
    workers: int | None = None


def write_sentences(
    out: Path, sources: SentenceSources, held_out: HeldOut, count_words: bool
) -> SentenceCounts:
    """Writes every admitted sentence of the sources to a file. Raises TextSourceError for unusable text."""
    with out.open("wb") as file:
        writer = SentenceWriter(file, held_out, count_words)
        for corpus in sources.training:
            writer.counts.sources[f"corpus {corpus.name}"] = SourceCounts()
            for batch in corpus.batches(split="train", columns=["text"]):
                texts = [text for text in batch.column(0).to_pylist() if text]
                writer.add(f"corpus {corpus.name}", "".join(f"{text}\n" for text in texts).encode("utf-8"))
        for path in sources.text:
            counts = writer.counts.sources.setdefault(f"text {path.name}", SourceCounts())
            said_s = began_s = time.monotonic()
            for clean in _cleaned(path, sources):
                writer.add_cleaned(f"text {path.name}", clean)
                if time.monotonic() - said_s > _SAY_EVERY_S:
                    said_s = time.monotonic()
                    rate = counts.words / (said_s - began_s)
                    _log.info("%s: %d sentences so far, %.0f words/s", path.name, counts.kept, rate)
    return writer.counts


def _cleaned(path: Path, sources: SentenceSources) -> Iterator[CleanText]:
    """Cleaned blocks of one file, in order; in worker processes where the file is large enough to pay."""
    workers = sources.workers or len(os.sched_getaffinity(0))
    size = sum(file.stat().st_size for file in expand_paths([path]))
    blocks = read_blocks([path])
    if workers == 1 or size < _POOL_FROM_BYTES:
        for block in blocks:
            yield clean_block(block, sources.labels)
        return
    with ProcessPoolExecutor(workers, mp_context=multiprocessing.get_context("fork")) as pool:
        yield from _in_order(pool, blocks, sources.labels, 2 * workers)


def _in_order(
    pool: ProcessPoolExecutor, blocks: Iterator[TextBlock], labels: tuple[str, ...], ahead: int
) -> Iterator[CleanText]:
    """Results in the order of the blocks, with at most `ahead` blocks on the way (bounds memory)."""
    waiting: deque[Future[CleanText]] = deque()
    try:
        for block in blocks:
            waiting.append(pool.submit(clean_block, block, labels))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()

"""How well a language model expects the development transcripts: perplexity and out-of-vocabulary words.

Counts tokens as KenLM's `query` does: every word and the end of every sentence is one token; an unknown word
counts with the model's own probability for it in `perplexity`, and not at all in `perplexity_without_oov`.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from lm.text.sentences import transcripts
from store.corpus import Corpus

ScoreSentence = Callable[[str], Sequence[tuple[str, float, bool]]]
"""A sentence → (word, log10 probability, unknown?) for each word and the sentence end."""

FREQUENT_OOV = 30
WORST_SENTENCES = 12


@dataclass
class Perplexity:
    """Running sums over sentences; log10 probabilities."""

    sentences: int = 0
    tokens: int = 0
    log10: float = 0.0
    log10_oov: float = 0.0
    oov_words: Counter[str] = field(default_factory=Counter)

    def add(self, scored: Sequence[tuple[str, float, bool]]) -> None:
        """Takes one scored sentence."""
        self.sentences += 1
        self.tokens += len(scored)
        for word, log10, is_oov in scored:
            self.log10 += log10
            if is_oov:
                self.log10_oov += log10
                self.oov_words[word] += 1

    def merge(self, other: Perplexity) -> None:
        """Adds the sums of another set of sentences."""
        self.sentences += other.sentences
        self.tokens += other.tokens
        self.log10 += other.log10
        self.log10_oov += other.log10_oov
        self.oov_words.update(other.oov_words)

    def as_json(self) -> dict[str, Any]:
        """Perplexities (None without tokens), the rate of unknown words, and the sums behind them."""
        unknown = sum(self.oov_words.values())
        words = self.tokens - self.sentences
        return {
            "perplexity": _perplexity(self.log10, self.tokens),
            "perplexity_without_oov": _perplexity(self.log10 - self.log10_oov, self.tokens - unknown),
            "oov_rate": round(unknown / words, 6) if words else None,
            "sentences": self.sentences,
            "words": words,
            "oov_words": unknown,
        }

    def frequent_oov(self) -> list[list[Any]]:
        """The most frequent unknown words with their counts."""
        return [
            [word, n]
            for word, n in sorted(self.oov_words.items(), key=lambda i: (-i[1], i[0]))[:FREQUENT_OOV]
        ]


@dataclass
class Worst:
    """The sentences that a model expects least, by log10 probability per token; `WORST_SENTENCES` at most."""

    found: list[tuple[float, int, dict[str, Any]]] = field(default_factory=list)
    seen: int = 0

    def add(self, corpus: str, scored: Sequence[tuple[str, float, bool]]) -> None:
        """Takes one scored sentence; an earlier one wins over an equal one."""
        self.seen += 1
        if len(scored) < 2:
            return
        mean = sum(log10 for _, log10, _ in scored) / len(scored)
        if len(self.found) == WORST_SENTENCES and -mean <= self.found[0][0]:
            return
        words = [[word, round(log10, 4), oov] for word, log10, oov in scored]
        entry = (-mean, -self.seen, {"corpus": corpus, "perplexity": round(10.0**-mean, 1), "words": words})
        if len(self.found) < WORST_SENTENCES:
            heapq.heappush(self.found, entry)
        else:
            heapq.heappushpop(self.found, entry)

    def as_json(self) -> list[dict[str, Any]]:
        """The worst first: corpus, perplexity, and [word, log10, unknown?] of each token."""
        return [entry for _, _, entry in sorted(self.found, key=lambda one: one[:2], reverse=True)]


def _perplexity(log10: float, tokens: int) -> float | None:
    return float(round(10.0 ** (-log10 / tokens), 4)) if tokens else None


def measure_corpora(corpora: Iterable[Corpus], score: ScoreSentence) -> dict[str, Any]:
    """The manifest's figures: over all dev transcripts, per corpus, unknown words and the worst sentences."""
    overall, worst, by_corpus = Perplexity(), Worst(), {}
    for corpus in corpora:
        if "dev" in corpus.splits:
            sums = Perplexity()
            for text in transcripts(corpus, "dev"):
                scored = score(text)
                sums.add(scored)
                worst.add(corpus.name, scored)
            by_corpus[corpus.name] = {**sums.as_json(), "frequent_oov": sums.frequent_oov()[:10]}
            overall.merge(sums)
    return {
        **overall.as_json(),
        "corpora": by_corpus,
        "frequent_oov": overall.frequent_oov(),
        "worst": worst.as_json(),
    }

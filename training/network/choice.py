"""Which corpora a run learns from, and in which alphabet: one language per run, the others passed over.

The language is `data.language`, else that of the first of `data.corpora`, else English where an English
corpus has the training split, else the one with most hours. `data.alphabet` (a file of labels) takes the
place of the language's own alphabet; it must hold every label of theirs. Reads manifests only.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from corpora.text.languages import alphabet_for, primary
from store.corpus import Corpus
from store.store import Store
from training.errors import DataError
from training.network.config import DataConfig
from training.network.feed.feature_folder import FeatureFolder

if TYPE_CHECKING:
    from native import Alphabet

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """What a run learns from.

    Attributes:
        language: primary subtag of its corpora.
        passed_over: a sentence for each corpus that is not learnt from.
        weights, max_hours: per corpus of `corpora`, () = none given.
    """

    corpora: tuple[Corpus, ...]
    language: str
    alphabet: Alphabet
    passed_over: tuple[str, ...]
    weights: tuple[float, ...] = ()
    max_hours: tuple[float, ...] = ()


def choose(data: DataConfig, store: Store) -> Choice:
    """The corpora of a run, by name, in the order of the configuration.

    Raises:
        DataError: none fits; every corpus passed over is named with its reason.
        NotPublishedError: a named one does not exist.
    """
    if data.feature_folder:
        language = primary(data.language or "en")
        folder = FeatureFolder.open(Path(data.feature_folder))
        return Choice((folder,), language, _alphabet(data, language, store), ())
    corpora = _candidates(data, store)
    language = primary(data.language) if data.language else _language_of(corpora, data)
    alphabet = _alphabet(data, language, store)
    kept, passed_over = [], []
    for place, corpus in enumerate(corpora):
        reason = _why_not(corpus, store, alphabet, data, language)
        if reason is None:
            kept.append(place)
        else:
            passed_over.append(f"corpus {corpus.name} {corpus.version} is passed over: {reason}")
    chosen = tuple(corpora[place] for place in kept)
    if not any(data.train_split in corpus.splits for corpus in chosen):
        there = ", ".join(corpus.name for corpus in corpora) or "none published"
        because = "".join(f"; {one}" for one in passed_over)
        raise DataError(
            f"no corpus in {store.root} has a split {data.train_split!r} in {language!r} to learn from "
            f"({there}){because}"
        )
    weights = tuple(data.weights[place] for place in kept) if data.weights else ()
    limits = tuple(data.max_hours[place] for place in kept) if data.max_hours else ()
    return Choice(chosen, language, alphabet, tuple(passed_over), weights, limits)


def language_of(corpus: Corpus) -> str:
    """Primary subtag of a corpus' language; those of earlier days are English."""
    return primary(str(corpus.manifest.get("language") or "en"))


def _candidates(data: DataConfig, store: Store) -> list[Corpus]:
    if data.corpora:
        named = [entry.partition("@") for entry in data.corpora]
        return [store.corpus(name, version or None) for name, _, version in named]
    corpora = [store.corpus(name) for name in store.corpus_names()]
    return [corpus for corpus in corpora if data.train_split in corpus.splits]


def _language_of(corpora: list[Corpus], data: DataConfig) -> str:
    """The language of a run that names none; see above."""
    if data.corpora:
        return language_of(corpora[0])
    hours: Counter[str] = Counter()
    for corpus in corpora:
        hours[language_of(corpus)] += corpus.manifest["splits"].get(data.train_split, {}).get("hours", 0.0)
    if "en" in hours or not hours:
        return "en"
    return max(sorted(hours), key=lambda one: hours[one])


def _alphabet(data: DataConfig, language: str, store: Store) -> Alphabet:
    if not data.alphabet:
        return alphabet_for(language, store.alphabets_dir)
    from native import Alphabet
    from native.errors import NativeError

    try:
        return Alphabet.load(data.alphabet)
    except (NativeError, OSError) as error:
        raise DataError(f"data.alphabet: {data.alphabet} is no alphabet: {error}") from error


def _why_not(corpus: Corpus, store: Store, alphabet: Alphabet, data: DataConfig, language: str) -> str | None:
    """Why a corpus cannot be learnt from in this run, or None."""
    own = language_of(corpus)
    if own != language:
        return f"its language is {own!r} and this run learns {language!r} (data.language)"
    if data.alphabet:
        written = alphabet_for(own, store.alphabets_dir)
        missing = sorted(set(written.labels) - set(alphabet.labels))
        if missing:
            return f"its texts may hold {missing[0]!r}, which {data.alphabet} lacks"
        if corpus.manifest["alphabet_hash"] == written.hash:
            return None
    if corpus.manifest["alphabet_hash"] != alphabet.hash:
        return "it was normalised to another alphabet than its language has now; refresh it"
    return None

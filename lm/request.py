"""What a person or a schedule asks for, and everything that follows from it before any work is done.

A `BuildRequest` names corpora, texts and settings; `gather` finds them, refuses what cannot be, and derives
the hash of all inputs, by which a model that already exists is recognised. Nothing is built here.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import native
from corpora.sources.folder import file_stamp
from corpora.text.languages import alphabet_for, primary
from corpora.text.normaliser import NORMALISER_VERSION
from lm.defaults import DEFAULT_ORDER, DEFAULT_PRUNE
from lm.errors import LanguageModelUsageError
from lm.kenlm import BinaryOptions, check_order, find_tools
from lm.text.files import TextFile, expand_paths, refuse_pointer
from lm.text.pronunciations import RULES_VERSION as PRONUNCIATION_RULES
from lm.text.sentences import HELD_OUT_WORDS
from lm.units import CHARACTERS, UNITS, WORDS
from native import Alphabet
from store.corpus import Corpus
from store.opening import open_store
from store.store import Store
from store.writing import sha256_file

BUILD_RULES_VERSION = "3"
"""Raised whenever the same inputs would give another model."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildRequest:
    """One language model: where it goes (`out` or `publish`), what it learns from, and its size.

    `corpora` None means all published ones, () none. `prune` holds one threshold per order (counts up to it
    are dropped). `vocabulary_size` keeps the N most frequent words, `vocabulary` those of a file (one a line).
    `alphabet` is the file of the letters that text is written with; without it those of `language`, else of the
    language of the corpora that are named, else the English ones. By the rules of that language the text is
    normalised, too. `labels` says whether the network's outputs are
    those characters or the bytes of UTF-8, `unit` what the model counts ("": characters where the alphabet has no
    blank, else words). `pronunciations` is a list of how words are said (`lm/text/pronunciations.py`): then
    `alphabet` holds the labels of the network, in which they are said, and the text's letters are those of the language.
    `interpolate` makes one model of each source and mixes them by weights that suit the dev transcripts (of the named
    `corpora`, where these have any), or the sentences of the file `dev`. `keep_held_out` learns also from sentences
    that equal dev or test. `text` holds files or directories.
    """

    out: Path | None = None
    publish: str | None = None
    text: tuple[Path, ...] = ()
    corpora: tuple[str, ...] | None = None
    order: int = DEFAULT_ORDER
    prune: tuple[int, ...] = DEFAULT_PRUNE
    vocabulary_size: int | None = None
    vocabulary: Path | None = None
    pronunciations: Path | None = None
    keep_held_out: bool = False
    interpolate: bool = False
    dev: Path | None = None
    alphabet: Path | None = None
    language: str | None = None
    labels: str = "characters"
    unit: str = ""
    binary: str = "probing"
    quantise: int | None = None
    store: Path | None = None
    workers: int | None = None


@dataclass(frozen=True)
class Inputs:
    """Everything a build reads, found and checked; `record` is the part that stands in the manifest.

    `everything` is held out and measured, the dev transcripts of `tuned_on` say how sources are mixed.
    """

    store: Store
    alphabet: Alphabet
    training: tuple[Corpus, ...]
    everything: tuple[Corpus, ...]
    tuned_on: tuple[Corpus, ...]
    text: tuple[TextFile, ...]
    record: dict[str, Any]
    sounds: Alphabet | None = None

    @property
    def labels(self) -> Alphabet:
        """The outputs of the network that the lexicon is for; the blank last."""
        if self.sounds is not None:
            return self.sounds
        return Alphabet.bytes() if self.record["settings"]["labels"] == "bytes" else self.alphabet

    @property
    def unit(self) -> str:
        """What the model counts."""
        return str(self.record["settings"]["unit"])

    @property
    def language(self) -> str:
        """BCP 47: by its rules the text is normalised."""
        return language_of(self.record["settings"])

    @property
    def hash(self) -> str:
        """Hex SHA-256 of all inputs and settings: equal hash, equal model."""
        text = json.dumps(self.record, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode("utf-8")).hexdigest()


def inputs_hash(request: BuildRequest) -> str:
    """The hash of what a build would read, without building; a published model's manifest has its own.

    Raises LanguageModelUsageError or TextSourceError for what a build would refuse at its start.
    """
    return gather(request).hash


def gather(request: BuildRequest) -> Inputs:
    """Finds and checks all inputs. Raises LanguageModelUsageError, TextSourceError, ToolMissingError."""
    _check(request)
    store = open_store(request.store)
    language = _language(request, store)
    alphabet = _letters(request, language, store)
    if not request.unit:
        request = replace(request, unit=CHARACTERS if alphabet.unspaced else WORDS)
        _check(request)
    _refuse_without_space(request, alphabet)
    everything = _same_alphabet([store.corpus(name) for name in store.corpus_names()], alphabet)
    if request.corpora is None:
        training = everything
    else:
        named = [store.corpus(name) for name in sorted(set(request.corpora))]
        training = _same_alphabet(named, alphabet)
        if len(training) < len(named):
            odd = sorted({corpus.name for corpus in named} - {corpus.name for corpus in training})
            raise LanguageModelUsageError(
                f"corpus {', '.join(odd)} was normalised for another alphabet than {alphabet.hash[:12]}"
            )
    files = expand_paths(request.text)
    if not training and not files:
        raise LanguageModelUsageError(
            f"nothing to learn from: {_why_no_corpus(request, store)} and no text was given; "
            "import a corpus first (python -m corpora refresh …) or name text files (TEXT= or --text)"
        )
    for file in files:
        refuse_pointer(file.path)
    named_with_dev = tuple(corpus for corpus in training if request.corpora and "dev" in corpus.splits)
    tuned_on = named_with_dev or everything
    record = {
        "build_rules": BUILD_RULES_VERSION,
        "settings": _settings(request, language),
        "alphabet_hash": alphabet.hash,
        "normaliser_version": NORMALISER_VERSION,
        "kenlm_version": find_tools().version,
        "lexicon_format": native.TRIE_VERSION,
        "held_out_words": HELD_OUT_WORDS,
        "training": [_named(corpus) for corpus in training],
        "held_out_and_measured": [_named(corpus) for corpus in everything],
        "text": [
            {"name": file.name, "bytes": file.path.stat().st_size, "sha256": _sha256_of(file.path)}
            for file in files
        ],
    }
    passed_over = sorted(name for name in store.corpus_troubles() if (store.corpora_dir / name).is_dir())
    if passed_over:
        record["passed_over"] = passed_over
    if request.interpolate:  # which files belong together decides what is mixed
        record["mixed"] = [[file.name for file in expand_paths([path])] for path in request.text]
        if len(tuned_on) < len(everything):
            record["tuned_on"] = [corpus.name for corpus in tuned_on]
    if request.dev is not None:
        record["dev_text"] = {"name": request.dev.name, "sha256": _sha256_of(request.dev)}
    if request.vocabulary is not None:
        record["vocabulary"] = {"name": request.vocabulary.name, "sha256": sha256_file(request.vocabulary)}
    sounds = _sounds(request, alphabet)
    record.update(_said(request, sounds))
    return Inputs(store, alphabet, training, everything, tuned_on, tuple(files), record, sounds)


def _sha256_of(path: Path) -> str:
    """The hash of a text, read once by a process that asks again and again, as long as the file is the same."""
    return _sha256_as_of(path, file_stamp(path.stat()))


@lru_cache(maxsize=4096)
def _sha256_as_of(path: Path, stamp: str) -> str:
    return sha256_file(path)


def language_of(settings: Mapping[str, Any]) -> str:
    """The language of a model's text, by the settings in its manifest, which name it where it is not English."""
    return str(settings.get("language", "en"))


def _language(request: BuildRequest, store: Store) -> str:
    """See `BuildRequest`."""
    language = request.language
    if language is None and request.corpora:
        language = str(store.corpus(min(request.corpora)).manifest.get("language") or "en")
    return language or "en"


def _letters(request: BuildRequest, language: str, store: Store) -> Alphabet:
    """What the text is written in; see `BuildRequest`."""
    if request.alphabet is None or request.pronunciations is not None:
        return alphabet_for(language, store.alphabets_dir)
    return Alphabet.load(request.alphabet)


def _said(request: BuildRequest, sounds: Alphabet | None) -> dict[str, Any]:
    """The part of the record that says how words are said."""
    if request.pronunciations is None or sounds is None:
        return {}
    path = request.pronunciations
    said = {"name": path.name, "sha256": sha256_file(path), "labels_hash": sounds.hash}
    return {"pronunciations": {**said, "rules": PRONUNCIATION_RULES}}


def _sounds(request: BuildRequest, letters: Alphabet) -> Alphabet | None:
    """The labels that pronunciations are written in: the network's; the letters themselves where none is named."""
    if request.pronunciations is None:
        return None
    sounds = letters if request.alphabet is None else Alphabet.load(request.alphabet)
    if sounds.kind != "characters" or sounds.space < 0:
        what = "is of bytes or pieces" if sounds.kind != "characters" else "has no line that is one blank"
        raise LanguageModelUsageError(
            f"alphabet {request.alphabet or 'of the text'} {what}: pronunciations need a network that writes a label "
            "for each sound and one between words"
        )
    return sounds


def _check_pronunciations(request: BuildRequest) -> None:
    if request.pronunciations is None:
        return
    if not request.pronunciations.is_file():
        raise LanguageModelUsageError(f"file of pronunciations {request.pronunciations} does not exist")
    refuse_pointer(request.pronunciations)
    if request.unit == CHARACTERS or request.labels == "bytes":
        raise LanguageModelUsageError(
            "pronunciations are of words, in labels of sounds: leave --unit characters and --bytes out"
        )


def _check(request: BuildRequest) -> None:
    """Refuses settings that contradict each other or KenLM's limits."""
    if (request.out is None) == (request.publish is None):
        raise LanguageModelUsageError("say where the model goes: either --out DIR or --publish NAME")
    if request.publish is not None and not _NAME.fullmatch(request.publish):
        raise LanguageModelUsageError(
            f"name {request.publish!r} cannot be a folder's name; use letters, digits, dot, dash, underscore"
        )
    if request.vocabulary_size is not None and request.vocabulary_size < 1:
        raise LanguageModelUsageError(f"--vocabulary-size {request.vocabulary_size} leaves no word")
    if request.vocabulary is not None:
        if request.vocabulary_size is not None:
            raise LanguageModelUsageError("give either --vocabulary FILE or --vocabulary-size N, not both")
        if not request.vocabulary.is_file():
            raise LanguageModelUsageError(f"vocabulary file {request.vocabulary} does not exist")
        refuse_pointer(request.vocabulary)
    if request.labels not in ("characters", "bytes"):
        raise LanguageModelUsageError(f"labels {request.labels!r} are neither characters nor bytes")
    if request.unit and request.unit not in UNITS:
        raise LanguageModelUsageError(f"unit {request.unit!r} is neither words nor characters")
    if request.interpolate and request.unit == CHARACTERS:
        raise LanguageModelUsageError("--interpolate mixes models of words, not of characters")
    if request.dev is not None:
        if not request.interpolate:
            raise LanguageModelUsageError("--dev FILE is what --interpolate finds its weights on: give both")
        if not request.dev.is_file():
            raise LanguageModelUsageError(f"file of dev sentences {request.dev} does not exist")
        refuse_pointer(request.dev)
    if request.unit == CHARACTERS and (request.vocabulary or request.vocabulary_size):
        raise LanguageModelUsageError(
            "a model of characters takes no vocabulary: it knows the alphabet's letters"
        )
    _check_pronunciations(request)
    check_order(request.order, request.prune)
    BinaryOptions(request.binary, request.quantise).arguments()


def _refuse_without_space(request: BuildRequest, alphabet: Alphabet) -> None:
    if request.unit == WORDS and alphabet.space < 0:
        raise LanguageModelUsageError(
            f"alphabet {request.alphabet} has no line that is one blank, so a model cannot tell words apart; "
            "add one, or count characters (--unit characters)"
        )


def _why_no_corpus(request: BuildRequest, store: Store) -> str:
    return f"no corpus is published in {store.root}" if request.corpora is None else "no corpus was named"


def _settings(request: BuildRequest, language: str) -> dict[str, Any]:
    told = {} if primary(language) == "en" else {"language": language}
    return told | {
        "order": request.order,
        "prune": list(request.prune),
        "vocabulary_size": request.vocabulary_size,
        "keep_held_out": request.keep_held_out,
        "interpolate": request.interpolate,
        "labels": request.labels,
        "unit": request.unit,
        "binary": request.binary,
        "quantise": request.quantise,
    }


def _named(corpus: Corpus) -> dict[str, str]:
    return {"corpus": corpus.name, "version": corpus.version}


def _same_alphabet(corpora: Sequence[Corpus], alphabet: Alphabet) -> tuple[Corpus, ...]:
    """Those corpora whose transcripts were normalised for this alphabet; says which ones it passes over."""
    fitting = []
    for corpus in corpora:
        written_for = corpus.manifest.get("alphabet_hash")
        if written_for == alphabet.hash:
            fitting.append(corpus)
        elif written_for is None:
            _log.warning(
                "corpus %s is passed over: its manifest names no alphabet; refresh it again", corpus.name
            )
        else:
            _log.warning("corpus %s was normalised for another alphabet and is passed over", corpus.name)
        if corpus.manifest.get("normaliser_version") != NORMALISER_VERSION:
            _log.warning("corpus %s was normalised by older rules; refresh it to match", corpus.name)
    return tuple(fitting)

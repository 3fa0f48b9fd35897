"""ARPA or binary -> a language model as `lm build` leaves one: binary, lexicon trie, alphabet, identity, manifest.

    adopt(AdoptRequest(arpa=Path("3-gram.arpa.gz"), publish="librispeech"))

Nothing is learnt and nothing measured. Words in capitals are put in small letters where that joins none (an ARPA file
only); the alphabet is the one named, else English where it spells nearly all words, else the letters of the words.
"""

from __future__ import annotations

import logging
import re
import shutil
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import native
from corpora.text.draft import RARE_SHARE
from corpora.text.normaliser import NORMALISER_VERSION, default_alphabet
from lm import kenlm
from lm.adopt import arpa as arpa_file
from lm.adopt import binary as binary_file
from lm.errors import LanguageModelError, LanguageModelUsageError, TextSourceError, ToolFailedError
from lm.lexicon import build_lexicon
from lm.model.folder import files_of, write_manifest
from lm.model.placing import build_into, publish
from lm.perplexity import measure_corpora
from lm.request import Inputs
from lm.text.sentences import SentenceCounts
from lm.units import UNITS, WORDS
from native import Alphabet, LanguageModel, Scorer
from native.errors import ScorerError
from store.opening import open_store
from store.writing import explain_write, sha256_file

ADOPT_RULES_VERSION = "1"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_ENDINGS = re.compile(r"(\.(gz|bz2|xz|arpa|lm|bin|binary|klm|mmap|kenlm|txt))+$", re.IGNORECASE)
_ENGLISH_SHARE = 0.95  # of the words, for the English alphabet to be taken
_BYTE = re.compile(r"Byte: (\d+)")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class AdoptRequest:
    """What to adopt: `arpa` or `binary` (with `words`, where it holds none), and where it goes.

    Without `out` and `publish` it is published under the file's name. `structure` and `quantise` are those of
    `lm build`, for an ARPA file.
    """

    arpa: Path | None = None
    binary: Path | None = None
    words: Path | None = None
    alphabet: Path | None = None
    unit: str = WORDS
    structure: str = "probing"
    quantise: int | None = None
    out: Path | None = None
    publish: str | None = None
    store: Path | None = None

    @property
    def source(self) -> Path:
        """The file."""
        given = [path for path in (self.arpa, self.binary) if path is not None]
        if len(given) != 1:
            raise LanguageModelUsageError("give either --arpa FILE or --binary FILE")
        return given[0]


@dataclass(frozen=True)
class _Taken:
    """What was found in the file."""

    words: list[str]
    ngrams: list[int]
    order: int
    decisions: list[str]
    adopted: dict[str, Any]


def adopt(request: AdoptRequest) -> dict[str, Any]:
    """Takes the model over; returns its manifest with `status` ("published", "built", "unchanged") and `path`.

    Raises:
        LanguageModelError: the file, its words or the settings cannot be used; one sentence says why.
    """
    source = request.source
    _check(request)
    store = open_store(request.store)
    record: dict[str, Any] = {
        "adopt_rules": ADOPT_RULES_VERSION,
        "settings": {
            "binary": request.structure if request.arpa else "adopted", "quantise": request.quantise, "prune": [],
            "labels": "characters", "unit": request.unit,
        },
        "source": {"name": source.name, "bytes": source.stat().st_size, "sha256": sha256_file(source)},
        "words": sha256_file(request.words) if request.words else None,
        "alphabet": sha256_file(request.alphabet) if request.alphabet else None,
        "kenlm_version": kenlm.find_tools().version,
        "lexicon_format": native.TRIE_VERSION,
    }  # fmt: skip
    inputs = Inputs(store, default_alphabet(), (), (), (), (), record)

    def make(folder: Path) -> dict[str, Any]:
        return _make(request, inputs, folder)

    if request.out is not None:
        return build_into(inputs, request.out.absolute(), make)
    return publish(inputs, _name_of(request), make)


def _name_of(request: AdoptRequest) -> str:
    name = request.publish or re.sub(r"[^A-Za-z0-9._-]+", "-", _ENDINGS.sub("", request.source.name)).strip(
        "-."
    )
    if not _NAME.fullmatch(name):
        raise LanguageModelUsageError(
            f"name {name!r} cannot be a folder's name; give one of letters, digits, dot, dash by --publish"
        )
    return name


def _check(request: AdoptRequest) -> None:
    if request.out is not None and request.publish is not None:
        raise LanguageModelUsageError("say where the model goes: either --out DIR or --publish NAME")
    if request.unit not in UNITS:
        raise LanguageModelUsageError(f"unit {request.unit!r} is neither words nor characters")
    if request.binary is not None and (request.structure != "probing" or request.quantise is not None):
        raise LanguageModelUsageError(
            "a binary stays as it is: --structure and --quantise are for an ARPA file"
        )
    if request.words is not None and request.binary is None:
        raise LanguageModelUsageError("--words is for a binary: an ARPA file holds its words")
    for path in (request.source, request.words, request.alphabet):
        if path is not None and not path.is_file():
            raise TextSourceError(f"{path} does not exist or is no file")
    kenlm.BinaryOptions(request.structure, request.quantise).arguments()


def _make(request: AdoptRequest, inputs: Inputs, folder: Path) -> dict[str, Any]:
    taken = _from_arpa(request, folder) if request.arpa is not None else _from_binary(request, folder)
    alphabet, told = _alphabet(request, taken.words)
    with explain_write(folder):
        alphabet.save(folder / "alphabet.txt")
    identity = {
        "alphabet_hash": alphabet.hash,
        "lm_hash": sha256_file(folder / "lm.binary"),
        "order": str(taken.order),
        "normaliser_version": NORMALISER_VERSION,
        "kenlm_version": kenlm.find_tools().version,
        "highest_order": str(native.KENLM_MAX_ORDER),
        "labels": alphabet.kind,
        "unit": request.unit,
    }
    lexicon = build_lexicon(taken.words, alphabet, folder, identity)
    identity["vocabulary_hash"] = lexicon["vocabulary_hash"]  # of the words that the alphabet spells
    decisions = [*taken.decisions, *told]
    for decision in decisions:
        _log.info("%s", decision)
    manifest = _described(request, inputs, taken, identity)
    manifest["decisions"] = decisions
    manifest["lexicon"] = {key: lexicon[key] for key in ("nodes", "words", "bytes", "skipped")}
    manifest["files"] = {
        name: {
            "bytes": (folder / name).stat().st_size,
            "sha256": identity["lm_hash"] if name == "lm.binary" else sha256_file(folder / name),
        }
        for name in files_of(manifest)
    }
    write_manifest(folder, manifest)
    Scorer.load(folder)
    return manifest


def _from_arpa(request: AdoptRequest, folder: Path) -> _Taken:
    source, target = request.source, folder / "lm.arpa"
    copied = arpa_file.copy_clean(source, target)
    if twice := arpa_file.stands_twice(target):
        raise TextSourceError(
            f"{source} lists {twice!r} twice, and nothing tells which of its probabilities is meant: make it anew"
        )
    words = _arpa_words(source, target)
    decisions = list(copied.changes)
    if _in_capitals(words):
        small = [word.lower() for word in words]
        if len(set(small)) == len(words):
            arpa_file.lower_case(target)
            words = small
            decisions.append("words in capitals were put in small letters")
        else:
            decisions.append(f"words stay in capitals: {len(words) - len(set(small)):,} differ by them alone")
    try:
        kenlm.to_binary(
            target, folder / "lm.binary", kenlm.BinaryOptions(request.structure, request.quantise)
        )
    except ToolFailedError as error:
        raise _explained(source, target, str(error)) from None
    adopted = {"form": "arpa", "name": source.name}
    return _Taken(words, copied.ngrams, len(copied.ngrams), decisions, adopted)


def _arpa_words(source: Path, target: Path) -> list[str]:
    try:
        words = kenlm.arpa_words(target)
    except UnicodeDecodeError as error:
        word = error.object[max(0, error.start - 20) : error.end + 20].split(b"\n")
        raise TextSourceError(
            f"{source} holds words that are not UTF-8 (near {word[len(word) // 2].decode('utf-8', 'replace')!r}): "
            "convert it, e.g. iconv -f latin1 -t utf-8"
        ) from None
    if not words:
        raise TextSourceError(f"{source} holds no words but the marks of sentences")
    return words


def _in_capitals(words: Sequence[str]) -> bool:
    """Whether most words have a capital and none, or hardly one, a small letter."""
    capitals = sum(word != word.lower() for word in words)
    small = sum(word != word.upper() for word in words)
    return capitals > len(words) // 2 and small < len(words) // 100 + 1


def _explained(source: Path, target: Path, message: str) -> LanguageModelError:
    """What build_binary said, with the place where it stopped."""
    match = _BYTE.search(message)
    line = arpa_file.line_at(target, int(match[1])) if match else ""
    place = f" near {line!r}" if line else ""
    said = re.sub(r"^build_binary ended with status \d+: |\s*(Byte: \d+)?\s*(ERROR)?$", "", message)
    said = said.rpartition("because")[2].strip() or said
    for mark, meaning in (
        ("</s>", "it has no </s>, the end of a sentence"),
        ("<s>", "it has no <s>, the begin of a sentence"),
        ("ositive log", "a probability is above 1 (a positive logarithm)"),
    ):
        if mark in said:
            return TextSourceError(f"{source}{place} cannot be used: {meaning}")
    return TextSourceError(f"{source}{place} cannot be read by KenLM: {said.splitlines()[0][:300]}")


def _from_binary(request: AdoptRequest, folder: Path) -> _Taken:
    source = request.source
    kind, has_words = binary_file.check(source)
    with explain_write(folder):
        shutil.copyfile(source, folder / "lm.binary")
    try:
        model = LanguageModel.load(folder / "lm.binary")
    except ScorerError as error:
        raise TextSourceError(f"{source} cannot be used: {str(error).partition(': ')[2] or error}") from None
    decisions = []
    if request.words is not None:
        words, unknown = binary_file.words_of_list(request.words, model)
        if unknown:
            decisions.append(
                f"{unknown:,} words of {request.words.name} are not in the model and were left out"
            )
    elif has_words:
        words = binary_file.words_inside(source, model)
    else:
        raise LanguageModelUsageError(
            f"{source} holds no words (it was built with build_binary -v): give them by --words FILE, one a line, e.g. "
            "the words of the ARPA file it was made of, or Kaldi's words.txt"
        )
    adopted = {"form": "binary", "kind": kind, "name": source.name}
    return _Taken(words, [model.vocabulary_size], model.order, decisions, adopted)


def _alphabet(request: AdoptRequest, words: Sequence[str]) -> tuple[Alphabet, list[str]]:
    if request.alphabet is not None:
        return Alphabet.load(request.alphabet), []
    english = default_alphabet()
    labels = frozenset(english.labels)
    spelled = sum(labels.issuperset(word) for word in words)
    if spelled >= _ENGLISH_SHARE * len(words):
        return english, []
    counts = Counter("".join(words))
    floor = counts.total() * RARE_SHARE
    letters = {sign: n for sign, n in counts.items() if sign == "'" or unicodedata.category(sign)[0] in "LM"}
    kept = sorted(sign for sign, n in letters.items() if n >= floor)
    rare = [sign for sign in letters if sign not in kept]
    if not kept:
        raise LanguageModelUsageError(
            f"the words of {request.source} hold no letter, so no alphabet can be made of them"
        )
    told = f"alphabet of {len(kept) + 1} labels from the words' letters; a network needs its own (--alphabet)"
    return Alphabet([" ", *kept]), [
        told + (f"; rare letters left out: {' '.join(rare[:20])}" if rare else "")
    ]


def _described(
    request: AdoptRequest, inputs: Inputs, taken: _Taken, identity: dict[str, str]
) -> dict[str, Any]:
    """The manifest as `lm build` has it: what was learnt is nothing, what was measured is nothing."""
    figures = measure_corpora([], lambda text: [])
    return {
        "kind": "language_model",
        "name": None if request.out is not None else _name_of(request),
        "version": inputs.hash[:16],
        "inputs_hash": inputs.hash,
        "inputs": inputs.record,
        "adopted": taken.adopted,
        "identity": {**identity, "order": taken.order},
        "order": taken.order,
        "order_asked": taken.order,
        "ngrams": taken.ngrams,
        "ngrams_before_pruning": taken.ngrams,
        "vocabulary": len(taken.words),
        "vocabulary_choice": {"chosen": "adopted"},
        "discount_fallback": False,
        "interpolation": None,
        "sentences": SentenceCounts().as_json(),
        **{key: figures[key] for key in ("perplexity", "perplexity_without_oov", "oov_rate")},
        "dev": figures,
    }

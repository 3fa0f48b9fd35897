"""The whole stage: text → sentences → n-grams → binary → lexicon trie → measured, published in one rename.

    sentences.py   what is learned from          kenlm.py     ARPA and binary
    lexicon.py     the trie beside the binary    perplexity.py   the figures on the dev transcripts

The folder holds `lm.arpa lm.binary lexicon.trie alphabet.txt manifest.json`. The same inputs give the same
bytes; a model whose inputs have not changed is not built again. Nothing half-made lies under the final name.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import native
from corpora.text.normaliser import NORMALISER_VERSION
from lm import kenlm
from lm.errors import EmptyTextError, ResourceError
from lm.lexicon import build_lexicon, vocabulary_hash
from lm.model.folder import FILES, write_manifest
from lm.model.placing import build_into, publish
from lm.perplexity import measure_corpora
from lm.request import BuildRequest, Inputs, gather, inputs_hash
from lm.text.pronunciations import Pronunciations, read_pronunciations
from lm.text.remarks import remarks, why_nothing_is_left
from lm.text.sentences import (
    WORD_COUNT_BYTES,
    Part,
    SentenceCounts,
    SentenceSources,
    held_out_sentences,
    write_sentences,
)
from lm.text.vocabulary import Vocabulary, from_list, most_frequent
from lm.units import WORDS, scoring, split_file
from native import LanguageModel, Scorer, WordCounter
from store.writing import explain_write, sha256_file

__all__ = ["BuildRequest", "build", "inputs_hash"]

_SORT_BYTES_PER_TEXT_BYTE = 5
_MEBIBYTE = 1 << 20
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Estimated:
    """What the estimating half of the stage hands to the describing half."""

    counts: SentenceCounts
    ngrams: kenlm.Estimate
    words: list[str]
    choice: dict[str, Any]
    decisions: list[str]
    mixed: dict[str, Any] | None


@dataclass(frozen=True)
class _Aside:
    """What the writing of sentences heeds besides them: those held out for the weights of a mixture; words to count."""

    dev: Sequence[str]
    words: WordCounter | None


def build(request: BuildRequest) -> dict[str, Any]:
    """Builds one language model and puts it under its final name.

    Returns the manifest with `status` ("published", "built" or "unchanged") and `path`. Raises the errors of
    `lm.errors` and, for unknown corpora, `store.errors.NotPublishedError`.
    """
    inputs = gather(request)

    def make(folder: Path) -> dict[str, Any]:
        return _make(request, inputs, folder)

    if request.publish is not None:
        return publish(inputs, request.publish, make)
    return build_into(inputs, Path(str(request.out)).absolute(), make)


def _make(request: BuildRequest, inputs: Inputs, folder: Path) -> dict[str, Any]:
    """Fills a folder with the finished model, proves that it loads, and returns its manifest."""
    work = folder / "work"
    work.mkdir()
    said = None
    if request.pronunciations is not None:
        letters = tuple(inputs.alphabet.labels)
        said = read_pronunciations(request.pronunciations, letters, inputs.labels, inputs.language)
    estimated = _estimate(request, inputs, folder, work)
    with explain_write(folder):
        inputs.labels.save(folder / "alphabet.txt")
    identity = {
        "alphabet_hash": inputs.labels.hash,
        "lm_hash": sha256_file(folder / "lm.binary"),
        "order": str(estimated.ngrams.order),
        "normaliser_version": NORMALISER_VERSION,
        "kenlm_version": kenlm.find_tools().version,
        "highest_order": str(native.KENLM_MAX_ORDER),
        "labels": inputs.labels.kind,
        "unit": inputs.unit,
    }
    if said is None:
        identity["vocabulary_hash"] = vocabulary_hash(estimated.words)
        lexicon = build_lexicon(estimated.words, inputs.labels, folder, identity)
        heard: dict[str, Any] = {}
    else:
        identity["pronunciations_hash"] = said.hash
        lexicon, heard = _pronounced(said, estimated, inputs, folder, identity)
    shutil.rmtree(work)
    manifest = _describe(request, inputs, estimated, identity)
    manifest["lexicon"] = {**{key: lexicon[key] for key in ("nodes", "words", "bytes", "skipped")}, **heard}
    manifest["files"] = {
        name: {
            "bytes": (folder / name).stat().st_size,
            "sha256": identity["lm_hash"] if name == "lm.binary" else sha256_file(folder / name),
        }
        for name in FILES
    }
    figures = measure_corpora(
        inputs.everything,
        scoring(LanguageModel.load(folder / "lm.binary").score_sentence, inputs.unit, inputs.labels),
    )
    manifest.update({key: figures[key] for key in ("perplexity", "perplexity_without_oov", "oov_rate")})
    manifest["dev"] = figures
    write_manifest(folder, manifest)
    Scorer.load(folder)
    return manifest


def _pronounced(
    said: Pronunciations, estimated: _Estimated, inputs: Inputs, folder: Path, identity: dict[str, str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The lexicon of the words that have a pronunciation, and what the manifest says of it; completes `identity`."""
    entries, record, decisions = said.of(estimated.words)
    if not entries:
        raise EmptyTextError(
            f"none of the model's {len(estimated.words):,} words has a pronunciation in the list; is it of the "
            "text's language?"
        )
    for decision in decisions:
        _log.info("%s", decision)
    estimated.decisions.extend(decisions)
    lexicon = build_lexicon(estimated.words, inputs.labels, folder, identity, entries)
    identity["vocabulary_hash"] = lexicon["vocabulary_hash"]  # of the words that are said
    return lexicon, {
        "pronunciations": lexicon["pronunciations"],
        "list": record,
        "letters": inputs.alphabet.labels,
    }


def _estimate(request: BuildRequest, inputs: Inputs, folder: Path, work: Path) -> _Estimated:
    """Sentences, vocabulary, ARPA file and binary."""
    words = None
    if request.vocabulary_size is not None:
        words = WordCounter(str(work / "words-"), WORD_COUNT_BYTES)
    dev = mixture().dev_sentences(request, inputs, work) if request.interpolate else []
    parts, counts = _write_parts(request, inputs, work, _Aside(dev, words))
    total = counts.total
    _log.info("%d sentences, %d words kept; %d equal dev or test", total.kept, total.words, total.left_out)
    if not total.kept:
        raise EmptyTextError(why_nothing_is_left(counts, inputs.alphabet.labels))
    longest = counts.longest_words
    for part in parts:
        if inputs.unit != WORDS:
            with explain_write(part.text):
                longest = split_file(part.text, work / "characters.txt", inputs.unit, inputs.labels)
                (work / "characters.txt").replace(part.text)
        _check_disk(part.text, request.order)
    vocabulary = _choose_vocabulary(request, inputs, words)
    listed = vocabulary.write(work / "vocabulary.txt") if vocabulary else None
    options = kenlm.EstimateOptions(request.order, request.prune, listed)
    mixed = None
    if request.interpolate:
        ngrams, mixed = mixture().estimate(parts, dev, work / "lm.arpa", options)
        mixed["tuned_on"] = "dev" if request.dev is None else request.dev.name
    else:
        ngrams = kenlm.estimate(parts[0].text, work / "lm.arpa", longest, options)
    learnt = kenlm.arpa_words(work / "lm.arpa")
    if not learnt:
        raise EmptyTextError(
            f"none of the {total.words} words of the text is in the vocabulary; "
            "is the list in the text's language?"
        )
    kenlm.to_binary(
        work / "lm.arpa", work / "lm.binary", kenlm.BinaryOptions(request.binary, request.quantise)
    )
    for name in ("lm.arpa", "lm.binary"):
        (work / name).rename(folder / name)
    choice, lacking = vocabulary.beside(learnt) if vocabulary else ({"chosen": "all"}, ())
    chosen_labels = inputs.alphabet.labels if request.alphabet is not None and inputs.sounds is None else []
    passed = [f"corpus {name} cannot be read: passed over" for name in inputs.record.get("passed_over", [])]
    decisions = [*passed, *ngrams.decisions, *lacking, *remarks(counts, chosen_labels, learnt)]
    for decision in decisions:
        _log.info("%s", decision)
    return _Estimated(counts, ngrams, learnt, choice, decisions, mixed)


def _write_parts(
    request: BuildRequest, inputs: Inputs, work: Path, aside: _Aside
) -> tuple[list[Part], SentenceCounts]:
    """The clean sentences: in one file, or where sources are mixed in one each."""
    labels = inputs.alphabet.labels
    held_out = held_out_sentences(
        inputs.everything, request.keep_held_out, not inputs.alphabet.unspaced, aside.dev
    )
    everything = SentenceSources(
        inputs.training, inputs.text, tuple(labels), request.workers, inputs.language
    )
    sources = [("all", everything)]
    if request.interpolate:
        sources = mixture().sources_of(request, inputs)
    parts, counts = [], SentenceCounts()
    for index, (name, source) in enumerate(sources):
        text = work / f"sentences{index or ''}.txt"
        with explain_write(text):
            parts.append(Part(name, text, write_sentences(text, source, held_out, aside.words)))
        counts.merge(parts[-1].counts)
    return parts, counts


def mixture() -> Any:
    """The module of models of several sources, imported where it is used: it needs numpy and pyarrow."""
    from lm.mixing import mixture as module

    return module


def _choose_vocabulary(request: BuildRequest, inputs: Inputs, words: WordCounter | None) -> Vocabulary | None:
    """The words that `lmplz` keeps, or None where all stay."""
    if request.vocabulary is not None:
        return from_list(request.vocabulary, tuple(inputs.alphabet.labels), inputs.language)
    if request.vocabulary_size is not None and words is not None:
        return most_frequent(words, request.vocabulary_size)
    return None


def _check_disk(text: Path, order: int) -> None:
    """Raises ResourceError where the sort and the files will not fit, before minutes are spent."""
    size = text.stat().st_size
    needed = size * _SORT_BYTES_PER_TEXT_BYTE * order
    free = shutil.disk_usage(text.parent).free
    if needed > free:
        raise ResourceError(
            f"order {order} on {size // _MEBIBYTE} MiB of text needs about {needed // _MEBIBYTE} MiB "
            f"below {text.parent}, but only {free // _MEBIBYTE} MiB are free; free some or lower the order"
        )


def _describe(
    request: BuildRequest, inputs: Inputs, estimated: _Estimated, identity: dict[str, str]
) -> dict[str, Any]:
    """The manifest without files and figures: no times, no absolute paths."""
    return {
        "kind": "language_model",
        "name": request.publish,
        "version": inputs.hash[:16],
        "inputs_hash": inputs.hash,
        "inputs": inputs.record,
        "identity": {**identity, "order": estimated.ngrams.order},
        "order": estimated.ngrams.order,
        "order_asked": request.order,
        "ngrams": list(estimated.ngrams.ngrams),
        "ngrams_before_pruning": list(estimated.ngrams.before_pruning),
        "vocabulary": len(estimated.words),
        "vocabulary_choice": estimated.choice,
        "discount_fallback": estimated.ngrams.discount_fallback,
        "decisions": estimated.decisions,
        "interpolation": estimated.mixed,
        "sentences": estimated.counts.as_json(),
    }

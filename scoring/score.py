"""Two files of transcripts -> counts, rates, speakers and labels: what the command, the page and the reports show.

    result = score(ScoreRequest(Path("ref.stm"), Path("hyp.ctm")))
    result.total.wer

Alignment is `native`'s, by NIST's rules; formats, pairing, GLM and normalisers are the modules of those names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

from native import _core
from scoring import formats, normalisers
from scoring.compounds import merge_compounds
from scoring.errors import ScoringError
from scoring.pairing import pair_up
from scoring.pairs import Pair, Pairing, Times
from scoring.transcripts import Transcripts

_MARKUP = re.compile(r"\s*([{}/]|(?<!\S)@(?!\S))\s*")
Step = tuple[str, str | None, str | None, int, int]  # C S D I, word said, word heard, their places or -1


@dataclass(frozen=True)
class ScoreRequest:
    """What to score and how. Forms of `formats.FORMS` or None to guess; `normaliser` of `normalisers.NAMES`."""

    reference: Path
    hypothesis: Path
    reference_form: str | None = None
    hypothesis_form: str | None = None
    fold: str = "ascii"  # a = A: of a to z as sclite does, "unicode" of all letters, "none"
    deletable: bool = False  # (word) may be missing
    fragments: bool = False  # wo- equals word
    by_time: bool = False  # CTM against CTM: what is near in time is a pair
    glm: Path | None = None
    normaliser: str = "none"
    missing: str | None = None
    speakers: str = "auto"


@dataclass(frozen=True, slots=True)
class Counts:
    """Words of many utterances. Rates are fractions; with no word in the references they are 0."""

    correct: int = 0
    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    utterances: int = 0
    utterances_wrong: int = 0

    @property
    def words(self) -> int:
        """Reference words."""
        return self.correct + self.substitutions + self.deletions

    @property
    def errors(self) -> int:
        """Substitutions, deletions and insertions."""
        return self.substitutions + self.deletions + self.insertions

    @property
    def wer(self) -> float:
        """Errors per reference word."""
        return self.errors / max(1, self.words)

    def as_json(self) -> dict[str, Any]:
        """Counts and rates under their usual names."""
        return {
            "words": self.words,
            "correct": self.correct,
            "substitutions": self.substitutions,
            "deletions": self.deletions,
            "insertions": self.insertions,
            "errors": self.errors,
            "wer": self.wer,
            "utterances": self.utterances,
            "utterances_wrong": self.utterances_wrong,
            "sentence_error_rate": self.utterances_wrong / max(1, self.utterances),
        }


@dataclass(frozen=True)
class Score:
    """The pairs and the counts (C, S, D, I) of each."""

    request: ScoreRequest
    pairing: Pairing
    counts: Sequence[tuple[int, int, int, int]]
    forms: tuple[str, str]
    notes: list[str] = field(default_factory=list)

    @property
    def pairs(self) -> list[Pair]:
        """The utterances, in order."""
        return self.pairing.pairs

    @cached_property
    def total(self) -> Counts:
        """All utterances together."""
        return summed(self.counts)

    @cached_property
    def _by_speaker(self) -> dict[str, Counts]:
        groups: dict[str, list[tuple[int, int, int, int]]] = {}
        for pair, counts in zip(self.pairs, self.counts, strict=True):
            groups.setdefault(pair.speaker, []).append(counts)
        return {name: summed(rows) for name, rows in groups.items()}

    def speakers(self) -> dict[str, Counts]:
        """Counts by speaker, in the order of their first utterance."""
        return self._by_speaker

    def labels(self) -> dict[str, Counts]:
        """Counts by the parts of STM's labels <a,b,c>."""
        groups: dict[str, list[tuple[int, int, int, int]]] = {}
        for pair, counts in zip(self.pairs, self.counts, strict=True):
            if pair.label:
                for name in filter(None, pair.label.strip("<>").split(",")):
                    groups.setdefault(name, []).append(counts)
        return {name: summed(rows) for name, rows in groups.items()}

    def path(self, pair: Pair) -> list[Step]:
        """The words of one utterance side by side."""
        return path_of(pair, self.request)

    def as_json(self) -> dict[str, Any]:
        """What `--json` prints: total, speakers, labels, what was left out."""
        return {
            **self.total.as_json(),
            "formats": list(self.forms),
            "normaliser": self.request.normaliser,
            "references_without_hypothesis": len(self.pairing.without_hypothesis),
            "ignored_segments": self.pairing.ignored_segments,
            "ignored_words": self.pairing.ignored_words,
            "notes": self.notes,
            "speakers": {name: counts.as_json() for name, counts in self.speakers().items()},
            "labels": {name: counts.as_json() for name, counts in self.labels().items()},
        }


def summed(rows: Sequence[tuple[int, int, int, int]]) -> Counts:
    """Counts of many utterances."""
    correct, substitutions, deletions, insertions = (
        (sum(column) for column in zip(*rows, strict=True)) if rows else (0,) * 4
    )
    wrong = sum(row[1] + row[2] + row[3] > 0 for row in rows)
    return Counts(correct, substitutions, deletions, insertions, len(rows), wrong)


def score(request: ScoreRequest) -> Score:
    """Read, pair, normalise, align.

    Raises:
        ScoringError: a file cannot be read, the two do not belong together, or a text's mark-up is broken.
    """
    return score_files(request, *read_files(request))


def read_files(request: ScoreRequest) -> tuple[Transcripts, Transcripts]:
    """Both files, after the GLM where one is given."""
    fold = request.fold
    reference = formats.read(request.reference, request.reference_form, fold)
    hypothesis = formats.read(request.hypothesis, request.hypothesis_form, fold, hypothesis=True)
    if request.glm is None:
        return reference, hypothesis
    from scoring.glm import Rules, apply_to

    return (
        apply_to(reference, Rules.load(request.glm, reference.form, "ref"), fold),
        apply_to(hypothesis, Rules.load(request.glm, hypothesis.form, "hyp"), fold),
    )


def score_files(request: ScoreRequest, reference: Transcripts, hypothesis: Transcripts) -> Score:
    """Score files that were read, so that several normalisers can be laid side by side."""
    if request.by_time and (reference.form, hypothesis.form) != ("ctm", "ctm"):
        raise ScoringError(
            "alignment by time needs CTM on both sides: the words of the reference have no times"
        )
    pairing = pair_up(reference, hypothesis, request.missing, request.speakers)
    if not pairing.pairs:
        raise ScoringError(f"{request.reference} and {request.hypothesis} have no utterance to score")
    rules = normalisers.find(request.normaliser)
    if rules.normalise is not None:
        pairing = replace(pairing, pairs=[_normalised(pair, rules.normalise) for pair in pairing.pairs])
    if rules.compounds:
        pairing = replace(pairing, pairs=[_merged(pair, request) for pair in pairing.pairs])
    return Score(
        request,
        pairing,
        _count(pairing.pairs, request),
        (reference.form, hypothesis.form),
        [*pairing.notes(), *_capitals(request, pairing.pairs)],
    )


def _capitals(request: ScoreRequest, pairs: Sequence[Pair]) -> list[str]:
    """A note where capitals beyond A to Z count as other letters."""
    texts = (text for pair in pairs for text in (pair.reference, pair.hypothesis))
    if request.fold == "ascii" and any(not text.isascii() and text.lower() != text for text in texts):
        return [
            "capitals beyond A to Z are compared as written, as sclite does: --fold unicode takes É for é"
        ]
    return []


def _count(pairs: Sequence[Pair], request: ScoreRequest) -> list[tuple[int, int, int, int]]:
    if request.by_time:
        return [_tallied(path_of(pair, request)) for pair in pairs]
    texts = [pair.reference for pair in pairs], [pair.hypothesis for pair in pairs]
    try:
        return _core.align_counts(*texts, request.deletable, request.fragments)
    except ValueError:
        for pair in pairs:
            path_of(pair, request)
        raise


def _tallied(steps: Sequence[Step]) -> tuple[int, int, int, int]:
    kinds = [step[0] for step in steps]
    return kinds.count("C"), kinds.count("S"), kinds.count("D"), kinds.count("I")


def path_of(pair: Pair, request: ScoreRequest) -> list[Step]:
    """The words of one utterance side by side.

    Raises:
        ScoringError: the mark-up of a text is broken; names the utterance.
    """
    times = pair.times if request.by_time else None
    try:
        steps = _core.align_path(
            pair.reference, pair.hypothesis, request.deletable, request.fragments, *(times or (None, None))
        )
        return steps if pair.times is None else _in_time(steps, *pair.times)
    except ValueError as error:
        raise ScoringError(f"utterance {pair.id}: {error}") from None


def _in_time(steps: list[Step], said: Times, heard: Times) -> list[Step]:
    """Missing and added words that stand together, by their starts."""
    ordered: list[Step] = []
    for alone, group in groupby(steps, lambda step: step[0] in "DI"):
        row = list(group)
        if alone:
            row.sort(key=lambda step: said[step[3]][0] if step[3] >= 0 else heard[step[4]][0])
        ordered += row
    return ordered


def _normalised(pair: Pair, normalise: Callable[[str], str]) -> Pair:
    return pair._replace(
        reference=_marked(pair.reference, normalise),
        hypothesis=_marked(pair.hypothesis, normalise),
        times=None,
    )


def _marked(text: str, normalise: Callable[[str], str]) -> str:
    """A text normalised between the signs of its alternations; an alternative that vanishes becomes `@`."""
    if "{" not in text:
        return normalise(text)
    parts = _MARKUP.split(text)
    for index in range(0, len(parts), 2):
        parts[index] = normalise(parts[index])
        opened = index > 0 and parts[index - 1] in "{/"
        if opened and not parts[index] and parts[index + 1 : index + 2] and parts[index + 1] in "/}":
            parts[index] = "@"
    return " ".join(part for part in parts if part)


def _merged(pair: Pair, request: ScoreRequest) -> Pair:
    if "{" in pair.reference or "{" in pair.hypothesis:
        return pair
    return pair._replace(hypothesis=merge_compounds(path_of(pair, request)))

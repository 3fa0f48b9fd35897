"""An alignment against the truth: what of it is right, what is wrong, and which planted faults it passed over in silence."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.align.planting import Fault, Planted, Spoken

NEAR_S = 0.1
LONG = 5  # words: a run that must be named


@dataclass
class Verdict:
    """Counts over one recording.

    Attributes:
        words: truly spoken and written ones; timed: of these, published in their place; near: within 100 ms at both ends.
        able, able_near: the same of words that the network bears in their own sentence, with nothing planted.
        far: able words with a time that is further off than that.
        untimed_beside: able words without a time where a word before or behind them is not written, or another is.
        untimed: able words without a time among words that are all spoken and written: heard otherwise than alone.
        published: words in segments; wrong: of these, not what is said there; skipped: said inside a segment, not in it.
        silent: faults that were passed over, by kind.
        runs, named: removed or invented stretches of five words and more, and how many of them were named.
    """

    words: int = 0
    timed: int = 0
    near: int = 0
    able: int = 0
    able_near: int = 0
    far: int = 0
    untimed_beside: int = 0
    untimed: int = 0
    published: int = 0
    wrong: int = 0
    skipped: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    silent: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    named: int = 0

    def add(self, other: Verdict) -> None:
        """The sum of two recordings."""
        for name in (
            "words",
            "timed",
            "near",
            "able",
            "able_near",
            "far",
            "untimed_beside",
            "untimed",
            "published",
            "wrong",
            "skipped",
            "runs",
            "named",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults.update(other.faults)
        self.silent.update(other.silent)

    def as_json(self) -> dict[str, Any]:
        """Counts and shares."""
        return {
            "words": self.words,
            "timed": round(self.timed / max(1, self.words), 5),
            "within_100_ms": round(self.near / max(1, self.words), 5),
            "able": round(self.able / max(1, self.words), 5),
            "able_within_100_ms": round(self.able_near / max(1, self.able), 5),
            "able_further_off": round(self.far / max(1, self.able), 5),
            "able_untimed_beside_a_fault": round(self.untimed_beside / max(1, self.able), 5),
            "able_untimed_elsewhere": round(self.untimed / max(1, self.able), 5),
            "published": self.published,
            "wrong": self.wrong,
            "skipped": self.skipped,
            "wrong_share": round((self.wrong + self.skipped) / max(1, self.published), 5),
            "faults": sum(self.faults.values()),
            "silent": sum(self.silent.values()),
            "silent_by_kind": {kind: self.silent[kind] for kind in sorted(self.faults)},
            "faults_by_kind": dict(sorted(self.faults.items())),
            "long_runs": self.runs,
            "long_runs_named": self.named,
        }


def verdict_of(answer: dict[str, Any], truth: Planted) -> Verdict:
    """Judge what `training align` answered."""
    verdict = Verdict(faults=Counter(one.kind for one in truth.faults))
    words_in_order = sorted(
        (word for segment in answer["segments"] for word in segment["words"]),
        key=lambda word: float(word["start_s"]),
    )
    wrong_tokens: set[int] = set()
    skipped: set[int] = set()
    for segment in answer["segments"]:
        words = segment["words"]
        matched: set[int] = set()
        for offset, word in enumerate(words):
            token = segment["from_word"] + offset
            verdict.published += 1
            said = _said(word, truth.spoken)
            if said is None:
                verdict.wrong += 1
                wrong_tokens.add(token)
            else:
                matched.add(said)
        inside = _inside(words[0]["start_s"], words[-1]["end_s"], truth.spoken)
        lost = [number for number in inside if number not in matched]
        verdict.skipped += len(lost)
        skipped.update(lost)
    for number, one in enumerate(truth.spoken):
        if one.token is None:
            continue
        verdict.words += 1
        word = _published(one, words_in_order)
        verdict.timed += word is not None
        near = word is not None and _apart(one, word) <= NEAR_S
        verdict.near += near
        verdict.able += one.able
        verdict.able_near += one.able and near
        if one.able and not near:
            beside = word is None and _beside_a_fault(number, truth.spoken)
            verdict.far += word is not None
            verdict.untimed_beside += beside
            verdict.untimed += word is None and not beside
    for fault in truth.faults:
        if _passed_over(fault, answer, (wrong_tokens, skipped)):
            verdict.silent[fault.kind] += 1
        _count_runs(fault, answer, truth, verdict)
    return verdict


def _beside_a_fault(number: int, spoken: Sequence[Spoken]) -> bool:
    """Whether a word's neighbours in the sound are not its neighbours in the text."""
    for step in (-1, 1):
        at = number + step
        token = spoken[at].token if 0 <= at < len(spoken) else None
        if token is None or token != (spoken[number].token or 0) + step:
            return True
    return False


def _published(one: Spoken, words: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
    """The published word of the same letters that overlaps a spoken one, if any."""
    low, high = 0, len(words)
    while low < high:
        at = (low + high) // 2
        low, high = (at + 1, high) if words[at]["end_s"] < one.start_s - 0.5 else (low, at)
    for word in words[low : low + 12]:
        if word["word"] == one.word and min(word["end_s"], one.end_s) > max(word["start_s"], one.start_s):
            return word
    return None


def _apart(one: Spoken, word: dict[str, Any]) -> float:
    return max(abs(float(word["start_s"]) - one.start_s), abs(float(word["end_s"]) - one.end_s))


def _said(word: dict[str, Any], spoken: Sequence[Spoken]) -> int | None:
    """The spoken word that a published one is, by its time and its letters."""
    middle_s = (word["start_s"] + word["end_s"]) / 2
    low, high = 0, len(spoken)
    while low < high:
        at = (low + high) // 2
        low, high = (at + 1, high) if spoken[at].end_s < middle_s - 0.3 else (low, at)
    best = None
    for number in range(low, min(low + 8, len(spoken))):
        one = spoken[number]
        if one.start_s > middle_s + 0.3:
            break
        overlap = min(word["end_s"], one.end_s) - max(word["start_s"], one.start_s)
        if one.word == word["word"] and overlap > 0:
            best = number
    return best


def _inside(start_s: float, end_s: float, spoken: Sequence[Spoken]) -> list[int]:
    return [number for number, one in enumerate(spoken) if start_s < (one.start_s + one.end_s) / 2 < end_s]


def _passed_over(fault: Fault, answer: dict[str, Any], errors: tuple[set[int], set[int]]) -> bool:
    """Whether something that is wrong because of this fault was published."""
    wrong_tokens, skipped = errors
    if fault.stretch_s is not None:
        start_s, end_s = fault.stretch_s
        return any(
            start_s < (word["start_s"] + word["end_s"]) / 2 < end_s
            for one in answer["segments"]
            for word in one["words"]
        )
    return any(token in wrong_tokens for token in fault.tokens) or any(one in skipped for one in fault.spoken)


def _count_runs(fault: Fault, answer: dict[str, Any], truth: Planted, verdict: Verdict) -> None:
    """Count the removed or invented stretches of a fault: words that follow each other, five and more."""
    named = {token for one in answer["not_spoken"] for token in range(one["from_word"], one["to_word"])}
    if not fault.kind.startswith("paragraph"):
        for run in _long(fault.tokens):
            verdict.runs += 1
            verdict.named += sum(token in named for token in run) >= 0.8 * len(run)
    if fault.kind != "spoken_twice":
        for run in _long(fault.spoken):
            start_s, end_s = truth.spoken[run[0]].start_s, truth.spoken[run[-1]].end_s
            covered = sum(
                max(0.0, min(end_s, one["end_s"]) - max(start_s, one["start_s"]))
                for one in answer["not_written"]
            )
            verdict.runs += 1
            verdict.named += covered >= 0.8 * (end_s - start_s)


def _long(numbers: Sequence[int]) -> list[list[int]]:
    """Runs of numbers that follow each other, long enough to have to be named."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return [run for run in runs if len(run) >= LONG]

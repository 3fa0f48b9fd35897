"""Segments with times × words with times: a word belongs to the segment in which its middle lies.

A word before a segment's start belongs to it too if no earlier segment took it, and the last segment of a channel
takes all that is left: no word of the hypothesis gets lost. Segments whose text is
IGNORE_TIME_SEGMENT_IN_SCORING take their words out of the scoring.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from scoring.errors import ScoringError
from scoring.pairs import Pair, Pairing
from scoring.transcripts import Segment, Side, TimedWord, Transcripts

_IGNORE = ("ignore_time_segment_in_scoring", "ignoretimesegmentinscoring")


@dataclass(frozen=True, slots=True)
class _Item:
    """A word or a whole alternation: what cannot be divided between segments."""

    words: tuple[TimedWord, ...]
    middle_s: float


def pair_by_time(reference: Transcripts, hypothesis: Transcripts) -> Pairing:
    """Every segment with the words heard in it; utterances are called `speaker-000` and so on.

    Raises:
        ScoringError: the reference has no times, or the hypothesis a recording that the reference lacks.
    """
    if not reference.segments or (reference.form != "stm" and not reference.is_timed):
        raise ScoringError(
            f"{reference.path} ({reference.form}) has no segments with times: words with times need them"
        )
    sides = _segments_by_side(reference)
    heard = hypothesis.words or _words_of_segments(hypothesis)
    if strange := [side for side in heard if side not in sides]:
        raise ScoringError(
            f"{hypothesis.path} has words of recording {strange[0][0]!r} channel {strange[0][1]!r} "
            f"({len(strange)} such in all) that {reference.path} lacks: leave them out, or mend the names"
        )
    result = Pairing()
    counts: dict[str, int] = {}
    for side, segments in sides.items():
        items = _items(heard.get(side, []))
        if side not in heard:
            result.without_hypothesis.append(" ".join(side))
        _pair_side(segments, items, result, counts)
    return result


def _pair_side(
    segments: Sequence[Segment], items: Sequence[_Item], result: Pairing, counts: dict[str, int]
) -> None:
    at = 0
    for index, segment in enumerate(segments):
        end = len(items)
        if index < len(segments) - 1:
            end = at
            while end < len(items) and items[end].middle_s < segment.end_s:
                end += 1
        taken = [word for item in items[at:end] for word in item.words]
        at = end
        if any(mark in segment.text.lower() for mark in _IGNORE):
            result.ignored_segments += 1
            result.ignored_words += sum(not word.is_mark for word in taken)
            continue
        number = counts.get(segment.speaker, 0)
        counts[segment.speaker] = number + 1
        text, _ = marked_text(taken)
        result.pairs.append(
            Pair(
                f"{segment.speaker}-{number:03d}", segment.speaker, segment.text, text, segment.label,
                segment.recording, segment.channel, segment.start_s, segment.end_s,
            )
        )  # fmt: skip


def _segments_by_side(reference: Transcripts) -> dict[Side, list[Segment]]:
    sides: dict[Side, list[Segment]] = {}
    for segment in reference.segments:
        sides.setdefault((segment.recording, segment.channel), []).append(segment)
    return sides


def _words_of_segments(hypothesis: Transcripts) -> dict[Side, list[TimedWord]]:
    """Words of segments, spread evenly over their time."""
    if not hypothesis.is_timed and any(segment.text.strip() for segment in hypothesis.segments):
        raise ScoringError(f"{hypothesis.path} ({hypothesis.form}) has no times to find its segments by")
    heard: dict[Side, list[TimedWord]] = {}
    for segment in hypothesis.segments:
        row = heard.setdefault((segment.recording, segment.channel), [])
        words = segment.text.split()
        for index, word in enumerate(words):
            duration_s = (segment.end_s - segment.start_s) / len(words)
            row.append(TimedWord(word, segment.start_s + index * duration_s, duration_s))
    for row in heard.values():
        row.sort(key=lambda word: word.start_s)
    return heard


def _items(words: Sequence[TimedWord]) -> list[_Item]:
    found: list[_Item] = []
    together: list[TimedWord] = []
    for word in words:
        if not word.in_alternation:
            found.append(_Item((word,), word.start_s + word.duration_s / 2))
            continue
        together.append(word)
        if word.text.lower() == "<alt_end>":
            found.append(_alternation(together))
            together = []
    return [*found, _alternation(together)] if together else found


def _alternation(words: Sequence[TimedWord]) -> _Item:
    middles = [word.start_s + word.duration_s / 2 for word in words if not word.is_mark]
    return _Item(tuple(words), max([0.0, *middles]))


def marked_text(words: Sequence[TimedWord]) -> tuple[str, tuple[tuple[float, float], ...]]:
    """Words as a text with `{ / }`, and start and end of each word in it; an empty alternative is `@` at 0."""
    texts: list[str] = []
    times: list[tuple[float, float]] = []
    for word in words:
        mark = word.text.lower() if word.is_mark else ""
        if mark and mark != "<alt_begin>" and texts and texts[-1] in ("{", "/"):
            texts.append("@")
            times.append((0.0, 0.0))
        if mark:
            texts.append({"<alt_begin>": "{", "<alt>": "/", "<alt_end>": "}"}.get(mark, word.text))
        else:
            texts.append(word.text)
            times.append((word.start_s, word.end_s))
    return " ".join(texts), tuple(times)

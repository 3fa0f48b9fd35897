"""Hours of sound and a text that nearly belongs to them: segments with times, and what does not belong, by name.

The recording is heard with a language model of the script (`language.py`, `listening.py`), its words are found in the
script (`locate.py`), judged by the sound (`judge.py`) and cut (`segments.py`). Nothing is silently wrong: every word of
the script is in a segment or in `not_spoken`, all speech is in a segment or in `not_written`.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from training.alignment.judge import Limits, Placed, judge, unspoken, unwritten
from training.alignment.language import build_script_model
from training.alignment.listening import Listening
from training.alignment.script import Script, read_script
from training.alignment.segments import Passage, passages
from training.decoding.weights import Weights
from training.network.features import hop_length, window_length
from training.runtime.package import Package
from training.runtime.recognizer import Recognizer, RecognizerOptions
from training.runtime.sound import Passing, facts_of, pieces_of

log = logging.getLogger(__name__)
_MARGIN_S = 0.15
_LEAST_UNWRITTEN_S = 0.3  # shorter speech that fits nothing is the edge of a word
_FEW = 0.2  # share of the script below which it is doubted that it belongs to the sound
_EXACT = 0.001  # nats
_UNAIDED = 0.6  # share below which a network is too weak: at 0.4 to 0.5 up to 0.5 % of words were wrong, at 0.75 hardly any
# A script says much, but the sound must be able to disagree. Not pruned: what is lost here is lost for good, and the
# search is a small part of the time.
_ALPHA, _BETA, _MODE = 1.0, 2.0, "exact"


@dataclass(frozen=True)
class AlignRequest:
    """A sound, its text, and where a model's package lies."""

    sound: Path
    text: Path
    package: Path
    threads: int = 1
    network: str = "int8"
    limits: Limits = field(default_factory=Limits)
    weights: Weights | None = None


def align(request: AlignRequest, told: Callable[[float], None] | None = None) -> dict[str, Any]:
    """Align one recording; the answer is the certificate as JSON.

    Returns:
        sound, text, model, duration_s, segments (start_s, end_s, text, from_word, to_word, score, words), not_spoken
        (text, from_word, to_word), not_written (start_s, end_s), shares (of words, of speech; of the found words those the
        network writes without knowing the text), and problem where the two hardly belong together, the network is too
        weak for the voice, or the sound ends in damage. Words are counted as blanks part them, from 0.

    Raises:
        SoundError: the sound cannot be heard. DataError: the text has no word the network writes.
    """
    package = Package.open(request.package)
    facts = facts_of(request.sound)
    language = package.language.split(" ")[0] or "en"
    script = read_script(request.text, package.labels, language)
    with tempfile.TemporaryDirectory(prefix="speechmill-") as folder:
        model = build_script_model(script, package.alphabet(), Path(folder), language)
        options = RecognizerOptions(
            network=request.network,
            threads=request.threads,
            language_model=model,
            weights=request.weights or of_script(package.weights),
        )
        recognizer = Recognizer.load(package, options)
        listening = Listening(recognizer)
        try:
            clock = Passing()
            pieces = clock.counted(
                pieces_of(request.sound, facts, recognizer.rate_hz), recognizer.rate_hz, told
            )
            listening.hear(pieces)
            placed = judge(listening, script.words, request.limits)
            answer = certificate(placed, listening, script, request.limits)
        finally:
            listening.close()
            recognizer.close()
    named = {"sound": str(request.sound), "text": str(request.text), "model": package.id}
    problem = clock.problem or _problem(answer, request)
    return {
        **named,
        "duration_s": round(clock.seconds, 3),
        **answer,
        **({"problem": problem} if problem else {}),
    }


def of_script(weights: Weights) -> Weights:
    """A model's weights of the search, for a language model of the script."""
    return replace(weights, alpha=_ALPHA, beta=_BETA, mode=_MODE)


def certificate(
    placed: Sequence[Placed], listening: Listening, script: Script, limits: Limits
) -> dict[str, Any]:
    """Segments and everything that is in none."""
    times = _Times(listening.recognizer)
    found = passages(placed)
    kept = {id(word) for one in found for word in one.words}
    placed = [replace(one, sure=one.sure and id(one.word) in kept) for one in placed]
    bounds = _bounds(found, placed, times)
    segments = [_segment(one, bound, script, times) for one, bound in zip(found, bounds, strict=True)]
    absent = unspoken(placed, len(script.words))
    missing = [_missing(first, stop, script) for first, stop in absent]
    speech = unwritten(placed, listening.stretches, limits)
    foreign = [(times.start_s(start + 1), times.end_s(stop)) for start, stop in speech]
    lost = sum(stop - first for first, stop in absent)
    return {
        "segments": segments,
        "not_spoken": missing,
        "not_written": [
            {"start_s": start_s, "end_s": end_s}
            for start_s, end_s in foreign
            if end_s - start_s >= _LEAST_UNWRITTEN_S
        ],
        "shares": {
            "words_timed": round(1 - lost / max(1, len(script.words)), 4),
            "speech_timed": round(_share(segments, listening, times), 4),
            "words_unaided": round(_unaided(found), 4),
        },
    }


def _problem(answer: dict[str, Any], request: AlignRequest) -> str | None:
    if not answer["segments"] and not answer["not_written"]:
        return f"{request.sound}: no speech was found in it"
    if answer["shares"]["words_timed"] < _FEW:
        return (
            f"{request.text}: only {answer['shares']['words_timed']:.0%} of its words were heard in {request.sound.name}: "
            "is it the text of this recording, and the model of its language?"
        )
    if too_weak(answer):
        return (
            f"{request.sound}: without the text the network would have written only {answer['shares']['words_unaided']:.0%} "
            "of the words it found: it is too weak for this voice to be believed; train it on such speech, or listen to "
            "every segment"
        )
    return None


def too_weak(answer: dict[str, Any]) -> bool:
    """Whether the network knows this voice so badly that what it is sure of may be wrong: not to be published unheard."""
    return bool(answer["segments"]) and answer["shares"].get("words_unaided", 1.0) < _UNAIDED


class _Times:
    """Frames to seconds: a frame's label is heard somewhere in its window."""

    def __init__(self, recognizer: Recognizer) -> None:
        features = recognizer.package.features
        self._hop_s = hop_length(features) / features.sample_rate_hz
        self._middle_s = window_length(features) / features.sample_rate_hz / 2

    def start_s(self, frame: int) -> float:
        """Where a word begins whose first letter is in this frame."""
        return round(max(0.0, (frame - 1) * self._hop_s + self._middle_s), 3)

    def end_s(self, stop: int) -> float:
        """Where a word ends whose last letter is in the frame before this one."""
        return round(stop * self._hop_s + self._middle_s, 3)


def _bounds(found: Sequence[Passage], placed: Sequence[Placed], times: _Times) -> list[tuple[float, float]]:
    """Where segments are cut: a margin round their words, but never beyond the middle of the way to another word."""
    starts = sorted((one.word.begin, one.word.stop) for one in placed)
    order = {start: number for number, (start, _) in enumerate(starts)}
    bounds = []
    for one in found:
        first, last = order[one.words[0].begin], order[one.words[-1].begin]
        low, high = times.start_s(one.words[0].begin), times.end_s(one.words[-1].stop)
        before = times.end_s(starts[first - 1][1]) if first else 0.0
        after = times.start_s(starts[last + 1][0]) if last + 1 < len(starts) else high + 2 * _MARGIN_S
        start_s = max(low - _MARGIN_S, min(low, (before + low) / 2))
        end_s = min(high + _MARGIN_S, max(high, (high + after) / 2))
        bounds.append((round(max(0.0, start_s), 3), round(end_s, 3)))
    return bounds


def _segment(one: Passage, bounds: tuple[float, float], script: Script, times: _Times) -> dict[str, Any]:
    first, stop = int(script.token_of[one.first]), int(script.token_of[one.stop - 1]) + 1
    return {
        "start_s": bounds[0],
        "end_s": bounds[1],
        "text": script.text(first, stop),
        "from_word": first,
        "to_word": stop,
        "score": round(one.score, 3),
        "words": [
            {
                "word": word.word,
                "start_s": times.start_s(word.begin),
                "end_s": times.end_s(word.stop),
                "score": round(word.score, 3),
            }
            for word in one.words
        ],
    }


def _missing(first: int, stop: int, script: Script) -> dict[str, Any]:
    low, high = int(script.token_of[first]), int(script.token_of[stop - 1]) + 1
    return {"text": script.text(low, high), "from_word": low, "to_word": high}


def _unaided(found: Sequence[Passage]) -> float:
    """Of the words in segments, how many the network writes by itself: each letter is the likeliest of all."""
    scores = [word.score for one in found for word in one.words]
    return sum(score > -_EXACT for score in scores) / len(scores) if scores else 1.0


def _share(segments: Sequence[dict[str, Any]], listening: Listening, times: _Times) -> float:
    """Of all speech, how much lies in segments."""
    speech_s = sum(times.end_s(one.stop) - times.start_s(one.start + 1) for one in listening.stretches)
    return min(1.0, sum(one["end_s"] - one["start_s"] for one in segments) / speech_s) if speech_s else 0.0

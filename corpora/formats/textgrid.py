"""Praat TextGrid (long and short, UTF-8 and UTF-16), through praatio's parser: one cue per labelled interval.

Point tiers hold no speech and are counted as ignored, as are labels of silence and tiers of phones (labels.py). A
tier's name is the speaker; the words of an aligner are joined into stretches. `tiers` of donation.toml chooses which
tiers hold text.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.encodings import decode_text
from corpora.formats.labels import Tier, silent, speaker_of, spoken
from corpora.formats.times import plain_seconds

_ROUNDING_S = 0.01
_TIERS = re.compile(r"<exists>\s*(?:size\s*=\s*)?([0-9]{1,9})\b")
_INTERVALS = re.compile(
    r'\b(?:intervals|points):\s*size\s*=\s*([0-9]{1,9})\b|"(?:IntervalTier|TextTier)"\s+"(?:[^"]|"")*"\s+\S+\s+\S+\s+([0-9]{1,9})\b'
)


def read(data: bytes, hints: Hints) -> Transcript:
    """All labelled intervals, tier by tier.

    Raises:
        TranscriptError: no TextGrid, or damaged, or no tier of it holds words.
    """
    from praatio.utilities import textgrid_io

    decoded = decode_text(data, hints.encoding)
    text = decoded.text
    if "ooTextFile" not in text[:200] or "TextGrid" not in text[:400]:
        raise TranscriptError("bad_textgrid", "does not begin like a TextGrid")
    try:
        grid = textgrid_io.parseTextgridStr(text.rstrip() + "\n", includeEmptyIntervals=True)
    except Exception as error:  # praatio raises ValueError, IndexError and its own
        raise TranscriptError("bad_textgrid", f"the TextGrid is damaged or cut short: {error}") from error
    _refuse_short(text, grid["tiers"])
    ignored: Counter[str] = Counter()
    tiers = []
    for tier in grid["tiers"]:
        if tier["class"] != "IntervalTier":
            ignored["point of a TextGrid"] += len(tier["entries"])
        elif hints.tiers and tier["name"] not in hints.tiers:
            ignored["tier not asked for"] += len(tier["entries"])
        else:
            tiers.append(_tier(tier, ignored))
    return Transcript(
        tuple(spoken(tiers, bool(hints.tiers), ignored)),
        ignored=tuple((reason, count) for reason, count in ignored.items() if count),
        encoding=decoded.encoding,
        guessed=decoded.guessed,
    )


def _refuse_short(text: str, tiers: Sequence[Mapping[str, Any]]) -> None:
    """A TextGrid says how many tiers it has, and how many intervals each.

    Raises:
        TranscriptError: it holds another number.
    """
    said = _TIERS.search(text)
    if said and int(said[1]) != len(tiers):
        raise TranscriptError(
            "bad_textgrid", f"{said[1]} tiers are declared and {len(tiers)} are there: cut short?"
        )
    counts = [int(long or short) for long, short in _INTERVALS.findall(text)]
    for tier, count in zip(tiers, counts, strict=False):
        if len(tier["entries"]) != count:
            raise TranscriptError(
                "bad_textgrid",
                f"tier {tier['name']!r} declares {count} intervals or points and holds {len(tier['entries'])}: cut short?",
            )


def _tier(tier: Mapping[str, Any], ignored: Counter[str]) -> Tier:
    """The labelled intervals of a tier; the others are counted.

    Raises:
        TranscriptError: fields have slipped: a label stands where a time belongs, or intervals overlap.
    """
    cues = []
    before_s = 0.0
    for start, end, label in tier["entries"]:
        try:
            start_s, end_s = plain_seconds(str(start)), plain_seconds(str(end))
        except ValueError as error:
            raise TranscriptError(
                "bad_textgrid", f"tier {tier['name']!r}: {error}: fields are missing"
            ) from error
        if start_s < before_s - _ROUNDING_S or end_s < start_s:
            slipped = f"tier {tier['name']!r}: the interval {start}–{end} overlaps the one before"
            raise TranscriptError("bad_textgrid", slipped)
        before_s = end_s
        reason = silent(label) if label.strip() else "interval without text"
        if reason:
            ignored[reason] += 1
        else:
            cues.append(Cue(None, start_s, end_s, label.replace('""', '"'), speaker_of(tier["name"])))
    return Tier(tier["name"], cues)

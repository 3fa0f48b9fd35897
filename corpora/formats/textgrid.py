"""Praat TextGrid (long and short, UTF-8 and UTF-16), through praatio's parser: one cue per labelled interval.

Point tiers hold no speech and are counted as ignored. A tier's name is the speaker; `tiers` of donation.toml
chooses which tiers hold text.
"""

from __future__ import annotations

from corpora.formats.cues import Cue, Hints, Transcript, TranscriptError
from corpora.formats.encodings import decode_text


def read(data: bytes, hints: Hints) -> Transcript:
    """All labelled intervals, tier by tier.

    Raises:
        TranscriptError: no TextGrid, or damaged.
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
    cues, points, empty, other = [], 0, 0, 0
    for tier in grid["tiers"]:
        if tier["class"] != "IntervalTier":
            points += len(tier["entries"])
        elif hints.tiers and tier["name"] not in hints.tiers:
            other += len(tier["entries"])
        else:
            for start, end, label in tier["entries"]:
                if label.strip():
                    text = label.replace('""', '"')
                    cues.append(Cue(None, float(start), float(end), text, tier["name"] or None))
                else:
                    empty += 1
    named = (("point of a TextGrid", points), ("interval without text", empty), ("tier not asked for", other))
    ignored = tuple((reason, count) for reason, count in named if count)
    return Transcript(tuple(cues), ignored=ignored, encoding=decoded.encoding, guessed=decoded.guessed)

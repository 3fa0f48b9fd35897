"""STM, segments with times: `<file> <channel> <speaker> <start> <end> [<label>] text…`.

Fields beyond the times stay as they are: `IGNORE_TIME_SEGMENT_IN_SCORING` is seen to by `timed_pairing.py`.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from scoring.errors import ScoringError
from scoring.transcripts import Segment, Transcripts, lines_of

_FIELDS = 5  # before label and text
_SINGLE = struct.Struct(
    "=2f"
)  # sclite reads these times in single precision; words at a boundary depend on it


def read(path: Path, text: str) -> Transcripts:
    """The file's segments in its order.

    Raises:
        ScoringError: a line with too few fields or times that are none.
    """
    segments = []
    for number, line in lines_of(text):
        fields = line.split(None, _FIELDS)
        if len(fields) < _FIELDS:
            raise ScoringError(
                f"{path} line {number} has {len(fields)} fields where STM needs {_FIELDS} and the text"
            )
        recording, channel, speaker, start, end = fields[:_FIELDS]
        rest = fields[_FIELDS] if len(fields) > _FIELDS else ""
        label = ""
        if rest.startswith("<"):
            label, _, rest = rest.partition(" ")
        try:
            start_s, end_s = _SINGLE.unpack(_SINGLE.pack(float(start), float(end)))
        except OverflowError:
            raise ScoringError(f"{path} line {number}: times {start!r} and {end!r} are too large") from None
        except ValueError:
            raise ScoringError(f"{path} line {number}: times {start!r} and {end!r} are no seconds") from None
        name = f"{recording}-{channel}-{start}-{end}"
        segments.append(Segment(name, rest, speaker, recording, channel, start_s, end_s, label))
    return Transcripts(path, "stm", segments)


def looks_like(lines: Sequence[str]) -> bool:
    """Whether the fourth and fifth field of every line are times in order."""
    for line in lines:
        fields = line.split(None, _FIELDS)
        try:
            if len(fields) < _FIELDS or float(fields[3]) > float(fields[4]):
                return False
        except ValueError:
            return False
    return bool(lines)

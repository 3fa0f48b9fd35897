"""What a file of transcripts holds: utterances with their text, or words with their times.

The formats in `formats/` make these; `pairing.py` brings references and hypotheses together. Texts keep NIST's
mark-up (`{ a / b }`, `@`, `(word)`); nothing is normalised here but the case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from scoring.errors import ScoringError

FOLDS = ("ascii", "unicode", "none")
_MOST_BYTES = 2_000_000_000


class Segment(NamedTuple):
    """One utterance. Times in seconds from the start of the recording; both 0 where the format has none."""

    id: str
    text: str
    speaker: str = ""
    recording: str = ""
    channel: str = ""
    start_s: float = 0.0
    end_s: float = 0.0
    label: str = ""


class TimedWord(NamedTuple):
    """A word of a CTM, or one of its marks `<ALT_BEGIN>`, `<ALT>`, `<ALT_END>` (both times 0).

    `confidence` is 0 to 1, None where the file has none; `in_alternation` holds for the marks too.
    """

    text: str
    start_s: float
    duration_s: float
    confidence: float | None = None
    in_alternation: bool = False

    @property
    def end_s(self) -> float:
        """Where it ends."""
        return self.start_s + self.duration_s

    @property
    def is_mark(self) -> bool:
        """Whether it is a mark of an alternation and no word."""
        return self.text[:4].lower() == "<alt"


Side = tuple[str, str]  # recording, channel


@dataclass(frozen=True)
class Transcripts:
    """A file as read: `segments` of a format with utterances, else `words` by recording and channel."""

    path: Path
    form: str
    segments: list[Segment] = field(default_factory=list)
    words: dict[Side, list[TimedWord]] = field(default_factory=dict)

    @property
    def is_timed(self) -> bool:
        """Whether its segments have times."""
        return any(segment.end_s > segment.start_s for segment in self.segments)


def read_text(path: Path) -> str:
    """A whole file as text.

    Raises:
        ScoringError: it cannot be read or is not UTF-8.
    """
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise ScoringError(
                f"{path} has {path.stat().st_size:,} bytes: no file of transcripts is so large"
            )
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ScoringError(f"{path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        raise ScoringError(
            f"{path} is not UTF-8 (byte {error.start}): convert it first, e.g. iconv -f latin1 -t utf-8"
        ) from None


def folded(text: str, fold: str) -> str:
    """Lower case by FOLDS: of a to z only, of every letter, or as it was."""
    if fold == "none":
        return text
    return text.lower() if fold == "unicode" or text.isascii() else text.encode().lower().decode()


def lines_of(text: str) -> Iterator[tuple[int, str]]:
    """(number from 1, line) of every line that is neither blank nor a comment `;;`."""
    for number, line in enumerate(text.split("\n"), 1):
        if line and not line.startswith(";;") and not line.isspace():
            yield number, line

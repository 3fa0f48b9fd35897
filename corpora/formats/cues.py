"""What a timed transcript of any format becomes: cues with their place, and the transcript around them.

Times are seconds from the beginning of the recording. A cue that cannot be read is a cue too, with `problem`
set: nothing that stands in a file is passed over in silence. Policies over cues stand in cue_rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from corpora.errors import CorporaError


class TranscriptError(CorporaError):
    """A transcript file of which nothing can be used; `check` is the rejection it becomes."""

    def __init__(self, check: str, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.check = check
        self.line = line


@dataclass(frozen=True)
class Cue:
    """One stretch of text.

    Attributes:
        line: where it stands, from 1; None where lines mean nothing (binary files).
        start_s, end_s: None for text without times: it belongs to the whole recording.
        voice: who speaks, as the file says it.
        problem, check: why it cannot be used, and the name under which that is counted.
        recording: the recording it names itself, where one file speaks of several.
        channel: from 0; None = not said.
    """

    line: int | None
    start_s: float | None = 0.0
    end_s: float | None = 0.0
    text: str = ""
    voice: str | None = None
    problem: str = ""
    check: str = "bad_line"
    recording: str = ""
    channel: int | None = None
    gender: str | None = None
    language: str | None = None
    licence: str | None = None
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """Everything one file says.

    Attributes:
        media: names of the recording as the file states them, best first.
        programme_start_s: the time code at which the programme begins, where the file states it.
        ignored: (reason, count) of what rightly is no cue.
        encoding: as what its bytes were read; `guessed` where neither the file nor the donor said so.
    """

    cues: tuple[Cue, ...]
    media: tuple[str, ...] = ()
    programme_start_s: float | None = None
    ignored: tuple[tuple[str, int], ...] = ()
    encoding: str = ""
    guessed: bool = False


@dataclass(frozen=True)
class Hints:
    """What a reader is told from outside: `auto` or the declared encoding, and the file's name."""

    encoding: str = "auto"
    name: str = ""
    tiers: tuple[str, ...] = field(default=())

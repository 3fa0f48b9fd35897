"""What a timed transcript of any format becomes: cues with their place, and the transcript around them.

Times are seconds from the beginning of the recording. A cue that cannot be read is a cue too, with `problem`
set: nothing that stands in a file is passed over in silence. Policies over cues stand in cue_rules.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from corpora.errors import CorporaError
from corpora.formats.times import believable


class TranscriptError(CorporaError):
    """A transcript file of which nothing can be used; `check` is the rejection it becomes."""

    def __init__(self, check: str, reason: str, line: int | None = None) -> None:
        super().__init__(reason)
        self.check = check
        self.line = line


@dataclass(frozen=True, slots=True)
class Cue:
    """One stretch of text.

    Attributes:
        line: where it stands, from 1; None where lines mean nothing (binary files).
        start_s, end_s: None for text without times: it belongs to the whole recording.
        voice: who speaks, as the file says it.
        problem, check: why it cannot be used, and the name under which that is counted.
        recording: the recording it names itself, where one file speaks of several.
        channel: from 0; None = not said.
        split: train, dev or test where the donor's files are parts by name; None = not said.
        to_the_end: `end_s` is not known: the cue reaches to the recording's end.
        words_timed: every word has a time in the file, so that the cue's own times are those of its words.
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
    split: str | None = None
    to_the_end: bool = False
    words_timed: bool = False

    def checked(self) -> Cue:
        """The cue, with a problem where its times are no times or its words hold half a letter (`\\ud800`)."""
        said = (self.text, self.voice, self.recording, self.gender, self.language, self.licence)
        if any(text and not text.isascii() and _torn(text) for text in said):
            whole = [None if text is None else _untorn(text) for text in said]
            reason = self.problem or "half of a pair of surrogates (\\ud800–\\udfff) is no letter"
            return Cue(self.line, None, None, whole[0] or "", problem=reason, check="encoding")
        if self.voice and not self.voice.isprintable():
            return replace(self, voice="".join(c for c in self.voice if c.isprintable()) or None).checked()
        if not self.problem:
            for time_s in (self.start_s, self.end_s):
                if time_s is not None and not believable(time_s):
                    reason = f"{self.start_s} to {self.end_s} s are no times of a recording"
                    return replace(self, start_s=None, end_s=None, problem=reason, check="bad_times")
        return self


def _torn(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def _untorn(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


@dataclass(frozen=True)
class Transcript:
    """Everything one file says.

    Attributes:
        media: names of the recording as the file states them, best first.
        programme_start_s: the time code at which the programme begins, where the file states it.
        ignored: (reason, count) of what rightly is no cue.
        encoding: as what its bytes were read; `guessed` where neither the file nor the donor said so.
        unknown: columns or keys of its rows that were not understood.
    """

    cues: tuple[Cue, ...]
    media: tuple[str, ...] = ()
    programme_start_s: float | None = None
    ignored: tuple[tuple[str, int], ...] = ()
    encoding: str = ""
    guessed: bool = False
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hints:
    """What a reader is told from outside: `auto` or the declared encoding, and the file's name."""

    encoding: str = "auto"
    name: str = ""
    tiers: tuple[str, ...] = field(default=())

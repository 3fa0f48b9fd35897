"""Marks of captions that are no words: positions, karaoke times, `>>`, notes of music, names of speakers.

They are taken off here, for every format of captions, before any cues are compared or joined: an open `♪` must not
swallow the cue behind it, and `>>` begins a new voice. What stays is text by the rules of transcript.py.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from corpora.formats.cues import Cue

CHANGE_FLAG, LABEL_FLAG = "speaker_change", "speaker_label_kept"
_OVERRIDE = re.compile(r"\{(?:\\[^{}]*|[A-Za-z]:[^{}]*)\}")  # {\an8} of ASS, {y:i} of MicroDVD
_INLINE = re.compile(r"<[0-9][0-9:.,]*>|</?c(?:\.[^<>\s]*)?>")  # karaoke of WebVTT
_WORD_TIME = re.compile(r"<[0-9][0-9:.,]*>")
_CHEVRONS = re.compile(r"(?m)^([ \t]*(?:-[ \t]*)?)(?:(?:>|&gt;|»){2,3})[ \t]*")
_INNER = re.compile(r"(?:>|&gt;){2,3}\s*")
_NOTES = re.compile(r"[♪♫]")
_LABEL = re.compile(
    r"(?m)^(?P<dash>[ \t]*[-–—][ \t]*)?(?P<name>[A-Z][\w.'’]*(?:[ -][A-Z0-9][\w.'’]*){0,3})"
    r"(?: ?\([^()\n]{1,30}\))?:[ \t]+(?=\S)"
)
_DASHED = re.compile(r"(?m)^[ \t]*[-–—]")
_MUSIC_REACH_S = 10.0  # a song that is open this long without another note is no song any more
# Words that open a sentence with a colon and are said: never names.
_SAID = frozenset(
    [
        "Note",
        "Remember",
        "Warning",
        "Question",
        "Answer",
        "Result",
        "Example",
        "Reason",
        "First",
        "Second",
        "Third",
        "Finally",
    ]
)


def unmarked(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    """The cues of one file without marks; a cue with a problem stays as it is."""
    plain = [_plain(cue) for cue in cues]
    return tuple(_named(_sung(plain)))


def _plain(cue: Cue) -> Cue:
    """Without positions, inline times and chevrons; a chevron is a change of speaker."""
    text = cue.text
    if "{" in text:
        text = _OVERRIDE.sub("", text)
    if "<" in text:
        cue = replace(cue, words_timed=bool(_WORD_TIME.search(text)))
        text = _INLINE.sub("", text)
    flags = cue.flags
    if ">>" in text or "&gt;" in text or "»" in text:
        bare = _INNER.sub(" ", _CHEVRONS.sub(r"\1", text))
        if bare != text:
            text, flags = bare, (*flags, CHANGE_FLAG)
    text = "\n".join(line.strip() for line in text.split("\n") if line.strip())
    return cue if text == cue.text else replace(cue, text=text, flags=flags)


# --- music ------------------------------------------------------------------------------------------------


def _sung(cues: list[Cue]) -> list[Cue]:
    """Every song closed inside its cue: `♪ la la` + `la la ♪` → `♪ la la ♪` + `♪ la la ♪`."""
    done = list(cues)
    for at, cue in enumerate(done):
        count = len(_NOTES.findall(cue.text))
        if count % 2 == 0:
            continue
        end = _closing(done, at)
        if end is not None and not _closes(cue.text):
            done[at] = replace(cue, text=f"{cue.text} ♪")
            for inner in range(at + 1, end):
                done[inner] = replace(done[inner], text=f"♪ {done[inner].text} ♪")
            done[end] = replace(done[end], text=f"♪ {done[end].text}")
        elif _closes(cue.text):
            done[at] = replace(cue, text=f"♪ {cue.text}")
        else:
            done[at] = replace(cue, text=f"{cue.text} ♪")
    return done


def _closes(text: str) -> bool:
    """Whether the only note stands behind words: `la la ♪`."""
    return bool(re.search(r"[♪♫]\s*$", text)) and not re.match(r"\s*(?:-\s*)?[♪♫]", text)


def _closing(cues: Sequence[Cue], at: int) -> int | None:
    """The cue in which a song ends that begins in cue `at`, or None where none does soon."""
    open_s = cues[at].start_s
    for later in range(at + 1, len(cues)):
        cue = cues[later]
        if open_s is None or cue.start_s is None or cue.start_s - open_s > _MUSIC_REACH_S:
            return None
        if len(_NOTES.findall(cue.text)) % 2:
            return later if _closes(cue.text) else None
        if _NOTES.search(cue.text):
            return None
    return None


# --- names ------------------------------------------------------------------------------------------------


def _named(cues: list[Cue]) -> list[Cue]:
    """`Anna: …` where the name recurs in the file or stands behind a dash: who speaks. Else flagged, kept."""
    counts = Counter(match["name"] for cue in cues for match in _LABEL.finditer(cue.text))
    return [_with_voice(cue, counts) for cue in cues]


def _with_voice(cue: Cue, counts: Counter[str]) -> Cue:
    found = [match for match in _LABEL.finditer(cue.text) if match["name"] not in _SAID]
    if not found or cue.problem:
        return cue
    names = [m["name"] for m in found if m["dash"] or counts[m["name"]] > 1]
    text = _LABEL.sub(lambda m: (m["dash"] or "") if m["name"] in names else m[0], cue.text)
    flags = cue.flags
    several = len(set(names)) > 1 or len(_DASHED.findall(cue.text)) > 1
    if names and (several or found[0].start() > 0):
        flags = (*flags, CHANGE_FLAG)
    if any(m["name"] not in names and not m["name"].isupper() for m in found):
        flags = (*flags, LABEL_FLAG)
    one = names[0] if names and not several and found[0].start() == 0 else None
    return replace(cue, text=text, voice=cue.voice or one, flags=tuple(dict.fromkeys(flags)))

"""Policies over the cues of one recording: times, repeats, overlaps, and cues of one sentence joined.

Subtitles are not transcripts: captions roll, sentences run over several cues, one ends when the next begins.
Every cue that goes in comes out as a cue, a refusal with its reason, or a counted reason for leaving it out.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from corpora.formats.caption_marks import CHANGE_FLAG
from corpora.formats.cues import Cue
from corpora.formats.times import believable

JOIN_GAP_S = 0.3  # cues of one sentence are joined over shorter gaps
SHORTEST_S, LONGEST_S = 1.0, 15.0  # of a joined subtitle
_TOUCH_S = 0.05  # overlap that is only rounding
_ROLLING = 0.3  # share of cues that begin with the line before, from which captions count as rolling
_SENTENCE_END = (".", "!", "?", "…", "♪", ":", ";", ")", "]", '"', "”", "»")
OVERLAPS = ("trim", "reject", "keep")


@dataclass(frozen=True)
class CuePolicy:
    """What a donor (or the kind of the file) asks for.

    Attributes:
        subtitle: join the cues of one sentence, and keep 1–15 s only.
        overlaps: what becomes of cues of one speaker that overlap: trim the earlier, reject both, keep.
        shift_s, stretch: time in the recording = (time in the file − shift) · stretch.
    """

    subtitle: bool = False
    overlaps: str = "trim"
    shift_s: float = 0.0
    stretch: float = 1.0
    flags: tuple[str, ...] = ()


@dataclass
class Applied:
    """The outcome; `refused` holds (cue, check, reason)."""

    cues: list[Cue] = field(default_factory=list)
    refused: list[tuple[Cue, str, str]] = field(default_factory=list)
    ignored: Counter[str] = field(default_factory=Counter)


def apply(cues: Sequence[Cue], policy: CuePolicy) -> Applied:
    """All policies in their order; cues keep the order of the file."""
    done = Applied()
    cues = _timed([_moved(cue, policy) for cue in cues], done)
    cues = _without_repeats(cues, done)
    cues = _without_overlaps(cues, policy.overlaps, done)
    if policy.subtitle:
        cues = _of_good_length(_joined(cues, done), done)
    done.cues = cues
    return done


def _moved(cue: Cue, policy: CuePolicy) -> Cue:
    if cue.start_s is None or cue.end_s is None or (policy.shift_s == 0 and policy.stretch == 1):
        return cue
    start_s = round((cue.start_s - policy.shift_s) * policy.stretch, 6)
    end_s = round((cue.end_s - policy.shift_s) * policy.stretch, 6)
    return replace(cue, start_s=start_s, end_s=end_s, flags=(*cue.flags, *policy.flags))


def _timed(cues: list[Cue], done: Applied) -> list[Cue]:
    """Cues whose times make sense, once each."""
    kept, seen = [], set()
    for cue in cues:
        times = (cue.start_s, cue.end_s, cue.voice, cue.text)
        if cue.problem:
            done.refused.append((cue, cue.check, cue.problem))
        elif cue.start_s is None or cue.end_s is None:
            kept.append(cue)
        elif not (believable(cue.start_s) and believable(cue.end_s)):
            untimed = replace(cue, start_s=None, end_s=None)
            done.refused.append(
                (untimed, "bad_times", f"{cue.start_s} to {cue.end_s} s are no times of a recording")
            )
        elif cue.end_s <= cue.start_s or cue.start_s < 0:
            reason = f"the cue ends at {cue.end_s:.3f} s, before it begins at {cue.start_s:.3f} s"
            if cue.end_s == cue.start_s:
                reason = f"the cue ends where it begins, at {cue.start_s:.3f} s"
            if cue.start_s < 0:
                reason = f"the cue begins at {cue.start_s:.3f} s, before the recording"
            done.refused.append((cue, "bad_times", reason))
        elif times in seen:
            done.refused.append((cue, "duplicate_id", "a second cue with the same times and text"))
        else:
            seen.add(times)
            kept.append(cue)
    return kept


def _without_repeats(cues: list[Cue], done: Applied) -> list[Cue]:
    """Rolling captions show a line again when the next one comes: every line is kept once."""
    lines = [cue.text.split("\n") for cue in cues]
    again = [bool(a[-1].strip()) and b[0] == a[-1] for a, b in itertools.pairwise(lines)]
    if len(cues) < 3 or sum(again) < _ROLLING * len(cues):
        return cues
    kept = cues[:1]
    for before, cue, shown in zip(lines, cues[1:], lines[1:], strict=False):
        overlap = max(
            (n for n in range(len(shown) + 1) if n <= len(before) and before[-n:] == shown[:n]), default=0
        )
        fresh = [line for line in shown[overlap:] if line.strip()]
        if fresh:
            kept.append(replace(cue, text="\n".join(fresh)))
        else:
            done.ignored["repeats the caption before"] += 1
    return kept


def _without_overlaps(cues: list[Cue], policy: str, done: Applied) -> list[Cue]:
    """Overlaps of one speaker by the policy; of two speakers flagged: one channel then holds two voices."""
    order = sorted(
        (i for i, c in enumerate(cues) if c.start_s is not None), key=lambda i: (cues[i].start_s, i)
    )
    changed: dict[int, Cue | None] = {}
    for one, two in itertools.pairwise(order):
        first, second = changed.get(one, cues[one]), cues[two]
        if first is None or first.end_s is None or second.start_s is None or first.start_s is None:
            continue
        if first.channel != second.channel or first.end_s - second.start_s <= _TOUCH_S:
            continue
        if first.voice != second.voice:
            changed[one] = replace(first, flags=(*first.flags, "overlapped_speech"))
            changed[two] = replace(second, flags=(*second.flags, "overlapped_speech"))
        elif policy == "trim" and second.start_s > first.start_s:
            changed[one] = replace(first, end_s=second.start_s, flags=(*first.flags, "overlap_trimmed"))
        elif policy != "keep":
            changed[one] = changed[two] = None
            reason = f"cues of one speaker overlap: one ends at {first.end_s:.3f} s, the next begins at "
            for cue in (first, second):
                done.refused.append((cue, "overlapping_cue", f"{reason}{second.start_s:.3f} s"))
    return [kept for i, cue in enumerate(cues) if (kept := changed.get(i, cue)) is not None]


def _joined(cues: list[Cue], done: Applied) -> list[Cue]:
    """Cues of one sentence as one, while they touch and the whole stays short enough."""
    kept: list[Cue] = []
    for cue in cues:
        last = kept[-1] if kept else None
        if last is not None and _belong(last, cue):
            flags = tuple(dict.fromkeys((*last.flags, *cue.flags, "cues_joined")))
            kept[-1] = replace(last, end_s=cue.end_s, text=f"{last.text}\n{cue.text}", flags=flags)
            done.ignored["joined to the cue before"] += 1
        else:
            kept.append(cue)
    return kept


def _belong(last: Cue, cue: Cue) -> bool:
    if None in (last.start_s, last.end_s, cue.start_s, cue.end_s) or last.voice != cue.voice:
        return False
    if CHANGE_FLAG in cue.flags or _exact(last, cue):
        return False
    gap_s, whole_s = (cue.start_s or 0) - (last.end_s or 0), (cue.end_s or 0) - (last.start_s or 0)
    text, following = last.text.rstrip(), cue.text.lstrip()
    ends = text.endswith(_SENTENCE_END) or following.startswith(("-", "–", "—", "♪", "["))
    return -_TOUCH_S <= gap_s < JOIN_GAP_S and whole_s <= LONGEST_S and not ends


def _exact(*cues: Cue) -> bool:
    """Whether cues are cut between words whose times are known, and long enough to stand alone."""
    return all(cue.words_timed and (cue.end_s or 0.0) - (cue.start_s or 0.0) >= SHORTEST_S for cue in cues)


def _of_good_length(cues: list[Cue], done: Applied) -> list[Cue]:
    kept = []
    for cue in cues:
        length_s = (cue.end_s or 0.0) - (cue.start_s or 0.0)
        if cue.start_s is not None and not SHORTEST_S <= round(length_s, 3) <= LONGEST_S:
            reason = f"a subtitle of {length_s:.2f} s; kept are {SHORTEST_S:.0f}–{LONGEST_S:.0f} s"
            done.refused.append((cue, "subtitle_length", reason))
        else:
            kept.append(cue)
    return kept

"""Whether a take is the playback of a clip that is there: by the hash of its samples, or by fingerprint and loudness.

A fingerprint finds candidates; two sentences of one voice may have like ones, so the course of the loudness decides: that
of a playback is the clip's own. Fingerprints of a campaign are held in memory, 24 bytes a clip, and brought up to date from
the database when asked.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from collect.checks.figures import Measured, frame_levels
from collect.database.tables import Clip
from corpora.audio.fingerprint import NEAR_BITS, as_words

SHORTEST_S = 1.0  # fingerprints of less sound say too little
LENGTH_SHARE = 0.5  # copies differ in length by the silence around them
ALIKE = 0.85  # correlation of loudness: 40 playbacks through noise and Opus had 0.88 and more, others mostly below 0.8
_DEPTH_DB = 30.0  # below the loud frames there is only the room

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Candidate:
    """A take that may be a copy: int16 `[n]` at 16 kHz, what was measured of it, and how to get at a clip's samples."""

    samples: Samples
    measured: Measured
    sound_of: Callable[[Clip], Samples | None]


def likeness(one: Samples, other: Samples) -> float:
    """The highest correlation of the loudness of 10 ms frames, over all shifts that keep most of the speech; −1 to 1."""
    first, second = _speech_levels(one), _speech_levels(other)
    if len(first) > len(second):
        first, second = second, first
    slack = max(5, len(first) // 10)
    padded = np.concatenate([np.zeros(slack), second, np.zeros(slack)])
    best = -1.0
    for shift in range(len(padded) - len(first) + 1):
        part = padded[shift : shift + len(first)]
        spread = part.std() * first.std()
        if spread > 0:
            best = max(best, float(((part - part.mean()) * (first - first.mean())).mean() / spread))
    return best


def _speech_levels(samples: Samples) -> npt.NDArray[np.float64]:
    """Loudness above the room from the first to the last loud frame, in dB."""
    levels = frame_levels(samples)
    floor = float(np.quantile(levels, 0.95)) - _DEPTH_DB
    loud = np.flatnonzero(levels > floor)
    return np.maximum(levels[loud[0] : loud[-1] + 1] - floor, 0.0) if len(loud) else np.zeros(1)


@dataclass
class _Known:
    last: int = 0
    words: npt.NDArray[np.uint64] = field(default_factory=lambda: np.zeros((0, 2), np.uint64))
    lengths_s: npt.NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    numbers: npt.NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))


class Copies:
    """What was recorded, by campaign."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._lock = threading.Lock()

    def find(self, session: Session, campaign_id: int, take: Candidate) -> int | None:
        """The number of the clip that a take is a copy of, or None."""
        measured = take.measured
        same = select(Clip.number).where(
            Clip.campaign_id == campaign_id, Clip.samples_sha256 == measured.samples_sha256
        )
        exact = session.scalar(same)
        if exact is not None or measured.figures.duration_s < SHORTEST_S:
            return exact
        with self._lock:
            known = self._refreshed(session, campaign_id)
        if not len(known.numbers):
            return None
        mine = np.array(as_words(measured.fingerprint), np.uint64)
        differ = np.bitwise_count(known.words ^ mine).sum(axis=1)
        length_s = measured.figures.duration_s
        alike = np.abs(known.lengths_s - length_s) <= LENGTH_SHARE * np.maximum(known.lengths_s, length_s)
        for number in known.numbers[(differ <= NEAR_BITS) & alike]:
            clip = session.get(Clip, int(number))
            there = take.sound_of(clip) if clip is not None else None  # None: it was withdrawn
            if there is not None and likeness(take.samples, there) >= ALIKE:
                return int(number)
        return None

    def _refreshed(self, session: Session, campaign_id: int) -> _Known:
        known = self._known.setdefault(campaign_id, _Known())
        newer = (
            select(Clip.number, Clip.fingerprint, Clip.duration_s)
            .where(Clip.campaign_id == campaign_id, Clip.number > known.last, Clip.duration_s >= SHORTEST_S)
            .order_by(Clip.number)
        )
        rows = session.execute(newer).all()
        if rows:
            fresh = _Known(
                last=int(rows[-1][0]),
                words=np.concatenate([known.words, np.array([as_words(row[1]) for row in rows], np.uint64)]),
                lengths_s=np.concatenate([known.lengths_s, np.array([row[2] for row in rows], np.float32)]),
                numbers=np.concatenate([known.numbers, np.array([row[0] for row in rows], np.int64)]),
            )
            self._known[campaign_id] = known = fresh
        return known

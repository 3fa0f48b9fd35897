"""Whether a take is the playback of a clip that is there: by the hash of its samples, and by its fingerprint.

Fingerprints of a campaign are held in memory, 24 bytes a clip, and brought up to date from the database when asked.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from sqlalchemy import select
from sqlalchemy.orm import Session

from collect.checks.figures import Measured
from collect.database.tables import Clip
from corpora.audio.fingerprint import NEAR_BITS, as_words

SHORTEST_S = 1.0  # fingerprints of less sound say too little
LENGTH_SHARE = 0.5  # copies differ in length by the silence around them


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

    def find(self, session: Session, campaign_id: int, measured: Measured) -> int | None:
        """The number of the clip that a take is a copy of, or None."""
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
            if session.get(Clip, int(number)) is not None:  # else it was withdrawn
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

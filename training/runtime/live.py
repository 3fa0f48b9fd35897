"""Sound that is being spoken: what was said until now, as it is said, by a network that can be fed.

Every stretch of speech is fed to network and search up to where it is certain that somebody still speaks; when it has
ended, the rest. The words are those that the whole stretch at once would have given, to the letter.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.network.features import Float, hop_length
from training.runtime.frames import FrameStream
from training.runtime.network import ForwardNetwork, ForwardStream
from training.runtime.recognizer import Heard, Recognizer
from training.runtime.speech import Ears


@dataclass(frozen=True)
class Partial:
    """What was understood so far of the stretch that begins at `start_s`; later words may change earlier ones."""

    start_s: float
    text: str


@dataclass
class _Open:
    """A stretch that goes on: its first frame, how many were fed, and how many came out."""

    start: int
    network: ForwardStream
    search: Any
    fed: int = 0
    frames: int = 0
    shown: str = ""

    def feed(self, frames: Float) -> None:
        """Some more of it."""
        self.fed += len(frames)
        self._search(self.network.feed(frames))

    def finish(self) -> list[Any]:
        """It has ended: its words."""
        self._search(self.network.finish())
        return list(self.search.finish()[0].words)

    def _search(self, log_probs: Float) -> None:
        if len(log_probs):
            self.frames += len(log_probs)
            self.search.feed(np.ascontiguousarray(log_probs))


class LiveHearing:
    """One live sound: feed it, finish it, read what it yields."""

    def __init__(self, recognizer: Recognizer, network: ForwardNetwork) -> None:
        self._owner, self._network = recognizer, network
        self._hop = hop_length(recognizer.package.features)
        self._frames = FrameStream(recognizer.package.features)
        self._ears = Ears(recognizer.rate_hz, recognizer.options.rule, lanes=False)
        self._kept = np.zeros((0, recognizer.package.features.coefficients), np.float32)
        self._first = 0
        self._open: _Open | None = None

    def feed(self, samples: Float) -> Iterator[Heard | Partial]:
        """Some more sound; what it has made certain or likely."""
        self._kept = np.concatenate([self._kept, self._frames.feed(samples)])
        self._ears.feed(samples)
        yield from self._advance()

    def finish(self) -> Iterator[Heard | Partial]:
        """The sound has ended."""
        self._ears.finish()
        yield from self._advance()

    @property
    def _count(self) -> int:
        return self._first + len(self._kept)

    def _advance(self) -> Iterator[Heard | Partial]:
        for start, stop in self._ears.closed():
            one = self._begun(start // self._hop)
            self._feed(one, min(stop // self._hop, self._count))
            words = one.finish()
            self._open = None
            yield self._owner.timed(one.start, one.frames, words)
        if self._ears.open_start is not None:
            one = self._begun(self._ears.open_start // self._hop)
            self._feed(one, min(self._ears.sure_until // self._hop, self._count))
            text = one.search.peek()[0].text if one.frames else ""
            if text != one.shown:
                one.shown = text
                yield Partial(round(one.start * self._hop / self._owner.rate_hz, 3), text)
        self._forget()

    def _begun(self, start: int) -> _Open:
        if self._open is None:
            self._open = _Open(start, self._network.stream(), self._owner.search.stream())
        return self._open

    def _feed(self, one: _Open, stop: int) -> None:
        begin = one.start + one.fed
        if stop > begin:
            one.feed(self._kept[begin - self._first : stop - self._first])

    def _forget(self) -> None:
        needed = self._ears.needed_from // self._hop
        if self._open is not None:
            needed = self._open.start + self._open.fed
        drop = min(max(0, needed - self._first), len(self._kept))
        self._kept = self._kept[drop:]
        self._first += drop


def hear_live(recognizer: Recognizer, pieces: Iterable[Float]) -> Iterator[Heard | Partial]:
    """A live sound from beginning to end.

    A network that hears from both ends yields each stretch when it has ended, and nothing partial.
    """
    if not isinstance(recognizer.network, ForwardNetwork):
        yield from recognizer.live(pieces)
        return
    hearing = LiveHearing(recognizer, recognizer.network)
    for piece in pieces:
        yield from hearing.feed(piece)
    yield from hearing.finish()

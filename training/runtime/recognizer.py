"""Sound to words: front end, network and search over the stretches of a recording, on as many cores as wanted.

    recognizer = Recognizer.load(Package.open(folder))
    for stretch in recognizer.stretches(pieces):
        stretch.start_s, stretch.words

Memory holds some minutes of sound and what has not been decided, whatever the length. What is heard depends neither
on the number of cores nor on where the pieces end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from training.decoding.weights import Weights
from training.network.features import Float, hop_length, window_length
from training.runtime.frames import FrameStream
from training.runtime.network import BatchNetwork, ForwardNetwork, open_network
from training.runtime.package import Package
from training.runtime.speech import Ears, SpeechRule
from training.runtime.windows import CONTEXT, WINDOW, Stretch

if TYPE_CHECKING:
    from native import Alphabet, Scorer, Stream

T = TypeVar("T")
R = TypeVar("R")
Answer = Callable[[int, Float], T]
AnyNetwork = BatchNetwork | ForwardNetwork

_BATCH = 16  # windows heard at once at most,
_FRAMES = 12 * 150  # and frames: a network of 2,048 cells holds 110 kB a frame, so a fifth of a gigabyte
_PORTION_FRAMES = 4 * _BATCH * WINDOW  # gathered before the network runs, sorted by length


@dataclass(frozen=True)
class Word:
    """A word, when it is spoken (seconds from the beginning of the sound), and how sure the search is (0 to 1)."""

    word: str
    start_s: float
    end_s: float
    confidence: float


@dataclass(frozen=True)
class Heard:
    """A stretch of speech and its words."""

    start_s: float
    end_s: float
    words: tuple[Word, ...]


@dataclass(frozen=True)
class RecognizerOptions:
    """How to recognise.

    Attributes:
        network: int8 or float.
        threads: cores; the answer does not depend on it.
        hot_words: phrase to boost in nats.
        language_model: a folder instead of the package's own.
        weights: of the search, instead of the package's own.
    """

    network: str = "int8"
    threads: int = 1
    hot_words: Mapping[str, float] = field(default_factory=dict)
    language_model: Path | None = None
    weights: Weights | None = None
    rule: SpeechRule = field(default_factory=SpeechRule)


@dataclass
class Search:
    """The beam search with everything but the sound."""

    alphabet: Alphabet
    scorer: Scorer | None
    weights: Weights
    hot_words: dict[str, float]

    def stream(self) -> Stream:
        """The same search, to be fed as log-probabilities come."""
        import native

        return native.Stream(
            self.alphabet,
            scorer=self.scorer,
            beam_width=self.weights.beam_width,
            mode=self.weights.mode,
            hot_words=self.hot_words or None,
        )

    def words(self, log_probs: Float) -> list[Any]:
        """`native.WordTime`s of float32 [frames, labels]."""
        import native

        answers = native.decode(
            np.ascontiguousarray(log_probs[None]),
            [len(log_probs)],
            self.alphabet,
            scorer=self.scorer,
            beam_width=self.weights.beam_width,
            threads=1,
            mode=self.weights.mode,
            hot_words=self.hot_words or None,
        )
        return list(answers[0][0].words)


class Recognizer:
    """A package in use. May be shared by threads."""

    def __init__(
        self, package: Package, network: AnyNetwork, search: Search, options: RecognizerOptions
    ) -> None:
        self.package, self.network, self.search, self.options = package, network, search, options
        self.rate_hz = package.features.sample_rate_hz
        self._hop_s = hop_length(package.features) / self.rate_hz
        self._window_s = window_length(package.features) / self.rate_hz
        self._pool = ThreadPoolExecutor(max(1, options.threads), thread_name_prefix="recognise")

    @classmethod
    def load(cls, package: Package, options: RecognizerOptions | None = None) -> Recognizer:
        """Open network and language model.

        Raises:
            ModelMismatchError: parts that do not belong together. CheckpointError: a damaged network file.
        """
        options = options or RecognizerOptions()
        scorer = package.scorer(options.language_model)
        weights = options.weights or package.weights
        if scorer is not None:
            scorer = scorer.with_weights(weights.alpha, weights.beta)
        search = Search(package.alphabet(), scorer, weights, _spelled(options.hot_words, package))
        search.words(np.full((1, len(package.labels) + 1), -1.0, np.float32))  # refuses what it cannot do
        network = open_network(package.network(options.network))
        package.refuse_stranger(network.facts, package.network(options.network))
        return cls(package, network, search, options)

    def stretches(self, pieces: Iterable[Float]) -> Iterator[Heard]:
        """What is said in a sound, stretch by stretch, in order; while one is read the next are being heard.

        Args:
            pieces: mono samples at `rate_hz`, float32.
        """
        return self.answers(pieces, self.heard)

    def live(self, pieces: Iterable[Float]) -> Iterator[Heard]:
        """Like `stretches`, each as soon as it has ended."""
        hearing = Hearing(self, self.heard, live=True)
        for piece in pieces:
            hearing.feed(piece)
            yield from hearing.decided()
        hearing.finish()
        yield from hearing.decided()

    def answers(self, pieces: Iterable[Float], answer: Answer[T]) -> Iterator[T]:
        """Like `stretches`, with what somebody else makes of each stretch's first frame and log-probabilities."""
        hearing = Hearing(self, answer)
        for piece in pieces:
            hearing.feed(piece)
            yield from hearing.decided()
        hearing.finish()
        yield from hearing.decided()

    def submit(self, function: Callable[..., R], *arguments: Any) -> Future[R]:
        """Work for one of the cores."""
        return self._pool.submit(function, *arguments)

    def heard(self, start_frame: int, log_probs: Float) -> Heard:
        """The words of a stretch that begins at a frame of the sound."""
        words = self.search.words(log_probs) if len(log_probs) else []
        return self.timed(start_frame, len(log_probs), words)

    def timed(self, start_frame: int, frames: int, words: Iterable[Any]) -> Heard:
        """A search's words in so many frames from a frame of the sound, in seconds."""
        start_s = start_frame * self._hop_s
        stop_s = start_s + frames * self._hop_s + self._window_s - self._hop_s
        found = tuple(self._timed(one, start_frame) for one in words)
        return Heard(round(start_s, 3), round(stop_s, 3), found)

    def _timed(self, word: Any, start_frame: int) -> Word:
        """A frame's label is heard somewhere in its window: half a window and a step are allowed for at either end."""
        middle_s = self._window_s / 2
        start_s = max(0.0, (start_frame + word.start_frame - 1) * self._hop_s + middle_s)
        end_s = (start_frame + word.end_frame) * self._hop_s + middle_s
        return Word(word.word, round(start_s, 3), round(end_s, 3), round(float(word.confidence), 4))

    def close(self) -> None:
        """Give the cores back."""
        self._pool.shutdown()


def _spelled(hot_words: Mapping[str, float], package: Package) -> dict[str, float]:
    """Hot words in the network's letters: capitals become small ones where it writes small ones only."""
    letters = set(package.labels)
    return {
        phrase if set(phrase) <= letters else phrase.lower(): boost for phrase, boost in hot_words.items()
    }


class Hearing(Generic[T]):
    """One sound on its way through a recognizer: feed it, ask what is decided, finish it."""

    def __init__(self, recognizer: Recognizer, answer: Answer[T], live: bool = False) -> None:
        self._owner, self._answer = recognizer, answer
        self._hop = hop_length(recognizer.package.features)
        self._frames = FrameStream(recognizer.package.features)
        self._whole = isinstance(recognizer.network, ForwardNetwork)
        self._context = 0 if self._whole else CONTEXT
        lanes = not live and not self._whole
        self._ears = Ears(
            recognizer.rate_hz, recognizer.options.rule, lanes, recognizer.submit if lanes else None
        )
        self._portion = 1 if live else _PORTION_FRAMES
        self._kept: deque[Float] = deque()
        self._first = self._count = 0  # frames: the first one kept, and how many there were in all
        self._stretches: deque[Stretch] = deque()
        self._windows: list[tuple[Stretch, int, Float]] = []
        self._running: list[tuple[list[tuple[Stretch, int]], Future[list[Float]]]] = []
        self._done = False
        self.samples = 0

    def feed(self, samples: Float) -> None:
        """Some more sound."""
        self.samples += len(samples)
        frames = self._frames.feed(samples)
        if len(frames):
            self._kept.append(frames)
            self._count += len(frames)
        self._ears.feed(samples)
        self._cut()

    def finish(self) -> None:
        """The sound has ended."""
        self._ears.finish()
        self._done = True
        self._cut()

    def decided(self) -> Iterator[T]:
        """Stretches whose windows were all heard, in order."""
        waiting = sum(len(one[2]) for one in self._windows)
        if waiting >= self._portion or self._done:
            self._collect()
            self._hear()
        if self._done or self._portion == 1:
            self._collect()
        results = []
        while self._stretches and self._stretches[0].complete:
            stretch = self._stretches.popleft()
            results.append(self._owner.submit(self._answer, stretch.first, stretch.log_probs()))
        for result in results:
            yield result.result()

    def _cut(self) -> None:
        """Turn what the detector has decided into windows for the network."""
        for start, stop in self._ears.closed():
            stretch, end = self._stretch_from(start // self._hop), min(stop // self._hop, self._count)
            stretch.stop = min(end + self._context, self._count)
            stretch.after = stretch.stop - end
        if self._ears.open_start is not None:
            self._stretch_from(self._ears.open_start // self._hop)
        sure = min(self._ears.sure_until // self._hop, self._count)
        for stretch in self._stretches:
            for number, begin, stop in stretch.due(sure):
                self._windows.append((stretch, number, self._take(begin, stop)))
        self._forget(self._ears.needed_from // self._hop - self._context)

    def _stretch_from(self, frame: int) -> Stretch:
        if not self._stretches or self._stretches[-1].stop is not None:
            before = min(frame, self._context)
            self._stretches.append(Stretch(frame - before, before=before, whole=self._whole))
        return self._stretches[-1]

    def _take(self, begin: int, stop: int) -> Float:
        rows, place = [], self._first
        for block in self._kept:
            low, high = max(begin - place, 0), min(stop - place, len(block))
            if low < high:
                rows.append(block[low:high])
            place += len(block)
        return np.concatenate(rows)

    def _forget(self, needed: int) -> None:
        """Drop frames that no window will ask for."""
        for stretch in self._stretches:
            if stretch.stop is None:
                needed = min(needed, stretch.next_start)
        while self._kept and self._first + len(self._kept[0]) <= needed:
            self._first += len(self._kept.popleft())

    def _hear(self) -> None:
        """Hand all waiting windows to the network, in batches of like length, the longest first.

        Which go together depends on no number of cores: a network in int8 weighs a batch by its loudest frame.
        """
        order = sorted(self._windows, key=lambda window: len(window[2]), reverse=True)
        while order:
            count = min(_BATCH, max(1, _FRAMES // len(order[0][2])))
            batch, order = order[:count], order[count:]
            result = self._owner.submit(self._owner.network.log_probs, [frames for _, _, frames in batch])
            self._running.append(([(stretch, number) for stretch, number, _ in batch], result))
        self._windows.clear()

    def _collect(self) -> None:
        """Wait for what the network was handed before."""
        for places, result in self._running:
            for (stretch, number), log_probs in zip(places, result.result(), strict=True):
                stretch.answer(number, log_probs)
        self._running.clear()

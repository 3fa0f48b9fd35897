"""Asks a trained network whether it hears another sentence; the network runs in a process of its own.

The process (doubt_worker.py) starts with the service and answers one line a clip. Where no model is named, or the
process fails, nobody doubts: a clip then goes to the listeners as any other, and the log says why.

A voice is compared with itself: a network that hears somebody badly hears all of their clips badly, and would else doubt
each of them. While nothing is known of a voice, the sentence has to be far behind what is heard *and* another sentence of
the campaign has to be likelier. Whether a doubt is right is decided by the volunteer and the listeners, never here.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_log = logging.getLogger(__name__)
_RESTARTS = 3
LEAST_CLIPS = 5  # of a voice, before its own are what a clip is compared with
MOST_BEHIND = 2.0  # nats a frame that no habit explains

Samples = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Heard:
    """What a network makes of a clip.

    Attributes:
        text: what it spells. behind: nats a frame by which the sentence is less likely than the likeliest path.
        likelier: that is far, and another sentence of the campaign is likelier.
    """

    text: str
    behind: float
    likelier: bool


def is_doubtful(heard: Heard, before: Sequence[float]) -> bool:
    """Whether a clip is asked about.

    Args:
        before: `behind` of the clips of this voice that were kept.
    """
    if len(before) < LEAST_CLIPS:
        return heard.likelier
    return heard.behind > min(MOST_BEHIND, 0.35 + 1.5 * float(np.median(before)))


class Doubter:
    """The network of one run, or nobody.

    Args:
        model: folder of a trained run; None = nobody doubts.
        language: of the network; other campaigns are not doubted. "" = whoever named the model answers for it.
        command: the worker, for tests; the model's folder is its last argument.
    """

    def __init__(self, model: Path | None, command: list[str] | None = None, language: str = "") -> None:
        self.model, self._language = model, language
        self._command = command or [sys.executable, "-m", "collect.checks.doubt_worker"]
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._lock = threading.Lock()

    @property
    def is_there(self) -> bool:
        """Whether clips are doubted at all."""
        return self.model is not None and self._failures < _RESTARTS

    def speaks(self, language: str) -> bool:
        """Whether clips of a campaign in that language are doubted."""
        primary = language.partition("-")[0].lower()
        return self.is_there and self._language.partition("-")[0].lower() in ("", primary)

    def start(self) -> None:
        """Load the network now, so that nobody's first clip waits for it."""
        if self.is_there:
            with self._lock:
                self._running()

    def hear(self, samples: Samples, spoken: str, others: Sequence[str]) -> Heard | None:
        """What the network makes of a clip; None where nobody listens.

        Args:
            samples: int16 `[n]` at 16 kHz. spoken: the sentence, in the alphabet. others: sentences of like length.
        """
        if not self.is_there:
            return None
        with self._lock:
            try:
                answer = self._ask(samples, spoken, others)
                return Heard(str(answer["heard"] or "…"), float(answer["behind"]), bool(answer["likelier"]))
            except (OSError, ValueError, KeyError, TypeError) as error:
                self._failures += 1
                self._stop()
                _log.warning("nobody doubts this clip: the process of the network failed (%s)", error)
                return None

    def _ask(self, samples: Samples, spoken: str, others: Sequence[str]) -> dict[str, Any]:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise OSError("its pipes are closed")
        data = samples.astype("<i2").tobytes()
        asked = {"text": spoken, "others": list(others), "bytes": len(data)}
        process.stdin.write(json.dumps(asked).encode() + b"\n" + data)
        process.stdin.flush()
        line = process.stdout.readline()
        if not line:
            raise OSError(f"it ended with status {process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                [*self._command, str(self.model)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._stop()

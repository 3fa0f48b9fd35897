"""Asks a trained network whether it hears another sentence; the network runs in a process of its own.

The process (doubt_worker.py) starts with the first clip and answers one line a clip. Where no model is named, or the
process fails, nobody doubts: a clip then goes to the listeners as any other, and the log says why.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

_log = logging.getLogger(__name__)
_RESTARTS = 3

Samples = npt.NDArray[np.int16]


class Doubter:
    """The network of one run, or nobody.

    Args:
        model: folder of a trained run; None = nobody doubts.
        command: the worker, for tests; the model's folder is its last argument.
    """

    def __init__(self, model: Path | None, command: list[str] | None = None) -> None:
        self.model = model
        self._command = command or [sys.executable, "-m", "collect.checks.doubt_worker"]
        self._process: subprocess.Popen[bytes] | None = None
        self._failures = 0
        self._lock = threading.Lock()

    @property
    def is_there(self) -> bool:
        """Whether clips are doubted at all."""
        return self.model is not None and self._failures < _RESTARTS

    def heard_instead(self, samples: Samples, spoken: str) -> str:
        """What the network heard where that is another sentence than `spoken`; "" where it does not doubt."""
        if not self.is_there:
            return ""
        with self._lock:
            try:
                answer = self._ask(samples, spoken)
            except (OSError, ValueError) as error:
                self._failures += 1
                self._stop()
                _log.warning("nobody doubts this clip: the process of the network failed (%s)", error)
                return ""
        return str(answer["heard"] or "…") if answer["doubt"] else ""

    def _ask(self, samples: Samples, spoken: str) -> dict[str, Any]:
        process = self._running()
        if process.stdin is None or process.stdout is None:
            raise OSError("its pipes are closed")
        data = samples.astype("<i2").tobytes()
        process.stdin.write(json.dumps({"text": spoken, "bytes": len(data)}).encode() + b"\n" + data)
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

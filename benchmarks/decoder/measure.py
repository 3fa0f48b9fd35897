"""Runs decoders side by side: one process each, taking turns block by block, so that all see the same load.

CPU seconds of a block are the median of its repetitions; a setting's time is the sum over blocks. Processes
wait on their standard input while another works.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from benchmarks.decoder.rows import Setting

_WORKER = Path(__file__).with_name("worker.py")


class PeerError(Exception):
    """A decoder that did not answer, with what it said."""


class Engines:
    """One process per decoder, started when it is first asked."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._running: dict[str, subprocess.Popen[str]] = {}

    def __enter__(self) -> Engines:
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._running.values():
            self._pipe(process.stdin).close()
            process.wait(timeout=60)

    def ask(self, engine: str, **command: Any) -> dict[str, Any]:
        """The worker's answer to one command; raises PeerError."""
        process = self._running.get(engine) or self._start(engine)
        stdin, stdout = self._pipe(process.stdin), self._pipe(process.stdout)
        stdin.write(json.dumps(command) + "\n")
        stdin.flush()
        line = stdout.readline()
        if not line:
            raise PeerError(f"{engine} ended with status {process.wait(timeout=60)}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise PeerError(f"{engine}: {answer['error']}")
        return answer

    def _start(self, engine: str) -> subprocess.Popen[str]:
        peer = self._root / "build" / "peers" / engine / "bin" / "python"
        python = sys.executable if engine == "speechmill" else str(peer)
        process = subprocess.Popen(
            [python, "-P", str(_WORKER), engine],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        )
        self._running[engine] = process
        return process

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise PeerError("a worker has no pipe")
        return pipe


@dataclass
class Timing:
    """What one setting took and wrote."""

    frames: int = 0
    cpu_s: float = 0.0
    texts: list[str] = field(default_factory=list)

    @property
    def microseconds_per_frame(self) -> float:
        """CPU time per frame."""
        return 1e6 * self.cpu_s / max(1, self.frames)


@dataclass(frozen=True)
class Plan:
    """Utterances of a task in blocks, and how often each block is repeated."""

    task: Path
    utterances: int
    block: int = 20
    repetitions: int = 3


def interleave(
    engines: Engines, settings: Iterable[Setting], plan: Plan, note: Callable[[str], None]
) -> dict[str, Timing]:
    """Timings of all settings by their key, taking turns within every block."""
    chosen = list({setting.key: setting for setting in settings}.values())
    result = {setting.key: Timing() for setting in chosen}
    for setting in chosen:  # one utterance each: everything is loaded before anything is timed
        engines.ask(setting.engine, do="decode", task=str(plan.task), setting=setting.options, **_span(0, 1))
    for start in range(0, plan.utterances, plan.block):
        stop = min(plan.utterances, start + plan.block)
        times: dict[str, list[float]] = {setting.key: [] for setting in chosen}
        for repetition in range(plan.repetitions):
            for setting in chosen if repetition % 2 == 0 else reversed(chosen):
                answer = engines.ask(
                    setting.engine,
                    do="decode",
                    task=str(plan.task),
                    setting=setting.options,
                    **_span(start, stop),
                )
                times[setting.key].append(answer["cpu_s"])
                if repetition == 0:
                    result[setting.key].frames += answer["frames"]
                    result[setting.key].texts += answer["texts"]
        for key, values in times.items():
            result[key].cpu_s += statistics.median(values)
        note(f"{stop} of {plan.utterances} utterances, {len(chosen)} settings")
    return result


def _span(start: int, stop: int) -> dict[str, int]:
    return {"from": start, "to": stop}

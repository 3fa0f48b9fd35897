"""What hearing costs on the processor that runs this: `python -m benchmarks.inference.on_device --package DIR --sound FILE
[--networks FILE…]`; needs what the recognizer needs and nothing else, so that it runs on a small device too.

Prints one JSON object: CPU seconds per second of sound of the whole engine with the package's own network, and of each
other network alone on the same stretches of speech. Under qemu-user with the plugin of scripts/cross/count.c every
section's end is marked, so that its instructions can be told (`devices.py`).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from training.network.features import Float
from training.runtime.network import BatchNetwork, ForwardNetwork, open_network
from training.runtime.package import Package
from training.runtime.recognizer import Recognizer, RecognizerOptions
from training.runtime.sound import facts_of, pieces_of

FIRST_TAG = 900_001


class Marks:
    """Ends of sections; a process number that nobody has is how the plugin knows them from other calls."""

    def __init__(self) -> None:
        self._next = FIRST_TAG
        self.names: list[str] = []
        self.cpu_s: list[float] = []

    def end(self, name: str) -> None:
        """A section of that name ends here."""
        with contextlib.suppress(ProcessLookupError):
            os.getsid(self._next)
        self._next += 1
        self.names.append(name)
        self.cpu_s.append(time.process_time())


class Keeping:
    """A network that keeps the stretches it is given."""

    def __init__(self, network: BatchNetwork | ForwardNetwork) -> None:
        self._network = network
        self.kept: list[Float] = []

    def log_probs(self, stretches: Sequence[Float]) -> list[Float]:
        """Of the network inside."""
        self.kept += stretches
        return self._network.log_probs(stretches)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference.on_device", description=__doc__)
    parser.add_argument("--package", type=Path, required=True)
    parser.add_argument("--sound", type=Path, required=True)
    parser.add_argument("--networks", type=Path, nargs="*", default=[])
    options = parser.parse_args()
    sys.stdout.write(json.dumps(measured(options)) + "\n")
    return 0


def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Sections in order, with CPU seconds at the end of each; and how many seconds of sound and of speech there are."""
    marks = Marks()
    marks.end("start")
    recognizer = Recognizer.load(Package.open(options.package), RecognizerOptions())
    keeping: Any = Keeping(recognizer.network)
    recognizer.network = keeping
    facts = facts_of(options.sound)
    marks.end("load")
    text = " ".join(
        word.word
        for one in recognizer.stretches(pieces_of(options.sound, facts, recognizer.rate_hz))
        for word in one.words
    )
    marks.end("engine")
    for place in options.networks:
        network = open_network(place)
        network.log_probs([keeping.kept[0][:32]])
        marks.end(f"load {place.stem}")
        for one in keeping.kept:
            network.log_probs([one])
        marks.end(place.stem)
    recognizer.close()
    frames = sum(map(len, keeping.kept))
    return {
        "text": text,
        "sound_s": facts.duration_s,
        "speech_s": frames * recognizer.package.features.hop_s,
        "sections": marks.names,
        "cpu_s": marks.cpu_s,
    }


if __name__ == "__main__":
    sys.exit(main())

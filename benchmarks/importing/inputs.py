"""Archives to import: hours of spoken sentences in the true layouts, made once and kept under var/bench.

About 40 minutes are spoken by espeak-ng; what is longer are the same sentences at other levels with other noise, so
that no two files are alike. Utterances last about 12 s, LibriSpeech's own mean: shorter ones would flatter
whoever starts no child process per file.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from demo import cast
from demo.layouts import RATE_HZ, Samples, SpokenUtterance, fisher, librispeech, switchboard, tedlium
from demo.speech import Line, load_noise_beds, make_noise_beds, speak

LAYOUTS = {"librispeech": librispeech, "tedlium": tedlium, "fisher": fisher, "switchboard": switchboard}
_FORM = 2  # counts up where the same hours and seed make other bytes
_SPOKEN_LINES = 1000
_LINES_TOGETHER = 5
_SPEAKERS = 40
_beds: dict[str, np.ndarray[tuple[int], np.dtype[np.float32]]] = {}


def archives(folder: Path, hours: float, seed: int) -> dict[str, Path]:
    """Layout → its folder, spoken if it does not stand there yet."""
    place = folder / f"hours-{hours:g}-seed-{seed}-form-{_FORM}"
    if not (place / "done").is_file():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        utterances = list(_utterances(_spoken(folder, seed), hours, seed))
        paths = {name: layout.write(place / name, utterances).path for name, layout in LAYOUTS.items()}
        lines = "".join(f"{name}\t{path.relative_to(place)}\n" for name, path in paths.items())
        (place / "done").write_text(lines, encoding="utf-8")
    rows = [line.split("\t") for line in (place / "done").read_text(encoding="utf-8").splitlines()]
    return {name: place / path for name, path in rows}


def _load(folder: str) -> None:
    _beds.update(load_noise_beds(make_noise_beds(Path(folder))))


def _speak(line: Line) -> Samples:
    return speak(line, _beds)


def _spoken(folder: Path, seed: int) -> list[tuple[str, Samples]]:
    """(text, samples) of the spoken lines."""
    plan = next(plan for plan in cast.PLANS if plan.importer == "librispeech")
    lines = [entry.line for entry in cast.lines_of(plan, seed)][:_SPOKEN_LINES]
    beds = folder / "beds"
    make_noise_beds(beds)
    with ProcessPoolExecutor(2, initializer=_load, initargs=(str(beds),)) as pool:
        return [
            (line.text, samples)
            for line, samples in zip(lines, pool.map(_speak, lines, chunksize=20), strict=True)
        ]


def _utterances(spoken: list[tuple[str, Samples]], hours: float, seed: int) -> Iterator[SpokenUtterance]:
    """Some lines together, at a level and with a noise of their own, until the hours are full."""
    draw, noise = random.Random(seed), np.random.default_rng(seed)
    left = round(hours * 3600 * RATE_HZ)
    number = 0
    while left > 0:
        lines = [spoken[(number * _LINES_TOGETHER + at) % len(spoken)] for at in range(_LINES_TOGETHER)]
        draw.shuffle(lines)
        sound = np.concatenate([samples for _, samples in lines]).astype(np.float32) * draw.uniform(0.5, 0.95)
        sound += noise.normal(0.0, draw.uniform(2.0, 12.0), len(sound)).astype(np.float32)
        speaker = number % _SPEAKERS
        split = "train" if speaker < _SPEAKERS - 6 else ("dev" if speaker < _SPEAKERS - 3 else "test")
        text = " ".join(text for text, _ in lines)
        samples = np.clip(np.rint(sound), -32768, 32767).astype(np.int16)
        yield SpokenUtterance(f"speaker {speaker}", "mf"[speaker % 2], text, samples, split)
        left -= len(samples)
        number += 1

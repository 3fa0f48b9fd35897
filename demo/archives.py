"""The demo's archives: the cast speaks, the layouts pack, and what is already there is kept.

    var/demo/archives/<seed>/<importer>/…      one source in its corpus's true layout, with planted defects
    var/demo/archives/<seed>/<importer>.json   content key, path, seconds of speech, defects; written last

The key is a hash of everything the bytes depend on (the demo's own code, the seed, the version of espeak-ng
and sox), so a second call speaks only what has changed. Knows nothing of what importers do with the
archives.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import multiprocessing
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import cast, speech
from demo.layouts import Defects, SpokenUtterance, files
from store.writing import write_json_atomic

_HERE = Path(__file__).resolve().parent
_CODE = (
    *("grammar.py", "voices.py", "speech.py", "cast.py", "archives.py"),
    *("sphere_writer.py", "shorten_writer.py", "layouts/*.py"),
)
# Layouts that come to people as one archive file; the others are directories of discs, or a zip already.
_PACKED = {
    "librispeech": "LibriSpeech.tar.gz",
    "tedlium": "TEDLIUM_release2.tar.gz",
    "common_voice": "cv-corpus.tar.gz",
}
_CHUNK = 16

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, of how many."""


@dataclass(frozen=True)
class Archive:
    """One source: importer, path, content key, hours of speech, rows lost to planted defects by kind."""

    importer: str
    path: Path
    key: str
    hours: float
    planted: dict[str, int]


def make_archives(root: Path, seed: int, progress: Progress) -> list[Archive]:
    """Speak and pack what is missing or outdated below `root/<seed>`; all archives, in the plan's order.

    Raises:
        SpeechError: espeak-ng or sox is missing or failed.
    """
    folder = root / str(seed)
    keys = {plan.importer: _key(plan, seed) for plan in cast.PLANS}
    wanted = [plan for plan in cast.PLANS if _kept(folder, plan.importer, keys[plan.importer]) is None]
    if wanted:
        beds = speech.make_noise_beds(root / "noise")
        for plan, spoken in _spoken(wanted, seed, beds, progress):
            progress(f"packing {plan.importer}", 0, 0)
            _pack(folder, plan, spoken, keys[plan.importer])
    archives = [_kept(folder, plan.importer, keys[plan.importer]) for plan in cast.PLANS]
    return [archive for archive in archives if archive is not None]


def _key(plan: cast.CorpusPlan, seed: int) -> str:
    digest = hashlib.sha256(f"{plan!r} {seed} {_tool_versions()}".encode())
    for pattern in _CODE:
        for path in sorted(_HERE.glob(pattern)):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _tool_versions() -> str:
    versions = []
    for command in (["espeak-ng", "--version"], ["sox", "--version"]):
        try:
            versions.append(
                subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("Data at")[
                    0
                ]
            )
        except FileNotFoundError as error:
            raise speech.SpeechError(
                f"{command[0]} is not installed: `make demo` installs it (apt-get)"
            ) from error
    return " ".join(versions)


def _kept(folder: Path, importer: str, key: str) -> Archive | None:
    try:
        known: dict[str, Any] = json.loads((folder / f"{importer}.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    path = folder / importer / known["path"]
    if known["key"] != key or not path.exists():
        return None
    return Archive(importer, path, key, known["hours"], known["planted"])


_beds: dict[str, speech.FloatSamples] = {}


def _load_beds(beds: dict[str, Path]) -> None:
    _beds.update(speech.load_noise_beds(beds))


def _speak(line: cast.CastLine) -> SpokenUtterance:
    voice = line.line.voice
    return SpokenUtterance(
        voice.speaker, voice.gender, line.line.text, speech.speak(line.line, _beds), line.split
    )


def _spoken(
    plans: list[cast.CorpusPlan], seed: int, beds: dict[str, Path], progress: Progress
) -> Iterator[tuple[cast.CorpusPlan, list[SpokenUtterance]]]:
    """Every corpus as spoken utterances, in the cast's order, by as many processes as there are cores."""
    lines = {plan.importer: cast.lines_of(plan, seed) for plan in plans}
    total, done = sum(map(len, lines.values())), 0
    context = multiprocessing.get_context("spawn")
    cores = len(os.sched_getaffinity(0))
    with ProcessPoolExecutor(cores, context, _load_beds, (beds,)) as pool:
        for plan in plans:
            spoken: list[SpokenUtterance] = []
            for utterance in pool.map(_speak, lines[plan.importer], chunksize=_CHUNK):
                spoken.append(utterance)
                done += 1
                progress(f"speaking {plan.importer}", done, total)
            yield plan, spoken


def _pack(folder: Path, plan: cast.CorpusPlan, spoken: list[SpokenUtterance], key: str) -> None:
    target = folder / plan.importer
    record = folder / f"{plan.importer}.json"
    record.unlink(missing_ok=True)
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    written = importlib.import_module(f"demo.layouts.{plan.importer}").write(
        target, spoken, Defects.one_of_each()
    )
    path: Path = written.path
    if plan.importer in _PACKED:
        packed = files.pack(path, target / _PACKED[plan.importer])
        shutil.rmtree(path)
        path = packed
    hours = sum(len(utterance.samples) for utterance in spoken) / speech.RATE_HZ / 3600
    known = {"key": key, "path": path.name, "hours": round(hours, 4), "planted": written.rows_lost()}
    write_json_atomic(record, known)

"""Files to transcripts: several at a time, each by itself; a file that cannot be heard is named and the others go on.

With a folder to write to, every transcript is complete under its name or not there, and a second call does only what
the first has not done. Recognising is done by the runtime, forms are in `formats.py`.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.writing import explain_write, read_json, write_bytes_atomic, write_json_atomic
from training.runtime.errors import SoundError
from training.runtime.recognizer import Recognizer
from training.runtime.sound import Passing, SoundFacts, facts_of, pieces_of
from training.transcription.formats import FORMATS, Transcript, written_name
from training.transcription.segments import Segment, segments_of

log = logging.getLogger(__name__)
NO_SPEECH = "no speech was found in it"
_LEDGER = ".transcribed.json"

Told = Callable[[float], None]
"""Called with seconds of sound that were heard since the last call."""


@dataclass(frozen=True)
class Job:
    """One file and what was learnt of it before it is heard."""

    path: Path
    facts: SoundFacts | None
    problem: str | None


def jobs_of(paths: Sequence[Path], track: int = 0) -> list[Job]:
    """Every file with its facts, or with what is wrong with it.

    Args:
        track: which of its sound tracks is to be heard, counted from 0.
    """
    jobs = []
    for path in paths:
        try:
            jobs.append(Job(path, facts_of(path, track), None))
        except SoundError as error:
            jobs.append(Job(path, None, str(error)))
    return jobs


def transcribe(job: Job, recognizer: Recognizer, apart: bool = False, told: Told | None = None) -> Transcript:
    """What is said in a file.

    Args:
        apart: hear every channel by itself.

    Returns:
        With `problem` set when nothing or not all of it could be heard; what was heard until then is kept.
    """
    if job.facts is None:
        return Transcript(str(job.path), 0.0, recognizer.package.id, (), job.problem)
    channels = range(job.facts.channels) if apart and job.facts.channels > 1 else [None]
    segments: list[Segment] = []
    duration_s, problem = 0.0, None
    for channel in channels:
        heard = Passing()
        pieces = pieces_of(job.path, job.facts, recognizer.rate_hz, channel)
        for stretch in recognizer.stretches(heard.counted(pieces, recognizer.rate_hz, told)):
            segments += segments_of(stretch, channel)
        problem = problem or heard.problem
        duration_s = max(duration_s, heard.seconds)
    segments.sort(key=lambda one: (one.start_s, one.channel or 0))
    if problem is None and not segments:
        problem = f"{job.path}: {NO_SPEECH}"
    return Transcript(str(job.path), duration_s, recognizer.package.id, tuple(segments), problem)


def transcribe_all(
    jobs: Sequence[Job], recognizer: Recognizer, apart: bool = False, told: Told | None = None
) -> Iterator[Transcript]:
    """All files in order, as many at a time as there are cores."""
    cores = max(1, min(recognizer.options.threads, len(jobs)))
    with ThreadPoolExecutor(cores, thread_name_prefix="file") as pool:
        yield from pool.map(lambda job: transcribe(job, recognizer, apart, told), jobs)


def make_writable(folder: Path) -> None:
    """Make a folder and prove that something can be written into it, before hours of sound are heard for it.

    Raises:
        StoreError: it cannot be made or written into.
    """
    with explain_write(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()


def refuse_namesakes(paths: Sequence[Path]) -> None:
    """Two files of one name would be one transcript in a folder.

    Raises:
        SoundError: which two.
    """
    known: dict[str, Path] = {}
    for path in paths:
        other = known.setdefault(path.name, path)
        if other.absolute() != path.absolute():
            raise SoundError(
                f"{other} and {path} would both be written as {path.name}: transcribe them into folders of their own"
            )


class OutputFolder:
    """Transcripts in a folder, one file each; knows which of them stand already for the same sound and options.

    Raises:
        StoreError: the folder cannot be made, or nothing can be written into it.
    """

    def __init__(self, folder: Path, form: str, options: dict[str, Any]) -> None:
        self.folder, self.form = folder, form
        make_writable(folder)
        self._options = json.dumps(options, sort_keys=True)
        self._lock = threading.Lock()
        path = folder / _LEDGER
        self._ledger: dict[str, str] = read_json(path) if path.is_file() else {}

    def path_for(self, source: Path) -> Path:
        """Where the transcript of a sound file lies."""
        return self.folder / f"{source.name}{FORMATS[self.form][0]}"

    def has(self, source: Path) -> bool:
        """Whether it is there already, of this very sound, model and options."""
        target = self.path_for(source)
        return target.is_file() and self._ledger.get(written_name(target.name)) == self._key(source)

    def write(self, transcript: Transcript) -> Path:
        """Put a transcript under its name.

        Raises:
            StoreError: the disk is full or the like; nothing half-written is left.
        """
        source = Path(transcript.file)
        target = self.path_for(source)
        write_bytes_atomic(target, FORMATS[self.form][1](transcript).encode())
        with self._lock:
            self._ledger[written_name(target.name)] = self._key(source)
            write_json_atomic(self.folder / _LEDGER, self._ledger)
        return target

    def _key(self, source: Path) -> str:
        try:
            facts = source.stat()
        except OSError:
            return ""
        text = f"{source.absolute()} {facts.st_size} {facts.st_mtime_ns} {self.form} {self._options}"
        return hashlib.sha256(os.fsencode(text)).hexdigest()

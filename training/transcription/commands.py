"""`python -m training transcribe`: sound files to text on standard output or into a folder."""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.console import Progress
from training.errors import TrainingError

if TYPE_CHECKING:
    from store.store import Store
    from training.runtime.recognizer import Recognizer, RecognizerOptions
    from training.transcription.formats import Transcript

Add = Callable[[str, Any, str], argparse.ArgumentParser]
FORMATS = ("text", "srt", "vtt", "json", "ctm", "textgrid")
log = logging.getLogger(__name__)


class TranscriptionError(TrainingError):
    """Some of the files could not be heard, or a wish could not be understood."""


def add_parsers(add: Add) -> None:
    """Add the verb; `add` makes a command of a name, a function and a line of help."""
    one = add(
        "transcribe", _transcribe, "sound or film to text with times; - reads raw 16-bit mono from a pipe"
    )
    one.add_argument("files", nargs="*", metavar="FILE", help="anything ffmpeg opens, or -")
    one.add_argument("--format", choices=FORMATS, help="default text (json with --json)")
    one.add_argument(
        "--out", type=Path, metavar="DIR", help="a file each into this folder; goes on where it was"
    )
    one.add_argument(
        "--pieces",
        type=Path,
        metavar="DIR",
        help="also cut each file into its segments, a sound and a text each",
    )
    one.add_argument(
        "--pieces-form", choices=("wav", "flac", "mp3", "ogg"), default="wav", help="default wav"
    )
    one.add_argument("--channels", choices=("mixed", "apart"), default="mixed", help="default mixed")
    one.add_argument(
        "--track", type=_count, default=1, metavar="N", help="which sound track of a film (1, the first)"
    )
    one.add_argument(
        "--rate", type=_rate, default=16000, metavar="HZ", help="of raw sound from a pipe (16000)"
    )
    one.add_argument(
        "--serve", action="store_true", help="a page on 127.0.0.1 to try it: drop a file or speak"
    )
    one.add_argument("--port", type=int, default=0, help="of the page; default: any free one")
    add_recognizer_options(one)


def _whole(text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {low} to {high}")
    return int(text)


def _count(text: str) -> int:
    return _whole(text, 1, 999)


def _cores(text: str) -> int:
    return _whole(text, 0, 4096)


def _rate(text: str) -> int:
    return _whole(text, 1000, 768_000)


def add_recognizer_options(one: argparse.ArgumentParser) -> None:
    """Which model and how it searches."""
    one.add_argument("--model", help="id of a packaged model, or its folder; default: the released one")
    one.add_argument("--network", choices=("int8", "float"), default="int8", help="default int8")
    one.add_argument("--lm", type=Path, help="folder of another language model than the package's own")
    one.add_argument("--alpha", type=float, help="weight of the language model")
    one.add_argument("--beta", type=float, help="bonus per word")
    one.add_argument("--beam-width", type=int, help="beam width of the search")
    one.add_argument("--mode", choices=("exact", "default", "fast"), help="pruning of the search")
    one.add_argument(
        "--threads", type=_cores, default=0, help="cores (default: all); the text does not depend on it"
    )
    one.add_argument(
        "--hot-word",
        action="append",
        default=[],
        metavar="PHRASE=NATS",
        help="make a phrase likelier (2 to 8)",
    )


def recognizer_options(options: argparse.Namespace, decoder: Any) -> RecognizerOptions:
    """The command line's wishes; `decoder` are the package's own weights.

    Raises:
        TranscriptionError: a hot word without a number.
    """
    import os
    from dataclasses import replace

    from training.runtime.recognizer import RecognizerOptions

    hot_words = {}
    for given in options.hot_word:
        phrase, _, nats = given.rpartition("=")
        try:
            hot_words[phrase.strip()] = float(nats)
        except ValueError as error:
            raise TranscriptionError(
                f"--hot-word {given!r}: write PHRASE=NATS, such as 'new york=4'"
            ) from error
    wishes = {
        "alpha": options.alpha,
        "beta": options.beta,
        "beam_width": options.beam_width,
        "mode": options.mode,
    }
    return RecognizerOptions(
        network=options.network,
        threads=options.threads or len(os.sched_getaffinity(0)),
        hot_words=hot_words,
        language_model=options.lm,
        weights=replace(decoder, **{key: value for key, value in wishes.items() if value is not None}),
    )


def load_recognizer(options: argparse.Namespace, store: Store) -> Recognizer:
    """The recognizer the command line asks for.

    Raises:
        ModelNotFoundError: no such model, or none released. ModelMismatchError: parts that do not fit.
    """
    from training.release.registry import Registry
    from training.runtime.package import Package
    from training.runtime.recognizer import Recognizer

    folder = Path(options.model) if options.model else None
    if folder is None or not (folder / "model.json").is_file():
        folder = Registry(store).model(options.model).path
    package = Package.open(folder)
    return Recognizer.load(package, recognizer_options(options, package.weights))


def _transcribe(options: argparse.Namespace, store: Store) -> int | None:
    _refuse_contradictions(options)
    if options.serve:
        from training.transcription.serve import serve

        return serve(load_recognizer(options, store), options.port)
    if not options.files:
        raise TranscriptionError("name at least one file, or - for raw sound from a pipe")
    if "-" in options.files:
        from training.transcription.live import transcribe_pipe

        return transcribe_pipe(load_recognizer(options, store), options)
    return _files(options, store)


def _refuse_contradictions(options: argparse.Namespace) -> None:
    """Wishes that cannot be met together, before anything is loaded.

    Raises:
        TranscriptionError: in a sentence.
    """
    piped = "-" in options.files
    if options.pieces and (options.serve or piped):
        raise TranscriptionError("--pieces cuts files: name them, without - and --serve")
    if options.serve and options.files:
        raise TranscriptionError(
            "--serve opens a page and takes no files: drop them there, or leave --serve away"
        )
    if piped and len(options.files) > 1:
        raise TranscriptionError(
            "- is raw sound from a pipe and goes alone: transcribe the files in another call"
        )
    if piped and (options.out or options.channels == "apart" or options.track > 1):
        raise TranscriptionError(
            "raw sound from a pipe has one channel and is written to standard output: leave --out, --channels and "
            "--track away"
        )


def _files(options: argparse.Namespace, store: Store) -> int | None:
    from training.transcription.formats import FORMATS as WRITERS
    from training.transcription.transcribe import (
        OutputFolder,
        jobs_of,
        make_writable,
        refuse_namesakes,
        transcribe_all,
    )

    form = options.format or ("json" if options.json else "text")
    paths = [Path(name) for name in options.files]
    if options.out or options.pieces:
        refuse_namesakes(paths)
    recognizer = load_recognizer(options, store)
    folder = OutputFolder(options.out, form, _identity(options, recognizer)) if options.out else None
    if options.pieces:
        make_writable(options.pieces)
    waiting = [
        path for path in paths if folder is None or not folder.has(path) or _uncut(path, options.pieces)
    ]
    if len(waiting) < len(paths):
        log.info("%d of %d files are transcribed already", len(paths) - len(waiting), len(paths))
    jobs = jobs_of(waiting, options.track - 1)
    for job in jobs:
        if job.facts is not None and job.facts.tracks > 1:
            log.info(
                "%s has %d sound tracks: number %d is heard (--track)",
                job.path,
                job.facts.tracks,
                options.track,
            )
    problems = 0
    with _Hours(jobs, options.channels == "apart") as hours:
        for transcript in transcribe_all(jobs, recognizer, options.channels == "apart", hours.told):
            if folder is None:
                sys.stdout.write(_headed(transcript, form, len(paths)) + WRITERS[form][1](transcript))
                sys.stdout.flush()
            elif transcript.problem is None or transcript.segments:
                folder.write(transcript)
            if options.pieces and transcript.segments:
                log.info("pieces: %s", _cut(transcript, options))
            if transcript.problem is not None:
                problems += 1
                sys.stderr.write(f"{transcript.problem}\n")
    recognizer.close()
    return 1 if problems else None


def _cut(transcript: Transcript, options: argparse.Namespace) -> Path:
    from training.transcription.pieces import PieceForm, write_pieces

    return write_pieces(transcript, options.pieces, PieceForm(options.pieces_form, options.track - 1))


def _uncut(path: Path, folder: Path | None) -> bool:
    """Whether the pieces of a file are wanted and not there."""
    return folder is not None and not (folder / path.name).is_dir()


def _headed(transcript: Transcript, form: str, files: int) -> str:
    """The file's name before its text, where several are printed one after the other."""
    from training.transcription.formats import written_name

    return f"# {written_name(transcript.file)}\n" if files > 1 and form == "text" else ""


def _identity(options: argparse.Namespace, recognizer: Recognizer) -> dict[str, Any]:
    chosen = recognizer.options
    return {
        "model": recognizer.package.id,
        "network": chosen.network,
        "weights": vars(chosen.weights) if chosen.weights else None,
        "hot_words": dict(chosen.hot_words),
        "lm": str(chosen.language_model),
        "channels": options.channels,
        **({"track": options.track} if options.track > 1 else {}),
    }


class _Hours:
    """Progress over all files, by seconds of sound."""

    def __init__(self, jobs: Any, apart: bool) -> None:
        known = [job.facts for job in jobs if job.facts is not None]
        total_s = sum((facts.duration_s or 0.0) * (facts.channels if apart else 1) for facts in known)
        self._progress = Progress("transcribing", max(total_s, 1e-9), unit="s")
        self._done_s, self._lock = 0.0, threading.Lock()

    def told(self, seconds: float) -> None:
        """So much more was heard."""
        with self._lock:
            self._done_s += seconds
            self._progress.update(self._done_s, items=int(self._done_s), hours=self._done_s / 3600)

    def __enter__(self) -> _Hours:
        self._progress.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._progress.__exit__(*error)

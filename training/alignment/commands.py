"""`python -m training align`: a recording and its text, or all that waits in quarantine, to segments and certificates."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from store.console import Progress, emit
from training.errors import DataError

if TYPE_CHECKING:
    from store.store import Store

Add = Callable[[str, Any, str], argparse.ArgumentParser]


def add_parsers(add: Add) -> None:
    """Add the verb; `add` makes a command of a name, a function and a line of help."""
    one = add(
        "align", _align, "find where a long text is spoken, and say what of either has no place in the other"
    )
    one.add_argument("--sound", type=Path, metavar="FILE", help="anything ffmpeg opens, of any length")
    one.add_argument("--text", type=Path, metavar="FILE", help="what is said in it, more or less")
    one.add_argument(
        "--waiting", metavar="CORPUS", help="instead: all recordings of a corpus that wait for times"
    )
    one.add_argument(
        "--publish",
        action="store_true",
        help="with --waiting: and publish them as the corpus CORPUS-aligned",
    )
    one.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="write VTT, JSON rows and the certificate, as JSON and as a page",
    )
    one.add_argument("--model", help="id of a packaged model, or its folder; default: the released one")
    one.add_argument("--network", choices=("int8", "float"), default="int8", help="default int8")
    one.add_argument("--threads", type=int, default=0, help="cores (default: all)")


def _align(options: argparse.Namespace, store: Store) -> int | None:
    if options.waiting:
        return _waiting(options, store)
    if options.sound is None or options.text is None:
        raise DataError(
            "name the recording with --sound and its text with --text, or a corpus with --waiting"
        )
    from training.alignment.align import AlignRequest, align
    from training.release.registry import Registry
    from training.runtime.sound import facts_of

    folder = Path(options.model) if options.model else None
    if folder is None or not (folder / "model.json").is_file():
        folder = Registry(store).model(options.model).path
    threads = options.threads or len(os.sched_getaffinity(0))
    request = AlignRequest(options.sound, options.text, folder, threads, options.network)
    logging.getLogger("lm").setLevel(logging.WARNING)  # of the script's own model nobody asked to hear
    total_s = facts_of(options.sound).duration_s or 0.0
    with Progress("aligning", max(total_s, 1e-9), unit="s") as progress:
        done_s = 0.0

        def told(seconds: float) -> None:
            nonlocal done_s
            done_s += seconds
            progress.update(done_s, items=int(done_s), hours=done_s / 3600)

        answer = align(request, told)
    written = _written(answer, options) if options.out else []
    emit(answer, options.json, "\n".join([_summary(answer), *written]))
    if "problem" in answer:
        sys.stderr.write(f"{answer['problem']}\n")
        return 1
    return None


def _written(answer: dict[str, Any], options: argparse.Namespace) -> list[str]:
    from training.alignment.certificate import write_certificate
    from training.alignment.sidecar import write_alignment

    stem = options.sound.stem
    target = write_alignment(answer, options.out, stem)
    page = write_certificate(answer, target.with_name(f"{stem}.html"))
    return [str(options.out / f"{stem}.vtt"), str(page)]


def _summary(answer: dict[str, Any]) -> str:
    shares = answer["shares"]
    return (
        f"{len(answer['segments'])} segments; {shares['words_timed']:.1%} of the words have a time, "
        f"{shares['speech_timed']:.1%} of the speech lies in segments; {len(answer['not_spoken'])} stretches of the text "
        f"are not spoken, {len(answer['not_written'])} of the sound not written"
    )


def _waiting(options: argparse.Namespace, store: Store) -> int | None:
    from training.alignment.waiting import align_waiting, publish_aligned

    if options.publish and options.out:
        raise DataError("--publish imports the folder in the store: leave --out away, or import DIR yourself")
    if options.publish:
        answer = publish_aligned(options.waiting, store)
        then = "{corpus} {version} {status}: {utterances} utterances, {hours:.2f} h".format_map(
            answer["published"]
        )
    else:
        answer = align_waiting(options.waiting, store, options.out)
        then = f"python -m corpora refresh donated --source {answer['path']}"
    text = (
        f"{answer['recordings']} recordings: {answer['segments']} segments, {answer['hours']:.2f} h\n{then}"
    )
    emit(answer, options.json, text)
    problems = [*answer["problems"], *_refused(answer.get("published"))]
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    return 1 if problems else None


def _refused(sealed: dict[str, Any] | None) -> list[str]:
    """Why the aligned corpus was not published, if it was not."""
    from corpora.quality.gate import refusal

    if sealed is None or sealed["published"]:
        return []
    return [
        f"{sealed['corpus']} was not published: the gate refused it: {refusal(sealed['corpus'], sealed['gate'])}"
    ]

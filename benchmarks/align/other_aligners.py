"""`python -m benchmarks.align.other_aligners`: the same recordings through ours, ctc-forced-aligner and aeneas; one judge.

ctc-forced-aligner is handed the log-probabilities of the very network that ours hears with; aeneas takes none: it compares
the sound with espeak's voice. Both give every word of the text a time; neither says what is not spoken or not written, so
whatever stands in the text counts as published. Peers run in environments of their own (benchmarks/peers.sh).
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from benchmarks.align.__main__ import aligned, recording
from benchmarks.align.judging import Verdict, verdict_of
from benchmarks.align.material import fit, seconds_of, utterances_of
from benchmarks.align.planting import KINDS, RATE_HZ, Planted
from store.opening import open_store
from training.network.features import mfcc
from training.release.registry import Registry
from training.runtime.network import BatchNetwork
from training.runtime.package import Package

log = logging.getLogger("benchmarks.align")
ROOT = Path(__file__).resolve().parents[2]
PEERS = Path(os.environ.get("SPEECHMILL_PEERS", ROOT / "build" / "peers"))
Words = list[tuple[str, float, float]]
Aligner = Callable[[Planted, Package, Path], tuple[Words, float]]


def main() -> int:
    """All of them over the same recordings."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.align.other_aligners", description=__doc__)
    parser.add_argument("--hours", type=float, default=0.3)
    parser.add_argument("--minutes", type=float, default=6.0, help="a recording")
    parser.add_argument("--faults", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--splits", nargs="+", default=["test", "dev"])
    parser.add_argument("--model", help="id of a packaged model, or its folder; default: the released one")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    options.goal, options.network, options.kinds = False, "float", list(KINDS)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    store = open_store()
    folder_of_model = Path(options.model) if options.model else None
    if folder_of_model is None or not (folder_of_model / "model.json").is_file():
        folder_of_model = Registry(store).model(options.model).path
    package = Package.open(folder_of_model)
    known = utterances_of(store, package, options.splits)
    count = max(1, round(options.hours * 60 / options.minutes))
    totals = {name: (Verdict(), [0.0]) for name in ("speechmill", *ALIGNERS)}
    sound_s = 0.0
    for number in range(count):
        truth = recording(known, options, (number, -(-options.faults // count)))
        sound_s += len(truth.samples) / RATE_HZ
        for name, answer, seconds in _answers(truth, package):
            totals[name][0].add(verdict_of(answer, truth))
            totals[name][1][0] += seconds
        log.info("recording %d of %d", number + 1, count)
    result = {
        name: {**verdict.as_json(), "cpu_of_real_time": round(seconds[0] / sound_s, 5)}
        for name, (verdict, seconds) in totals.items()
    }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(_table(result))
    return 0


def _answers(truth: Planted, package: Package) -> list[tuple[str, dict[str, Any], float]]:
    began_s = time.process_time()
    found = [("speechmill", aligned(truth, package, "float"), time.process_time() - began_s)]
    for name, aligner in ALIGNERS.items():
        with tempfile.TemporaryDirectory() as folder:
            words, seconds = aligner(truth, package, Path(folder))
        found.append((name, claimed(words), seconds))
    return found


def claimed(words: Words) -> dict[str, Any]:
    """The answer of who says that every word is spoken, one after the other, and nothing else."""
    timed = [{"word": word, "start_s": start_s, "end_s": end_s} for word, start_s, end_s in words]
    segments = [{"from_word": 0, "to_word": len(timed), "words": timed}] if timed else []
    return {"segments": segments, "not_spoken": [], "not_written": []}


def _ctc(truth: Planted, package: Package, folder: Path) -> tuple[Words, float]:
    """Our network's log-probabilities of the whole recording, ctc-forced-aligner's path; without the network's time."""
    alphabet = package.alphabet()
    network = BatchNetwork(package.network("float"))
    log_probs = network.log_probs([mfcc(truth.samples, RATE_HZ, package.features)])[0]
    labels: list[int] = []
    for place, word in enumerate(truth.tokens):
        labels += [*([alphabet.space] if place else []), *alphabet.encode(word)]
    np.save(folder / "log_probs.npy", log_probs)
    np.save(folder / "labels.npy", np.array(labels, np.int64))
    python = PEERS / "ctc-forced-aligner" / "bin" / "python"
    script = Path(__file__).parent / "peers" / "ctc_path.py"
    places = [folder / "log_probs.npy", folder / "labels.npy", alphabet.blank, folder / "path.npy"]
    done = subprocess.run(
        [str(python), str(script), *map(str, places)], check=True, capture_output=True, text=True
    )
    path = np.load(folder / "path.npy")
    return words_of_path(path, truth.tokens, (alphabet.blank, alphabet.space), package), float(done.stdout)


def words_of_path(
    path: np.ndarray,  # type: ignore[type-arg]
    tokens: tuple[str, ...],
    signs: tuple[int, int],
    package: Package,
) -> Words:
    """Words with times of a path of labels, one a frame, as `training align` turns frames into seconds."""
    blank, space = signs
    spans: list[list[int]] = []
    open_word = True
    for frame, label in enumerate(path.tolist()):
        if label == space:
            open_word = True
        elif label != blank and open_word:
            spans.append([frame, frame + 1])
            open_word = False
        elif label != blank:
            spans[-1][1] = frame + 1
    if len(spans) != len(tokens):
        raise ValueError(f"the path spells {len(spans)} words, the text has {len(tokens)}")
    return [
        (word, *seconds_of(start, stop, package)) for word, (start, stop) in zip(tokens, spans, strict=True)
    ]


def _aeneas(truth: Planted, package: Package, folder: Path) -> tuple[Words, float]:
    """One word a line, aeneas's own settings for words."""
    soundfile.write(folder / "sound.wav", fit(truth.samples), RATE_HZ)
    (folder / "text.txt").write_text("\n".join(truth.tokens) + "\n", encoding="utf-8")
    python = PEERS / "aeneas" / "bin" / "python"
    wish = "task_language=eng|is_text_type=plain|os_task_file_format=json"
    command = [
        str(python),
        "-m",
        "aeneas.tools.execute_task",
        str(folder / "sound.wav"),
        str(folder / "text.txt"),
    ]
    began_s = os.times().children_user
    subprocess.run(
        [*command, wish, str(folder / "out.json"), "--presets-word"],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "UTF-8"},
    )
    fragments = json.loads((folder / "out.json").read_text())["fragments"]
    words = [(" ".join(one["lines"]), float(one["begin"]), float(one["end"])) for one in fragments]
    return words, os.times().children_user - began_s


ALIGNERS: dict[str, Aligner] = {"ctc-forced-aligner": _ctc, "aeneas": _aeneas}


def _table(result: dict[str, Any]) -> str:
    lines = [
        f"{'aligner':<20} {'words':>6} {'right':>7} {'published wrong':>16} {'faults':>7} {'silent':>7} {'CPU':>8}"
    ]
    lines += [
        f"{name:<20} {one['words']:>6} {one['within_100_ms']:>7.1%} {one['wrong_share']:>16.2%} {one['faults']:>7} "
        f"{one['silent']:>7} {one['cpu_of_real_time']:>8.4f}"
        for name, one in result.items()
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

"""The networks of the loop: one that has heard twelve voices, and the one that has heard the volunteers too.

Base corpus: twelve espeak-ng voices for training, two for dev, and one held-out voice that neither the base nor any
volunteer has; all sentences differ. Everything runs as the commands of `corpora` and `training`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo import grammar
from demo.layouts import SpokenUtterance, common_voice, librispeech
from demo.speech import FloatSamples, Line, SpeechError, speak
from demo.voices import Voice, speakers

BASE, HELD_OUT_CORPUS = "harbour_base", "harbour_held_out"
TRAIN = (
    "m1", "f1", "klatt", "Alex", "linda", "announcer", "david", "Mike", "shelby", "Alicia", "quincy", "zac",
)  # fmt: skip
DEV = ("m5", "f3")
HELD_OUT = "ed"
VOLUNTEERS = (
    "m2", "m3", "m4", "m6", "m7", "m8", "f2", "f4", "f5", "klatt2", "klatt3", "klatt4", "Andy", "steph", "Lee", "max",
    "paul", "belinda", "robert", "victor",
)  # fmt: skip
BASE_SENTENCES, DEV_SENTENCES, BASE_TEST_SENTENCES, CAMPAIGN_SENTENCES = 600, 40, 120, 560
TEST_SENTENCES = 400  # 120 were too few: 31 against 27 % had p 0.04
STEPS = 1200  # of the 1,600 of `make demo`: there are two networks to train
_ROOT = Path(__file__).resolve().parents[2]
_SNR_DB = (18.0, 30.0)


@dataclass(frozen=True)
class Texts:
    """Which sentences are read where; no sentence is in two places."""

    base: list[str]
    dev: list[str]
    test: list[str]
    campaign: list[str]


def texts(seed: int) -> Texts:
    """The sentences of a seed."""
    train = grammar.sentences(BASE_SENTENCES + CAMPAIGN_SENTENCES, "train", f"collect {seed}")
    dev = grammar.sentences(DEV_SENTENCES, "dev", f"collect {seed}")
    test = grammar.sentences(BASE_TEST_SENTENCES + TEST_SENTENCES, "test", f"collect {seed}")
    return Texts(train[:BASE_SENTENCES], dev, test, train[BASE_SENTENCES:])


def volunteers(seed: int) -> list[Voice]:
    """Twenty voices."""
    return speakers(VOLUNTEERS, len(VOLUNTEERS), "volunteer", str(seed))


def command(store: Path, *arguments: str) -> dict[str, Any]:
    """The JSON answer of one of our commands, `corpora refresh …` or `training run …`.

    Raises:
        SpeechError: it failed; holds what it said.
    """
    environment = {**os.environ, "SPEECHMILL_STORE": str(store)}
    done = subprocess.run(
        [sys.executable, "-m", *arguments, "--json"],
        capture_output=True, text=True, env=environment, cwd=_ROOT, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        raise SpeechError(
            f"{' '.join(arguments[:2])} ended with {done.returncode}: {done.stderr.strip()[-800:]}"
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def speak_base(folder: Path, seed: int, beds: dict[str, FloatSamples]) -> Path:
    """The base corpus as an archive in LibriSpeech's layout; made once."""
    if (folder / "LibriSpeech").is_dir():
        return folder / "LibriSpeech"
    wanted = texts(seed)
    jobs: list[tuple[str, Voice, str]] = []
    for split, variants, lines in (
        ("train", TRAIN, wanted.base),
        ("dev", DEV, wanted.dev),
        ("test", (HELD_OUT,), wanted.test[:BASE_TEST_SENTENCES]),
    ):
        cast = speakers(variants, len(variants), f"base-{split}", str(seed))
        jobs += [(split, cast[number % len(cast)], line) for number, line in enumerate(lines)]
    return Path(librispeech.write(folder, _spoken(jobs, seed, beds)).path)


def speak_held_out(folder: Path, seed: int, beds: dict[str, FloatSamples]) -> Path:
    """Sentences of the voice that neither base nor volunteers have, for measuring only, in Common Voice's layout."""
    if not (folder / "done").is_file():
        (voice,) = speakers((HELD_OUT,), 1, "base-test", str(seed))
        lines = texts(seed).test[BASE_TEST_SENTENCES:]
        common_voice.write(folder / "archive", _spoken([("test", voice, line) for line in lines], seed, beds))
        (folder / "done").touch()
    return folder / "archive"


def _spoken(
    jobs: list[tuple[str, Voice, str]], seed: int, beds: dict[str, FloatSamples]
) -> list[SpokenUtterance]:
    """The utterances of (split, voice, sentence)."""

    def spoken(job: tuple[str, Voice, str]) -> SpokenUtterance:
        split, voice, line = job
        samples = speak(Line(line, voice, _SNR_DB, f"{seed}/{split}/{line}"), beds)
        return SpokenUtterance(voice.speaker, voice.gender, line, samples, split)

    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        return list(pool.map(spoken, jobs))


def publish(store: Path, importer: str, archive: Path, name: str) -> dict[str, Any]:
    """Publish an archive."""
    return command(store, "corpora", "refresh", importer, "--source", str(archive), "--as", name)


def train(store: Path, corpora: list[str], seed: int) -> str:
    """Train on some corpora; answers the run's id."""
    listed = ", ".join(f'"{name}"' for name in corpora)
    text = (_ROOT / "demo" / "training.toml").read_text("utf-8")
    text = text.replace("seed = 1", f"seed = {seed}", 1)
    text = text.replace("steps = 1600", f"steps = {STEPS}", 1)
    text += f"\n[data]\ncorpora = [{listed}]\n"
    config = store.parent / f"training-{len(corpora)}.toml"
    config.write_text(text, "utf-8")
    return str(command(store, "training", "run", "--config", str(config))["run"])


def measure(store: Path, run: str) -> dict[str, Any]:
    """The evaluation of a run on the held-out voice, greedy."""
    return command(
        store, "training", "evaluate", "--model", run, "--corpus", HELD_OUT_CORPUS, "--split", "test"
    )


def compare(store: Path, after: str, before: str) -> dict[str, Any]:
    """Whether one evaluation beats another: the tests of scoring/significance.py on the same utterances."""
    from store.opening import open_store
    from training.evaluation.compare import compare_evaluations

    return compare_evaluations(after, before, open_store(store))

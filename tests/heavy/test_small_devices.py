"""The recognizer on a small device's processor: cross-built, under qemu-user, in the wheels that a device would install."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.heavy.spoken_model import released_model, say, sentences

ROOT = Path(__file__).resolve().parents[2]
_NEEDED = ("qemu-aarch64-static", "aarch64-linux-gnu-g++", "espeak-ng", "ffmpeg")
_MISSING = [name for name in _NEEDED if shutil.which(name) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),  # cross-building takes minutes, and a network is trained
    pytest.mark.skipif(
        bool(_MISSING),
        reason=f"not installed: {', '.join(_MISSING)} (apt-get install qemu-user-static g++-aarch64-linux-gnu espeak-ng)",
    ),
]


@pytest.fixture(scope="module", params=["bidirectional", "unidirectional"])
def heard_here(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[str], Any]:
    """The command's arguments for a model that hears whole sentences, or as they are said, and its answer here."""
    folder = tmp_path_factory.mktemp(request.param)
    _, model = released_model(folder, request.param)
    said = sentences(3)
    sound = say(". ".join(said), folder / "said.wav")
    arguments = ["-m", "training", "transcribe", str(sound), "--model", str(model.path), "--format", "json"]
    arguments += ["--threads", "1", "--store", str(folder / "none")]
    here = answered([sys.executable, *arguments])
    heard = " ".join(one["text"] for one in here["segments"]).split()
    assert len(set(heard) & set(" ".join(said).split())) > 0.7 * len(set(heard))  # words, not noise
    return arguments, here


def answered(command: list[str], **environment: str) -> Any:
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("processor", ["cortex-a72", "cortex-a76"])
def test_the_same_sound_gives_the_same_text(heard_here: tuple[list[str], Any], processor: str) -> None:
    """A Raspberry Pi 4's processor has no dot products of bytes, a Pi 5's has: other kernels, the same words and times."""
    arguments, here = heard_here
    there = answered([str(ROOT / "scripts" / "cross" / "python.sh"), *arguments], QEMU_CPU=processor)
    assert [[word["word"] for word in one["words"]] for one in there["segments"]] == [
        [word["word"] for word in one["words"]] for one in here["segments"]
    ]
    for mine, theirs in zip(here["segments"], there["segments"], strict=True):
        for one, other in zip(mine["words"], theirs["words"], strict=True):
            assert (
                abs(one["start_s"] - other["start_s"]) <= 0.06 and abs(one["end_s"] - other["end_s"]) <= 0.06
            )
    assert there["duration_s"] == here["duration_s"]


def test_no_heavy_library_is_needed() -> None:
    """What stands beside the device's Python is all that hearing asks for."""
    code = (
        "import training.transcription.commands, training.runtime.recognizer, sys; print(sorted(sys.modules))"
    )
    python = [str(ROOT / "scripts" / "cross" / "python.sh"), "-c", code]
    loaded = subprocess.run(python, capture_output=True, text=True, check=True).stdout
    assert not any(f"'{name}'" in loaded for name in ("tensorflow", "keras", "pyarrow", "pandas", "onnx"))
    names = {
        path.name.partition("-")[0] for path in (ROOT / "build" / "aarch64" / "site").glob("*.dist-info")
    }
    assert not names & {"tensorflow", "tensorflow_cpu", "keras", "pyarrow", "pandas"}

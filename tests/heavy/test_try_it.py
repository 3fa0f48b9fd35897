"""The page of `transcribe --serve` in a real Chromium with a microphone that plays a file: speak, read, click a word."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

ROOT = Path(__file__).resolve().parents[2]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        shutil.which("chromedriver") is None, reason="Chromium is not installed (make test-all installs it)"
    ),
    pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed"),
]


def package(folder: Path) -> Path:
    """An untrained network as a package: what it writes is chance, but it writes it with times."""
    from corpora.text.normaliser import default_alphabet
    from store.writing import sha256_file, write_bytes_atomic, write_json_atomic
    from training.network.config import FeatureConfig
    from training.release.graph import NetworkWeights, network_graph

    generator = np.random.default_rng(3)
    labels = len(default_alphabet().labels)

    def values(*shape: int) -> np.ndarray:  # type: ignore[type-arg]
        return generator.normal(0, 0.5, shape).astype(np.float32)

    arrays = {"dense1/kernel": values(19 * 26, 16), "dense1/bias": values(16)}
    for name, rows, columns in (
        ("dense2", 16, 16),
        ("dense3", 16, 32),
        ("dense5", 32, 16),
        ("output", 16, labels + 1),
    ):
        arrays |= {f"{name}/kernel": values(rows, columns), f"{name}/bias": values(columns)}
    for name in ("lstm4_forward", "lstm4_backward"):
        arrays |= {
            f"{name}/lstm_cell/kernel": values(32, 64),
            f"{name}/lstm_cell/recurrent_kernel": values(16, 64),
            f"{name}/lstm_cell/bias": values(64),
        }
    front = vars(FeatureConfig())
    facts = {
        "labels": list(default_alphabet().labels),
        "front_end": front,
        "lookahead": 9,
        "mean": [0.0] * 26,
    }
    weights = NetworkWeights(arrays, np.zeros(26, np.float32), np.full(26, 3, np.float32), 20.0, 9, 9, facts)
    write_bytes_atomic(folder / "network-int8.onnx", network_graph(weights, int8=True))
    manifest = {
        "kind": "model", "format": 1, "model": "chance", "labels": facts["labels"], "front_end": front,
        "language": "en", "language_model": None, "decoder": None,
        "files": {"network-int8.onnx": {"bytes": 0, "sha256": sha256_file(folder / "network-int8.onnx")}},
    }  # fmt: skip
    write_json_atomic(folder / "model.json", manifest)
    return folder


def test_a_visitor_speaks_reads_and_clicks_a_word(tmp_path: Path) -> None:
    from launcher.screenshots import browser

    voice = tmp_path / "voice.wav"
    subprocess.run(
        ["espeak-ng", "-w", str(voice), "the old captain went by the mill in the morning. " * 3], check=True
    )
    samples, rate_hz = soundfile.read(voice, dtype="int16")
    soundfile.write(voice, samples, rate_hz)
    command = [
        sys.executable,
        "-m",
        "training",
        "transcribe",
        "--serve",
        "--model",
        str(package(tmp_path / "model")),
    ]
    environment = {**os.environ, "SPEECHMILL_STORE": str(tmp_path / "store")}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        address = server.stdout.readline().strip()
        assert address.startswith("http://127.0.0.1:") and "token=" in address
        base, _, query = address.partition("/?")
        microphone = (
            "--use-fake-ui-for-media-stream",
            "--use-fake-device-for-media-stream",
            f"--use-file-for-fake-audio-capture={voice}",
            "--autoplay-policy=no-user-gesture-required",
        )
        with browser(base, microphone) as window:
            window.visit("/")
            assert "carries the token" in str(window.run("return document.body.textContent"))
            window.visit(f"/?{query}")
            window.wait_for("Model chance")
            focused = "document.getElementById('file').focus(); return document.activeElement.id"
            assert window.run(focused) == "file"  # a file can be chosen without a mouse
            window.run("document.getElementById('speak').click()")
            window.wait_for("Speak now")
            window.run("return new Promise(done => setTimeout(done, 3000))")
            window.run("document.getElementById('speak').click()")
            window.wait_for("s of sound")
            words = window.run("return [...document.querySelectorAll('#text span')].map(one => one.title)")
            assert words and all("% sure" in title for title in words)
            moved = window.run(
                "const one = [...document.querySelectorAll('#text span')].at(-1); one.click();"
                "return [document.getElementById('player').currentTime, Number(one.dataset.start)]"
            )
            assert moved[0] == pytest.approx(max(0.0, moved[1] - 0.05), abs=0.5)
    finally:
        server.terminate()
        server.wait(20)

"""One description of the decoder's settings: binding, program and TensorFlow op agree on names, defaults and ranges."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import native
from native import _core

PROGRAM = Path(__file__).resolve().parents[2] / "build/native/speechmill-decode"
SETTINGS = {
    name: (standard, least, most, whole) for name, standard, least, most, whole in _core.decoder_settings()
}
CUTS = ("label_floor", "score_threshold", "blank_skip", "doubt_labels", "crowd")
ROWS = np.log(np.full((1, 4, 4), 0.25)).astype(np.float32)
LABELS = native.Alphabet([" ", "a", "b"])


def outside(name: str) -> float | None:
    """A value just below the range of a setting, or above it; None where every finite number is inside."""
    _, least, most, _ = SETTINGS[name]
    if least > -1e30:
        return least - 1
    return most + 1 if most < 1e30 else None


def test_the_settings_are_these() -> None:
    assert set(SETTINGS) == {
        "alpha",
        "beta",
        "beam_width",
        "n_best",
        "oov_penalty",
        "oov_letter_penalty",
        *CUTS,
    }
    assert SETTINGS["oov_letter_penalty"][0] == pytest.approx(-1.4)
    assert all(SETTINGS[name][0] is None for name in CUTS)


@pytest.mark.parametrize("function", [native.decode, native.Stream.__init__])
def test_the_binding_has_their_defaults(function: Any) -> None:
    seen = set()
    for name, (standard, _, _, _) in SETTINGS.items():
        found = re.search(rf"\b{name}: [^=,]+ = ([-0-9.e]+)", function.__doc__)
        if found:
            seen.add(name)
            assert float(found.group(1)) == pytest.approx(standard, rel=1e-6), name
    assert {"beam_width", "oov_penalty", "oov_letter_penalty"} <= seen


@pytest.mark.parametrize("name", ["beam_width", "oov_letter_penalty"])
def test_the_binding_refuses_what_is_outside(name: str) -> None:
    value = outside(name)
    assert value is not None
    with pytest.raises(native.DecodeError, match=rf"{name} .*is not a"):
        native.decode(ROWS, [4], LABELS, **{name: int(value) if SETTINGS[name][3] else value})


@pytest.mark.parametrize("name", CUTS)
def test_pruning_refuses_what_is_outside(name: str) -> None:
    value = outside(name)
    assert value is not None
    with pytest.raises(native.DecodeError, match=rf"{name} .*is not a"):
        native.Pruning(**{name: int(value) if SETTINGS[name][3] else value})


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [PROGRAM, *map(str, arguments)], check=False, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("name", list(SETTINGS))
def test_the_program_has_every_setting_with_its_default_and_range(name: str) -> None:
    flag = "--" + name.replace("_", "-")
    line = next(line for line in run("--help").stdout.splitlines() if line.strip().startswith(flag + " "))
    standard = SETTINGS[name][0]
    said = re.search(r"\(default ([-0-9.e]+)\)", line)
    assert float(said.group(1)) == pytest.approx(standard) if said else standard is None, line
    value = outside(name)
    if value is not None:
        done = run("--alphabet", "x", flag, value, "y.npy")
        assert done.returncode == 2 and name in done.stderr and "is not a" in done.stderr


def test_the_program_takes_what_the_binding_takes(tmp_path: Path) -> None:
    rows = np.log(np.random.default_rng(3).dirichlet(np.ones(4), (2, 40))).astype(np.float32)
    np.save(tmp_path / "x.npy", rows)
    LABELS.save(tmp_path / "alphabet.txt")
    mode = native.Pruning(score_threshold=6.0, label_floor=0.05, doubt_labels=4)
    expected = [found[0].text for found in native.decode(rows, [40, 40], LABELS, beam_width=9, mode=mode)]
    flags = (
        "--mode",
        "exact",
        "--score-threshold",
        6,
        "--label-floor=0.05",
        "--doubt-labels",
        4,
        "--beam-width",
        9,
    )
    done = run("--alphabet", tmp_path / "alphabet.txt", *flags, tmp_path / "x.npy")
    assert done.stdout.splitlines() == expected and done.stderr == ""


@pytest.mark.slow
def test_the_op_has_every_setting_with_its_default_and_range() -> None:
    import tensorflow as tf
    from tensorflow.python.framework import op_def_registry

    from training.decoding.ctc_op import BeamSearchDecoder, BeamSearchSettings, load

    load()
    definition = op_def_registry.get("SpeechmillCTCBeamSearchDecoder")
    attributes = {attribute.name: attribute.default_value for attribute in definition.attr}
    for name, (standard, _, _, whole) in SETTINGS.items():
        found = attributes[name].i if whole else attributes[name].f
        assert found == pytest.approx(-1 if standard is None else standard), name
    settings = BeamSearchSettings().__dict__
    assert all(settings[name] == pytest.approx(SETTINGS[name][0]) for name in settings if name in SETTINGS)
    with pytest.raises(tf.errors.InvalidArgumentError, match="oov_letter_penalty 1 is not a"):
        BeamSearchDecoder(LABELS, BeamSearchSettings(oov_letter_penalty=1.0))(ROWS, [4])
    pruning = native.Pruning(score_threshold=3.0)
    found = BeamSearchDecoder(LABELS, BeamSearchSettings(beam_width=9, pruning=pruning))(ROWS, [4])
    assert (
        found.texts.numpy()[0, 0].decode()
        == native.decode(ROWS, [4], LABELS, beam_width=9, mode=pruning)[0][0].text
    )

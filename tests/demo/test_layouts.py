"""Every layout puts every utterance where it says, sample for sample, and plants what was asked for."""

from __future__ import annotations

import hashlib
import io
import tarfile
import zipfile
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import soundfile

from demo.layouts import (
    Defects,
    Placed,
    SpokenUtterance,
    Written,
    common_voice,
    donated,
    files,
    fisher,
    librispeech,
    switchboard,
    tedlium,
    tones,
)
from demo.sphere_writer import decode_ulaw, encode_ulaw
from native import sphere

LAYOUTS = (librispeech, tedlium, fisher, switchboard, common_voice, donated)
TIMED = (tedlium, fisher, switchboard, donated)
UTTERANCES = tones.utterances()

each_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda module: module.__name__.split(".")[-1])


def digests(path: Path) -> dict[str, str]:
    found = sorted(path.rglob("*")) if path.is_dir() else [path]
    return {
        file.relative_to(path).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in found
        if file.is_file()
    }


def sound_at(written: Written, place: Placed) -> tuple[np.ndarray, int]:
    """Samples and rate at a place, read without the importers."""
    if written.path.suffix == ".zip":
        with zipfile.ZipFile(written.path) as zipped:
            samples, rate = soundfile.read(io.BytesIO(zipped.read(place.path)), dtype="int16")
    elif place.path.endswith(".sph"):
        path = written.path / place.path  # soundfile knows no shorten
        samples, rate = sphere.read(path)[:, place.channel], sphere.info(path)["sample_rate_hz"]
    else:
        samples, rate = soundfile.read(written.path / place.path, dtype="int16")
    return samples[round(place.start_s * rate) : round(place.end_s * rate)], rate


@each_layout
def test_equal_input_gives_equal_bytes(layout: ModuleType, tmp_path: Path) -> None:
    first = layout.write(tmp_path / "1", UTTERANCES, Defects.one_of_each())
    second = layout.write(tmp_path / "2", UTTERANCES, Defects.one_of_each())
    assert digests(first.path) == digests(second.path)
    assert first.planted == second.planted


@each_layout
def test_every_utterance_is_placed_once_with_its_own_sound(layout: ModuleType, tmp_path: Path) -> None:
    written = layout.write(tmp_path, UTTERANCES)
    assert sorted(place.index for place in written.placed) == list(range(len(UTTERANCES)))
    for place in written.placed:
        heard, rate = sound_at(written, place)
        spoken = files.resample(UTTERANCES[place.index].samples, rate)
        if layout in (fisher, switchboard):
            spoken = decode_ulaw(encode_ulaw(spoken))
        if layout is common_voice:
            spectrum = np.abs(np.fft.rfft(heard.astype(float)))
            loudest_hz = spectrum.argmax() * rate / len(heard)
            wanted_hz = tones.pitch_hz(int(UTTERANCES[place.index].speaker.split()[1]))
            assert loudest_hz == pytest.approx(wanted_hz, abs=3)
        else:
            assert np.array_equal(heard[: len(spoken)], spoken)
            assert not heard[len(spoken) :].any()
            assert len(heard) - len(spoken) < rate / 50


@each_layout
def test_defects_are_planted_as_counted_and_cost_no_given_utterance(
    layout: ModuleType, tmp_path: Path
) -> None:
    asked = Defects(truncated_audio=2, bad_time=1, odd_token=2, missing_audio=1)
    written = layout.write(tmp_path / "with", UTTERANCES, asked)
    clean = layout.write(tmp_path / "without", UTTERANCES)
    kinds = [planted.kind for planted in written.planted]
    assert kinds.count("truncated_audio") == 2
    assert kinds.count("odd_token") == 2
    assert kinds.count("missing_audio") == 1
    assert kinds.count("bad_time") == (1 if layout in TIMED else 0)
    assert written.placed == clean.placed
    assert clean.planted == ()
    if written.path.is_dir():
        kept = digests(clean.path)
        changed = {name for name, digest in digests(written.path).items() if kept.get(name, digest) != digest}
        tables = {name for name in changed if name.lower().endswith((".tbl", ".csv", ".tsv", ".txt"))}
        assert changed == tables


def test_an_existing_place_is_never_overwritten(tmp_path: Path) -> None:
    for layout in (tedlium, donated):
        layout.write(tmp_path, UTTERANCES)
        with pytest.raises(FileExistsError, match="new place"):
            layout.write(tmp_path, UTTERANCES)


def test_a_failed_layout_leaves_nothing_behind(tmp_path: Path) -> None:
    broken = SpokenUtterance("x", "m", "one two", np.zeros((2, 2, 2), dtype=np.int16))
    for layout in (librispeech, donated):
        with pytest.raises((ValueError, soundfile.SoundFileError)):
            layout.write(tmp_path, [*UTTERANCES[:2], broken])
        assert list(tmp_path.iterdir()) == []


def test_clitics_are_detached_as_in_the_talks() -> None:
    assert (
        tedlium.detach_clitics("it's the students' book we'd've read")
        == "it 's the students ' book we 'd 've read"
    )
    assert tedlium.detach_clitics("tell 'em o'clock") == "tell 'em o'clock"


def test_callers_of_different_splits_never_talk_to_each_other(tmp_path: Path) -> None:
    written = fisher.write(tmp_path, UTTERANCES)
    splits: dict[str, set[str]] = {}
    for place in written.placed:
        splits.setdefault(place.path, set()).add(UTTERANCES[place.index].split)
    assert all(len(found) == 1 for found in splits.values())
    assert len(splits) == 3


def test_a_lone_speaker_gets_a_call_with_a_silent_other_side(tmp_path: Path) -> None:
    written = switchboard.write(tmp_path, UTTERANCES[:3])
    assert {place.channel for place in written.placed} == {0}
    other = (written.path / switchboard.transcript_path(2001, 1)).read_text(encoding="utf-8").split("\n")
    assert [line.split(" ", 3)[3] for line in other if line] == ["[silence]"]


def test_switchboard_lines_tile_each_side(tmp_path: Path) -> None:
    written = switchboard.write(tmp_path, UTTERANCES)
    for path in sorted(written.path.rglob("*-trans.text")):
        spans = [line.split(" ", 3)[1:3] for line in path.read_text(encoding="utf-8").splitlines()]
        assert spans[0][0] == "0.000000"
        assert all(before[1] == after[0] for before, after in pairwise(spans))


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".tar.xz", ".zip"])
def test_packing_is_repeatable_and_complete(suffix: str, tmp_path: Path) -> None:
    written = librispeech.write(tmp_path, UTTERANCES[:4])
    archives = [files.pack(written.path, tmp_path / f"{name}{suffix}") for name in ("one", "two")]
    assert archives[0].read_bytes() == archives[1].read_bytes()
    wanted = {f"LibriSpeech/{name}" for name in digests(written.path)}
    if suffix == ".zip":
        with zipfile.ZipFile(archives[0]) as zipped:
            assert set(zipped.namelist()) == wanted
    else:
        with tarfile.open(archives[0]) as tar:
            assert set(tar.getnames()) == wanted

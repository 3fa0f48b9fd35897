"""A seeded sample of the fault campaign (`make soak-import` runs all of it): damage, kills, full disks, two at once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from demo.layouts import faults, kinds, tedlium
from native.errors import SpeechmillError
from scripts import soak_import as soak
from scripts import soak_kinds

pytestmark = pytest.mark.slow
SEEDS = range(3)


@pytest.mark.parametrize("name", soak.LAYOUTS)
def test_no_fault_is_accepted_in_silence(name: str, tmp_path: Path) -> None:
    counts = soak.Campaign()
    for seed in SEEDS:
        soak.inject(name, seed, tmp_path / f"seed-{seed}", counts)
    assert counts.injected.total() >= 8
    assert sum(counts.ended.values()) > 0


@pytest.mark.parametrize("seed", range(4))
def test_what_sounds_in_every_row_is_its_text(seed: int, tmp_path: Path) -> None:
    counts = soak_kinds.Heard()
    soak_kinds.listen(seed, tmp_path, counts)
    assert counts.injected.total() >= 13
    assert counts.imports == 2


def test_the_listener_hears_what_is_wrong(tmp_path: Path) -> None:
    """The oracle itself: another sentence, a shifted one, and a cue without a word."""
    samples, places = kinds.talk(kinds.SENTENCES[:2])
    (begins, ends, text), (_, _, other) = places
    clip = samples[round(begins * 16_000) : round(ends * 16_000)]
    row = {
        "source_path": "talk.wav",
        "text": text,
        "flags": [],
        "audio": {"bytes": kinds.wav(clip, kind="FLAC")},
    }
    assert soak_kinds.hear(row)[0] == text
    late = {**row, "audio": {"bytes": kinds.wav(samples[: round(ends * 16_000)], kind="FLAC")}}
    for rows, said in (([row | {"text": other}], [text]), ([late], [text]), ([row], [text, other])):
        given = soak_kinds.Given(tmp_path, {"talk": "wav"}, {"talk": said})
        with pytest.raises(soak_kinds.Wrong):
            soak_kinds.judge(given, (rows, []), "test", soak_kinds.Heard())


@pytest.mark.parametrize("name", ["fisher", "common_voice", "donated"])
def test_a_refresh_killed_at_any_moment_is_repaired_by_the_next(name: str, tmp_path: Path) -> None:
    soak.kill_at_random(name, 12, 1, tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_ends_in_a_sentence_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    assert soak.fill_the_disk("librispeech", 6, tmp_path) > 0


def test_two_imports_at_once_leave_what_one_leaves(tmp_path: Path, root: Path) -> None:
    soak.two_at_once("switchboard", tmp_path, root)


def test_the_campaign_sees_what_is_let_in() -> None:
    """The judge itself: another sound, a lost row without reason, a row too many."""
    row = dict.fromkeys(soak.EXACT, "x") | {"utterance_id": "a", "recording_id": "r", "source_path": "s.wav"}
    for hurt in (
        ({"a": row | {"audio_sha256": "y"}}, []),
        ({}, []),
        ({"a": row, "b": row}, []),
    ):
        with pytest.raises(soak.Wrong):
            soak.judge({"a": row}, hurt, "test", soak.Campaign())
    kinds = {f"{suffix} {fault.__name__}" for suffix, all_of in faults.FAULTS.items() for fault in all_of}
    assert len(kinds | {fault.__name__ for fault in faults.ARCHIVE_FAULTS}) >= 30


def test_a_command_with_workers_is_killed_and_repaired(tmp_path: Path, root: Path) -> None:
    source = tedlium.write(tmp_path / "source", soak.UTTERANCES).path
    environment = {**os.environ, "PYTHONPATH": str(root), "SPEECHMILL_ROOT": str(root)}
    words = ["refresh", "tedlium", "--source", str(source), "--workers", "2", "--json", "--store"]
    command = [sys.executable, "-m", "corpora", *words]
    soak.imported("tedlium", source, tmp_path / "calm")
    wanted = soak.tree(tmp_path / "calm" / "corpora")
    store = tmp_path / "killed"
    quiet = {"cwd": tmp_path, "env": environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    for share in (0.6, 0.9):
        started = time.monotonic()
        with subprocess.Popen([*command, str(tmp_path / f"timed-{share}")], **quiet) as process:
            assert process.wait() == 0
        whole_s = time.monotonic() - started
        with subprocess.Popen([*command, str(store)], **quiet, start_new_session=True) as process:
            time.sleep(share * whole_s)
            os.killpg(process.pid, signal.SIGKILL)
        soak.settled(store, wanted, "a command with workers")
    done = subprocess.run(
        [*command, str(store)], check=True, cwd=tmp_path, env=environment, capture_output=True
    )
    assert json.loads(done.stdout)["utterances"] == len(soak.UTTERANCES)
    assert soak.tree(store / "corpora") == wanted


def test_a_source_in_which_nothing_is_whole_publishes_nothing(tmp_path: Path) -> None:
    source = tedlium.write(tmp_path, soak.UTTERANCES).path
    for path in source.rglob("*.sph"):
        path.write_bytes(b"")
    with pytest.raises(SpeechmillError) as caught:
        soak.imported("tedlium", source, tmp_path / "store")
    assert caught.value.exit_status == 3
    assert not list((tmp_path / "store").glob("corpora/*/current"))

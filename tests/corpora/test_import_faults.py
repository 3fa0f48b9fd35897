"""Damage on purpose: every fault ends as a missing row with its reason or a bit-exact row; kills heal.

Files of all six layouts are cut, holed, flipped, emptied, replaced by web pages, given lying headers or
taken away, by seeded chance. Only faults that a file can betray are made: a flipped bit in the sound of
plain WAV or an MP3 betrays nothing.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from corpora.errors import CorporaError, NothingImportedError
from corpora.refresh import RefreshRequest, refresh
from demo.layouts import Written, common_voice, donated, fisher, librispeech, switchboard, tedlium, tones

pytestmark = pytest.mark.slow

LAYOUTS = {
    "librispeech": librispeech,
    "tedlium": tedlium,
    "fisher": fisher,
    "switchboard": switchboard,
    "common_voice": common_voice,
    "donated": donated,
}
UTTERANCES = tones.utterances(speakers_per_split=3, each=2)
SEEDS = range(4)
SHARE = 0.4  # of the sound files that are damaged in one run
KILLS = 20
RESTARTS = 0.3  # of the kills are followed by an empty store
SPHERE_HEADER = 1024
FLAC_FRAMES = 8192  # metadata of libsndfile's FLAC ends before

Fault = Callable[[bytes, random.Random], bytes | None]


def cut(data: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(1, len(data) - 1)]


def cut_a_little(data: bytes, chance: random.Random) -> bytes:
    return data[: -chance.randrange(2, 40)]


def emptied(data: bytes, chance: random.Random) -> bytes:
    return b""


def web_page(data: bytes, chance: random.Random) -> bytes:
    return b"<!DOCTYPE html><html><body>404 Not Found</body></html>"


def gone(data: bytes, chance: random.Random) -> None:
    return None


def hole(data: bytes, chance: random.Random) -> bytes:
    """Zeros over a stretch of the sound that was not silent before."""
    first = sound_start(data)
    for _ in range(100):
        size = chance.randrange(64, 2048)
        at = chance.randrange(first, max(first + 1, len(data) - size))
        damaged = data[:at] + bytes(len(data[at : at + size])) + data[at + size :]
        if damaged != data:
            return damaged
    return cut(data, chance)


def flipped(data: bytes, chance: random.Random) -> bytes:
    damaged = bytearray(data)
    for _ in range(chance.randrange(1, 20)):
        damaged[chance.randrange(sound_start(data), len(data))] ^= 1 << chance.randrange(8)
    return bytes(damaged)


def lying_header(data: bytes, chance: random.Random) -> bytes:
    if data.startswith(b"NIST_1A"):
        field = chance.choice([b"sample_count", b"sample_checksum"])
        text = re.sub(
            field + rb" -i (\d+)",
            lambda m: field + b" -i " + str(int(m[1]) + 77).encode(),
            data[:SPHERE_HEADER],
        )
        return text[:SPHERE_HEADER].ljust(SPHERE_HEADER, b" ") + data[SPHERE_HEADER:]
    if data.startswith(b"fLaC"):
        at = chance.choice([24, 25, *range(26, 42)])  # low bytes of the sample count, or the MD5
        return data[:at] + bytes([data[at] ^ 0x15]) + data[at + 1 :]
    if data.startswith(b"RIFF"):
        at = data.index(b"data") + 4
        return data[:at] + (len(data) * 2).to_bytes(4, "little") + data[at + 4 :]
    at = data.index(b"Xing") + 8
    return data[:at] + (int.from_bytes(data[at : at + 4], "big") + 9).to_bytes(4, "big") + data[at + 4 :]


def sound_start(data: bytes) -> int:
    return SPHERE_HEADER if data.startswith(b"NIST_1A") else min(FLAC_FRAMES, len(data) // 2)


ALWAYS: tuple[Fault, ...] = (cut, cut_a_little, emptied, web_page, gone, lying_header)
CHECKED: tuple[Fault, ...] = (*ALWAYS, hole, flipped)  # where a checksum stands over the sound
FAULTS = {".flac": CHECKED, ".sph": CHECKED, ".wav": ALWAYS, ".mp3": ALWAYS}


@dataclass(frozen=True)
class Result:
    rows: dict[str, dict[str, Any]]
    rejections: list[dict[str, Any]]


def run(name: str, source: Path, store: Path) -> Result:
    said = refresh(
        RefreshRequest(importer=name, sources=(source,), name=name, donation=None, store=store, workers=1)
    )
    path = Path(said["path"])
    shards = [
        row for shard in sorted(path.glob("*/part-*.parquet")) for row in pq.read_table(shard).to_pylist()
    ]
    rows = {row["utterance_id"]: row for row in shards}
    assert len(rows) == len(shards)
    return Result(rows, pq.read_table(path / "rejections.parquet").to_pylist())


def damage(source: Path, chance: random.Random) -> dict[str, str]:
    """Damage some sound files of a directory or zip in place; member name -> fault."""
    if source.is_dir():
        members = {
            path.relative_to(source).as_posix(): path.read_bytes()
            for path in source.rglob("*")
            if path.is_file()
        }
    else:
        with zipfile.ZipFile(source) as zipped:
            members = {name: zipped.read(name) for name in zipped.namelist()}
    done: dict[str, str] = {}
    for name in sorted(members):
        faults = FAULTS.get(Path(name).suffix)
        if not faults or chance.random() > SHARE:
            continue
        fault = chance.choice(faults)
        done[name] = fault.__name__
        damaged = fault(members[name], chance)
        if damaged is None:
            del members[name]
        else:
            members[name] = damaged
    rewrite(source, members)
    return done


def rewrite(source: Path, members: dict[str, bytes]) -> None:
    if source.is_dir():
        shutil.rmtree(source)
        for name, data in members.items():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes(data)
        return
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as zipped:
        for name, data in members.items():
            zipped.writestr(zipfile.ZipInfo(name), data)
    source.write_bytes(packed.getvalue())


def explains(rejection: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a rejection is of this row, or of the whole transcript that lost its recording."""
    if rejection["utterance_id"] == row["utterance_id"]:
        return True
    transcript = row["recording_id"].replace("sw0", "sw")  # Switchboard's recordings have one zero more
    return rejection["check"] == "audio_missing" and transcript in rejection["source_path"]


@pytest.mark.parametrize("name", LAYOUTS)
def test_no_fault_is_accepted_in_silence(name: str, tmp_path: Path) -> None:
    clean_source: Written = LAYOUTS[name].write(tmp_path / "clean", UTTERANCES)
    clean = run(name, clean_source.path, tmp_path / "store-clean")
    injected = 0
    for seed in SEEDS:
        folder = tmp_path / f"seed-{seed}"
        source = LAYOUTS[name].write(folder, UTTERANCES).path
        faults = damage(source, random.Random(f"{name} {seed}"))
        injected += len(faults)
        try:
            hurt = run(name, source, folder / "store")
        except NothingImportedError:
            continue
        assert set(hurt.rows) <= set(clean.rows), faults
        for key, row in clean.rows.items():
            if key in hurt.rows:
                for column in ("audio_sha256", "text", "speaker_id", "channel", "num_samples"):
                    assert hurt.rows[key][column] == row[column], (seed, key, column, faults)
            else:
                assert any(explains(rejection, row) for rejection in hurt.rejections), (seed, key, faults)
    assert injected >= 8


def tree(path: Path) -> dict[str, str]:
    return {
        file.relative_to(path).as_posix(): (
            str(file.readlink()) if file.is_symlink() else hashlib.sha256(file.read_bytes()).hexdigest()
        )
        for file in sorted(path.rglob("*"))
        if file.is_symlink() or file.is_file()
    }


def settle(store: Path, wanted: dict[str, str]) -> None:
    """What a killed run left under final names must be whole: a part of what a calm run leaves."""
    left = tree(store / "corpora") if (store / "corpora").is_dir() else {}
    final = {key: value for key, value in left.items() if not Path(key).name.startswith(".")}
    assert final == {key: value for key, value in wanted.items() if key in final}
    assert not final or sum(key.endswith("manifest.json") for key in final) == 1


@pytest.mark.parametrize("name", ["fisher", "common_voice", "donated"])
def test_a_refresh_killed_at_any_moment_is_repaired_by_the_next(name: str, tmp_path: Path) -> None:
    source = LAYOUTS[name].write(tmp_path / "source", UTTERANCES).path
    run(name, source, tmp_path / "warm")
    started = time.monotonic()
    run(name, source, tmp_path / "calm")
    whole_s = time.monotonic() - started
    wanted = tree(tmp_path / "calm" / "corpora")
    assert wanted
    chance, store = random.Random(name), tmp_path / "killed"
    for _ in range(KILLS):
        child = os.fork()
        if child == 0:
            os.setsid()
            run(name, source, store)
            os._exit(0)
        time.sleep(chance.uniform(0.0, 1.1) * whole_s)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        settle(store, wanted)
        if chance.random() < RESTARTS:
            shutil.rmtree(store, ignore_errors=True)
    run(name, source, store)
    assert tree(store / "corpora") == wanted


def test_a_command_with_workers_is_killed_and_repaired(tmp_path: Path, root: Path) -> None:
    source = tedlium.write(tmp_path / "source", UTTERANCES).path
    environment = {**os.environ, "PYTHONPATH": str(root), "SPEECHMILL_ROOT": str(root)}
    words = ["refresh", "tedlium", "--source", str(source), "--workers", "2", "--json", "--store"]
    command = [sys.executable, "-m", "corpora", *words]
    run("tedlium", source, tmp_path / "calm")
    wanted = tree(tmp_path / "calm" / "corpora")
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
        settle(store, wanted)
    done = subprocess.run(
        [*command, str(store)], check=True, cwd=tmp_path, env=environment, capture_output=True
    )
    assert json.loads(done.stdout)["utterances"] == len(UTTERANCES)
    assert tree(store / "corpora") == wanted


def test_a_source_in_which_nothing_is_whole_publishes_nothing(tmp_path: Path) -> None:
    source = tedlium.write(tmp_path, UTTERANCES).path
    for path in source.rglob("*.sph"):
        path.write_bytes(b"")
    with pytest.raises(CorporaError) as caught:
        run("tedlium", source, tmp_path / "store")
    assert caught.value.exit_status == 3
    assert not list((tmp_path / "store").glob("corpora/*/current"))

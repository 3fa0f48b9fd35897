"""`make soak-import`, faults for all importers: [SEED=1] [COUNT=600] [KILLS=200] [KINDS=600] [DISKS=12] [PAIRS=no].

Listens first to KINDS odd and damaged recordings, texts and archives (soak_kinds.py). Then injects at least COUNT faults
into invented archives of all layouts and their tar.gz or zip, each import followed by the question: is every row either
bit-exact or missing with its reason? Then kills imports with SIGKILL at KILLS random moments, fills the disk (a
file-size limit and, as root, a tmpfs) and lets two importers loose at once, and compares what a re-run leaves with an
undisturbed run. Prints a table; ends with 1 at the first wrong thing let in. A campaign may be run in pieces, each with a
seed of its own: COUNT=0 KINDS=0 DISKS=0 PAIRS=no KILLS=48 kills only.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import random
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pyarrow.parquet as pq

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import common_voice, donated, faults, fisher, librispeech, switchboard, tedlium, tones
from native.errors import SpeechmillError
from scripts import soak_kinds

LAYOUTS = {
    "librispeech": librispeech,
    "tedlium": tedlium,
    "fisher": fisher,
    "switchboard": switchboard,
    "common_voice": common_voice,
    "donated": donated,
}
SOUND_AND_TEXT = ("audio_sha256", "text", "channel", "num_samples")
EXACT = (*SOUND_AND_TEXT, "speaker_id")
SHARE = 0.4  # of the sound files that are damaged in one import
UTTERANCES = tones.utterances(speakers_per_split=3, each=2)


class Wrong(Exception):
    """Something wrong was let in, or a re-run did not repair."""


@dataclass
class Campaign:
    """Running counts: injections by kind, and how the rows they could touch ended."""

    injected: Counter[str] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    imports: int = 0


def imported(name: str, source: Path, store: Path) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
    """Rows by id and rejections of one import; nothing importable gives neither.

    Raises:
        CorporaError: nothing could be published.
    """
    said = refresh(RefreshRequest(importer=name, sources=(source,), name=name, store=store, workers=1))
    path = Path(said["path"])
    rows = [
        row for shard in sorted(path.glob("*/part-*.parquet")) for row in pq.read_table(shard).to_pylist()
    ]
    by_id = {row["utterance_id"]: row for row in rows}
    if len(by_id) != len(rows):
        raise Wrong(f"{name}: an utterance id stands in two rows")
    return by_id, pq.read_table(path / "rejections.parquet").to_pylist()


def explains(rejection: dict[str, Any], row: dict[str, Any]) -> bool:
    """Whether a rejection is of this row, of the transcript that lost its recording, or of the whole archive."""
    if rejection["utterance_id"] == row["utterance_id"]:
        return True
    transcript = row["recording_id"].replace("sw0", "sw")  # Switchboard's recordings have one zero more
    named = transcript in rejection["source_path"] or row["source_path"] == rejection["source_path"]
    return named or rejection["check"] == "archive_truncated"


def judge(clean: dict[str, dict[str, Any]], hurt: Any, told: str, campaign: Campaign) -> None:
    """Every row of the clean import is exact or missing with a reason; none is new."""
    rows, rejections = hurt
    if not set(rows) <= set(clean):
        raise Wrong(
            f"{told}: rows that the undamaged archive does not have: {sorted(set(rows) - set(clean))}"
        )
    for key, row in clean.items():
        if key in rows:
            # A table of speakers may be behind the cut of an archive: ids then come from the recordings, as told.
            columns = SOUND_AND_TEXT if any(r["check"] == "archive_truncated" for r in rejections) else EXACT
            changed = [column for column in columns if rows[key][column] != row[column]]
            if changed:
                raise Wrong(f"{told}: {key} was let in with another {', '.join(changed)}")
            campaign.ended["row bit-exact"] += 1
        elif any(explains(rejection, row) for rejection in rejections):
            campaign.ended["row absent, reason given"] += 1
        else:
            raise Wrong(f"{told}: {key} is missing and no rejection says why")


def inject(name: str, seed: int, folder: Path, campaign: Campaign) -> None:
    """One damaged import of a layout's sound files, one of its packed archive."""
    clean, _ = imported(name, LAYOUTS[name].write(folder / "clean", UTTERANCES).path, folder / "store-clean")
    chance = random.Random(f"{name} {seed}")
    source = LAYOUTS[name].write(folder / "files", UTTERANCES).path
    done = faults.damage(source, chance, SHARE)
    campaign.injected.update(done.values())
    _import_hurt(name, source, clean, (f"{name} seed {seed} {done}", folder / "store-files"), campaign)
    packed = _packed(LAYOUTS[name].write(folder / "packed", UTTERANCES).path)
    fault = chance.choice(faults.ARCHIVE_FAULTS)
    damaged = fault(packed.read_bytes(), chance)
    packed.write_bytes(damaged or b"")
    kind = f"{'zip' if packed.suffix == '.zip' else 'tar.gz'} {fault.__name__}"
    campaign.injected[kind] += 1
    exact = {row["utterance_id"]: row | {"source_path": packed.name} for row in clean.values()}
    _import_hurt(name, packed, exact, (f"{name} seed {seed} {kind}", folder / "store-packed"), campaign)


def _import_hurt(name: str, source: Path, clean: Any, place: tuple[str, Path], campaign: Campaign) -> None:
    told, store = place
    campaign.imports += 1
    try:
        hurt = imported(name, source, store)
    except SpeechmillError as error:
        if error.exit_status not in (2, 3) or not str(error):
            raise Wrong(f"{told}: ended with status {error.exit_status}: {error}") from error
        campaign.ended["nothing published, sentence given"] += 1
        return
    judge(clean, hurt, told, campaign)


def _packed(path: Path) -> Path:
    if path.is_file():
        return path
    target = path.parent / f"{path.name}.tar.gz"
    with tarfile.open(target, "w:gz") as tar:
        tar.add(path, path.name)
    return target


def tree(path: Path) -> dict[str, str]:
    """Every file and link below a folder with its hash or target."""
    return {
        file.relative_to(path).as_posix(): (
            str(file.readlink()) if file.is_symlink() else hashlib.sha256(file.read_bytes()).hexdigest()
        )
        for file in sorted(path.rglob("*"))
        if file.is_symlink() or file.is_file()
    }


def settled(store: Path, wanted: dict[str, str], told: str) -> None:
    """What lies under final names is whole: a part of what a calm run leaves.

    Raises:
        Wrong: a final name holds something else.
    """
    left = tree(store / "corpora") if (store / "corpora").is_dir() else {}
    final = {key: value for key, value in left.items() if not Path(key).name.startswith(".")}
    if final != {key: value for key, value in wanted.items() if key in final}:
        raise Wrong(f"{told}: something half-written lies under a final name")


def kill_at_random(name: str, kills: int, seed: int, folder: Path) -> int:
    """SIGKILL at random moments of one import after the other into one store; then a calm run must repair it.

    Answers how many were killed before they were done.

    Raises:
        Wrong: something half-written, an import that failed by itself, or other bytes in the end.
    """
    source = LAYOUTS[name].write(folder / "source", UTTERANCES).path
    imported(name, source, folder / "warm")
    began = time.monotonic()
    imported(name, source, folder / "calm")
    whole_s = time.monotonic() - began
    wanted = tree(folder / "calm" / "corpora")
    chance, store, killed = random.Random(f"{name} {seed}"), folder / "killed", 0
    for number in range(kills):
        child = os.fork()
        if child == 0:
            _import_and_exit(name, source, store)
        time.sleep(chance.uniform(0.0, 1.1) * whole_s)
        os.kill(child, signal.SIGKILL)
        ended = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if ended > 0:
            raise Wrong(f"{name}, kill {number}: the import failed before it was killed")
        killed += ended == -signal.SIGKILL
        settled(store, wanted, f"{name}, kill {number}")
        if chance.random() < 0.3:
            shutil.rmtree(store, ignore_errors=True)
    imported(name, source, store)
    if tree(store / "corpora") != wanted:
        raise Wrong(f"{name}: a run after {kills} kills left other bytes than an undisturbed one")
    return killed


def _import_and_exit(name: str, source: Path, store: Path) -> NoReturn:
    """The life of a forked child, which never comes back into the campaign."""
    try:
        os.setsid()
        imported(name, source, store)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


@contextmanager
def _small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """A tmpfs of that size; needs root."""
    folder.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_bytes}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill_the_disk(name: str, steps: int, folder: Path) -> int:
    """Imports onto disks of growing size until one is large enough; answers how many were full.

    Raises:
        Wrong: a full disk did not end in a sentence, or left something half-written.
    """
    source = LAYOUTS[name].write(folder / "source", UTTERANCES).path
    imported(name, source, folder / "calm")
    wanted = tree(folder / "calm" / "corpora")
    need = sum(path.stat().st_size for path in (folder / "calm").rglob("*") if path.is_file())
    full = 0
    for step in range(1, steps + 1):
        with _small_disk(folder / f"disk-{step}", max(4096, need * 2 * step // steps)) as disk:
            try:
                imported(name, source, disk / "store")
            except SpeechmillError as error:
                full += 1
                if "disk is full" not in str(error):
                    raise Wrong(f"{name}: a full disk ended with {error}") from error
            settled(disk / "store", wanted, f"{name}, disk {step} of {steps}")
    return full


def two_at_once(name: str, folder: Path, root: Path) -> None:
    """Two processes import the same source into one store at the same time.

    Raises:
        Wrong: one failed without saying who works on it, or the result differs.
    """
    source = LAYOUTS[name].write(folder / "source", UTTERANCES).path
    imported(name, source, folder / "calm")
    command = [
        sys.executable,
        "-m",
        "corpora",
        "refresh",
        name,
        "--source",
        str(source),
        "--as",
        name,
        "--json",
    ]
    command += ["--store", str(folder / "both")]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    running = [
        subprocess.Popen(
            command, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in running:
        _, said = process.communicate(timeout=600)
        if process.returncode != 0:
            raise Wrong(
                f"{name}: of two imports at once one ended with {process.returncode}: {said.decode()[-400:]}"
            )
    if tree(folder / "both" / "corpora") != tree(folder / "calm" / "corpora"):
        raise Wrong(f"{name}: two imports at once left other bytes than one")


@dataclass(frozen=True)
class Amount:
    """How much of each: faults, SIGKILLs and disks that are too small over all layouts, and whether two run at once."""

    count: int
    kills: int
    disks: int
    pairs: bool = True


def campaign(seed: int, amount: Amount) -> Campaign:
    """All of it; raises Wrong at the first wrong thing."""
    counts = Campaign()
    root = Path(__file__).resolve().parents[1]
    with tempfile.TemporaryDirectory(prefix="soak-import-") as place:
        folder, number = Path(place), 0
        while counts.injected.total() < amount.count:
            for name in LAYOUTS:
                inject(name, seed + number, folder / "inject", counts)
                shutil.rmtree(folder / "inject")
            number += 1
        for position, name in enumerate(LAYOUTS):
            share = amount.kills // len(LAYOUTS) + (position < amount.kills % len(LAYOUTS))
            if share:
                killed = kill_at_random(name, share, seed, folder / "kill")
                counts.ended["SIGKILL before the end, repaired by the next run"] += killed
                counts.ended["SIGKILL too late, the import was done"] += share - killed
                shutil.rmtree(folder / "kill")
            if amount.disks and os.geteuid() == 0:
                counts.ended["full disk, sentence given"] += fill_the_disk(
                    name, amount.disks, folder / "disk"
                )
                shutil.rmtree(folder / "disk")
            if amount.pairs:
                two_at_once(name, folder / f"two-{name}", root)
                counts.ended["two at once, same bytes"] += 1
    return counts


def listening(seed: int, count: int) -> soak_kinds.Heard:
    """The campaign of soak_kinds.py, up to so many injections; raises its Wrong at the first wrong thing."""
    heard, number = soak_kinds.Heard(), 0
    while heard.injected.total() < count:
        with tempfile.TemporaryDirectory(prefix="soak-kinds-") as place:
            soak_kinds.listen(seed * 1_000_000 + number, Path(place), heard)
        number += 1
    return heard


def _tell_heard(heard: soak_kinds.Heard, seed: int) -> None:
    total, kinds = heard.injected.total(), len(heard.injected)
    print(
        f"{total} recordings, texts and archives of {kinds} kinds in {heard.imports} imports, heard: 0 wrong, seed {seed}"
    )
    for name, number in [*sorted(heard.ended.items()), *sorted(heard.injected.items())]:
        print(f"  {name}: {number}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign and print its counts; 1 at the first wrong thing."""
    parser = argparse.ArgumentParser(prog="scripts/soak_import.py", description="Damage imports and look.")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=600, help="faults to inject at least (default 600)")
    parser.add_argument("--kills", type=int, default=200, help="SIGKILLs over all layouts (default 200)")
    parser.add_argument(
        "--kinds", type=int, default=600, help="faults that are listened to, at least (default 600)"
    )
    parser.add_argument(
        "--disks", type=int, default=12, help="disk sizes to fill per layout, as root (default 12)"
    )
    parser.add_argument(
        "--no-pairs", action="store_false", dest="pairs", help="let no two imports loose at once"
    )
    options = parser.parse_args(arguments)
    amount = Amount(options.count, options.kills, options.disks, options.pairs)
    logging.disable(logging.WARNING)
    began = time.monotonic()
    try:
        heard = listening(options.seed, options.kinds)
        counts = campaign(options.seed, amount)
    except (Wrong, soak_kinds.Wrong) as wrong:
        print(f"soak-import: WRONG: {wrong}", file=sys.stderr)
        return 1
    _tell_heard(heard, options.seed)
    total, kinds = counts.injected.total(), len(counts.injected)
    print(
        f"{total} faults of {kinds} kinds in {counts.imports} imports, 0 accepted in silence, seed {options.seed}"
    )
    for name, number in sorted(counts.ended.items()):
        print(f"  {name}: {number}")
    for name, number in sorted(counts.injected.items()):
        print(f"  injected {name}: {number}")
    print(f"{time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

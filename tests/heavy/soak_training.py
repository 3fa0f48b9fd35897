"""Trainings that are killed, torn and starved of disk: does every run end, and with the weights it would have had?

    make soak-training [SEED=1] [COUNT=50]

Each round trains the same small run anew in a store of its own, every step saved, and disturbs it: kill −9 at a random
moment, kill −9 while a checkpoint is being written, kill −9 of one of two workers, a newest checkpoint that is torn or
holds a wrong bit, a disk (as root, a tmpfs) that fills up while saving and is freed. Then the same run is started again
until it ends. Lost: it does not end, or began anew though a checkpoint was there. Other: its weights differ in a bit from
those of the undisturbed run. Ends with 1 where one of these was seen. Processes are forked from one that has
TensorFlow loaded, so that a start costs seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from store.store import Store
from tests.training.conftest import publish_corpus, small_config, tone_clips
from training.network.checkpoint import newest_checkpoint
from training.network.config import LoopConfig, TrainingConfig
from training.network.workers.cluster import Cluster
from training.network.workers.launch import free_ports
from training.runs import run_id_for, train_in_store

_ENDS_WITHIN_S = 240.0  # a process that is not through by then counts as hung
_WORKERS_END_WITHIN_S = 120.0  # after one of them was killed
Weights = dict[str, bytes]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the campaign, print the counts."""
    parser = argparse.ArgumentParser(prog="soak-training", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="of moments and damage (default 1)")
    parser.add_argument("--count", type=int, default=50, help="rounds (default 50)")
    parser.add_argument("--kinds", nargs="+", default=[*KINDS], choices=[*KINDS], help="disturbances")
    parser.add_argument("--seconds", type=float, default=0.0, help="begin no round after so many seconds")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="soak-training-") as folder:
        soak = Soak(Path(folder), options.seed)
        counts = soak.campaign(options.count, options.kinds, options.seconds)
    for name, count in sorted(counts.items()):
        sys.stdout.write(f"{count:6} {name}\n")
    return 1 if any(name.startswith("WRONG") for name in counts) else 0


@dataclass
class Soak:
    """One campaign in a folder."""

    folder: Path
    seed: int
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        import tensorflow  # noqa: F401  loaded once, before any process is forked

        self.chance = random.Random(self.seed)
        self.store = Store(self.folder / "store")
        train, dev = tone_clips(40, 1, prefix="train"), tone_clips(6, 2, prefix="dev")
        publish_corpus(self.store, "tones", {"train": train, "dev": dev})
        loop = LoopConfig(epochs=6, batch_size=8, threads=1, checkpoint_every_s=0.0, dev_every_epochs=2)
        self.config: TrainingConfig = small_config(loop=loop)
        self.run_dir = self.store.runs_dir / run_id_for(self.config, self.store)
        self.wanted: dict[int, Weights] = {}
        self.lasts_s: dict[int, float] = {}

    def campaign(self, count: int, kinds: Sequence[str], seconds: float = 0.0) -> Counter[str]:
        """So many rounds of these kinds in turn; answers what was done and what went wrong."""
        begun = time.monotonic()
        for number in range(count):
            if seconds and time.monotonic() - begun > seconds:
                break
            kind = kinds[number % len(kinds)]
            world = 2 if kind == "one of two workers killed" else 1
            self._undisturbed(world)
            shutil.rmtree(self.run_dir, ignore_errors=True)
            KINDS[kind](self, world)
            self.counts[f"rounds: {kind}"] += 1
            self._end(world, kind)
            sys.stderr.write(f"{number + 1} of {count}: {kind}\n")
        return self.counts

    def _undisturbed(self, world: int) -> None:
        """The weights that every run of so many workers must end with."""
        if world in self.wanted:
            return
        shutil.rmtree(self.run_dir, ignore_errors=True)
        begun = time.monotonic()
        if any(self.wait(self.begin(world))):
            raise SystemExit(f"the undisturbed run failed: {self.said()}")
        self.lasts_s[world] = time.monotonic() - begun
        self.wanted[world] = self.weights()

    def _end(self, world: int, kind: str) -> None:
        """Start again until the run ends; its weights must be the undisturbed one's."""
        for _ in range(3):
            before = newest_checkpoint(self.run_dir / "checkpoints")
            status = self.wait(self.begin(world))
            if before is not None and not self.went_on_from(before.step):
                self.counts[f"WRONG: began anew ({kind})"] += 1
            if not any(status):
                break
        else:
            self.counts[f"WRONG: lost ({kind})"] += 1
            sys.stderr.write(self.said() + "\n")
            return
        same = self.weights() == self.wanted[world]
        self.counts["ended with the undisturbed run's weights" if same else f"WRONG: other ({kind})"] += 1

    def went_on_from(self, step: int) -> bool:
        """Whether the last start found this checkpoint, or a run that had ended already."""
        said = (self.folder / "said-0").read_text()
        return f"going on from the checkpoint of step {step} " in said or "is finished already" in said

    def begin(self, world: int = 1) -> list[int]:
        """Processes of the run, forked; what they say goes into files."""
        workers = tuple(f"127.0.0.1:{port}" for port in free_ports(world)) if world > 1 else ()
        return [self._fork(Cluster(workers, rank)) for rank in range(world)]

    def _fork(self, cluster: Cluster) -> int:
        sys.stdout.flush()
        sys.stderr.flush()
        process = os.fork()
        if process:
            return process
        status = 1
        try:
            output = os.open(
                self.folder / f"said-{cluster.rank}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600
            )
            os.dup2(output, 2)
            if cluster.world > 1:
                os.environ["TF_CONFIG"] = json.dumps(cluster.as_tf_config())
            import logging

            logging.basicConfig(level=logging.INFO, stream=sys.stderr, force=True)
            train_in_store(self.config, self.store)
            status = 0
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            sys.stderr.flush()
            os._exit(status)

    def wait(self, processes: Sequence[int], within_s: float = _ENDS_WITHIN_S) -> list[int]:
        """Exit statuses; what does not end in time is killed, counted and answers 9."""
        until = time.monotonic() + within_s
        status: dict[int, int] = {}
        while len(status) < len(processes):
            for one in processes:
                if one in status:
                    continue
                ended, code = os.waitpid(one, os.WNOHANG)
                if ended:
                    status[one] = os.waitstatus_to_exitcode(code)
                elif time.monotonic() > until:
                    os.kill(one, signal.SIGKILL)
                    os.waitpid(one, 0)
                    status[one] = 9
                    self.counts["WRONG: hung"] += 1
            time.sleep(0.01)
        return [status[one] for one in processes]

    def weights(self) -> Weights:
        """Every array of the newest checkpoint as bytes, and of the best one."""
        newest = newest_checkpoint(self.run_dir / "checkpoints")
        if newest is None:
            return {}
        return {
            "step": str(newest.step).encode(),
            **{name: np.asarray(newest.arrays[name]).tobytes() for name in newest.arrays},
        }

    def said(self) -> str:
        """What the processes of the last start wrote."""
        return "".join(path.read_text() for path in sorted(self.folder.glob("said-*")))[-4000:]

    def newest(self) -> Path | None:
        """The newest checkpoint's file."""
        return max((self.run_dir / "checkpoints").glob("step-*.npz"), default=None)

    def kill(self, process: int) -> None:
        """SIGKILL, and the process is gone."""
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        self.counts["kill -9"] += 1


def at_a_moment(soak: Soak, world: int) -> None:
    """Kill up to three starts of one run, each at a moment of its own."""
    for _ in range(soak.chance.randint(1, 3)):
        process = soak.begin()[0]
        time.sleep(soak.chance.uniform(0, soak.lasts_s[world]))
        soak.kill(process)


def while_saving(soak: Soak, world: int) -> None:
    """Kill when a checkpoint has just been begun, some steps on."""
    process = soak.begin()[0]
    passed, wanted = 0, soak.chance.randint(1, 20)
    seen: set[str] = set()
    until = time.monotonic() + _ENDS_WITHIN_S
    while passed < wanted and time.monotonic() < until and os.waitpid(process, os.WNOHANG) == (0, 0):
        for path in (soak.run_dir / "checkpoints").glob(".*.tmp"):
            passed += path.name not in seen
            seen.add(path.name)
    try:
        soak.kill(process)
    except ProcessLookupError:
        return  # it ended first
    soak.counts["kill -9 while saving"] += 1


def one_of_two(soak: Soak, world: int) -> None:
    """Kill one of two workers: the other ends by itself."""
    processes = soak.begin(2)
    time.sleep(soak.chance.uniform(0, soak.lasts_s[world]))
    victim = processes.pop(soak.chance.randrange(2))
    soak.kill(victim)
    begun = time.monotonic()
    soak.wait(processes, _WORKERS_END_WITHIN_S)
    soak.counts["seconds until the other worker ended, summed"] += round(time.monotonic() - begun)


def torn(soak: Soak, world: int) -> None:
    """Kill behind the first checkpoints, then damage the newest."""
    process = soak.begin()[0]
    until = time.monotonic() + _ENDS_WITHIN_S
    wanted = soak.chance.randint(2, 25)
    while time.monotonic() < until and os.waitpid(process, os.WNOHANG) == (0, 0):
        newest = soak.newest()
        if newest is not None and int(newest.stem[5:]) >= wanted:
            break
        time.sleep(0.005)
    with suppress(ProcessLookupError):  # it ended first
        soak.kill(process)
    newest = soak.newest()
    if newest is None or not any(one != newest for one in newest.parent.glob("step-*.npz")):
        return
    content = bytearray(newest.read_bytes())
    kind = soak.chance.choice(("cut", "bit", "empty", "zeros"))
    if kind == "bit":
        content[soak.chance.randrange(len(content))] ^= 1 << soak.chance.randrange(8)
    elif kind == "zeros":
        start = soak.chance.randrange(len(content))
        content[start:] = bytes(len(content) - start)
    else:
        del content[0 if kind == "empty" else soak.chance.randrange(len(content)) :]
    newest.unlink()  # the best one may be a second name of it
    newest.write_bytes(content)
    soak.counts[f"newest checkpoint damaged: {kind}"] += 1


def full_disk(soak: Soak, world: int) -> None:
    """The run's folder lies on a disk that is full when the third checkpoint or so is written."""
    if os.geteuid() != 0:
        soak.counts["no disk was filled: that needs root"] += 1
        return
    soak.run_dir.mkdir(parents=True)
    size_kb = soak.chance.randint(150, 420)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", str(soak.run_dir)]
    subprocess.run(mount, check=True)
    try:
        status = soak.wait(soak.begin())
        if status == [0]:
            soak.counts["disks that were large enough"] += 1
        elif status == [1] and "space" in soak.said() and "Traceback" not in soak.said():
            soak.counts["disk full, ended in a sentence"] += 1
        else:
            soak.counts["WRONG: a full disk without a sentence"] += 1
            sys.stderr.write(soak.said() + "\n")
        kept = soak.folder / "kept"
        shutil.copytree(soak.run_dir, kept)
    finally:
        subprocess.run(["umount", "-l", str(soak.run_dir)], check=True)
    soak.run_dir.rmdir()
    kept.rename(soak.run_dir)


KINDS: dict[str, Callable[[Soak, int], None]] = {
    "killed at random moments": at_a_moment,
    "killed while saving": while_saving,
    "newest checkpoint torn": torn,
    "disk full while saving": full_disk,
    "one of two workers killed": one_of_two,
}

if __name__ == "__main__":
    sys.exit(main())

"""The service under kill −9, on a full disk and with fifty volunteers at once: nothing that was acknowledged is lost."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collect"))
from collect_sounds import voice, wav

from collect.database.engine import Database
from collect.database.tables import Clip, Vote
from demo.collecting.service import Caller, Service

pytestmark = pytest.mark.slow
WORDS = (
    "sailor",
    "queen",
    "miller",
    "baker",
    "knight",
    "farmer",
    "captain",
    "boat",
    "river",
    "harbour",
    "letter",
)
KILLS, PEOPLE = 50, 50


def sentences(count: int) -> str:
    rng = random.Random(1)
    lines: dict[str, None] = {}
    while len(lines) < count:
        lines[" ".join(["the", *rng.sample(WORDS, 3)])] = None
    return "\n".join(lines) + "\n"


@pytest.fixture
def service(tmp_path: Path) -> Any:
    (tmp_path / "s.txt").write_text(sentences(900))
    made = Service(tmp_path / "collect", tmp_path / "store")
    arguments = (
        "--open",
        "--text",
        str(tmp_path / "s.txt"),
        "--source",
        "our own",
        "--text-licence",
        "CC0-1.0",
    )
    made.command("campaign", "harbour", *arguments)
    yield made
    made.stop(kill=True)


def rows(service: Service) -> tuple[list[Clip], list[Vote]]:
    database = Database(f"sqlite:///{service.folder / 'collect.sqlite'}")
    with database.reading() as session:
        found = list(session.scalars(select(Clip))), list(session.scalars(select(Vote)))
    database.close()
    return found


class Work(threading.Thread):
    """A volunteer who speaks and votes until told to stop, and remembers what was acknowledged."""

    def __init__(self, service: Service, seed: int, stop: threading.Event, patience_s: float) -> None:
        super().__init__(daemon=True)
        self.caller = Caller(service.url, "harbour", patience_s)
        self.seed, self.stopped = seed, stop
        self.clips: set[str] = set()
        self.votes: set[str] = set()
        self.faults: list[str] = []
        self.pause_s = 0.0

    def run(self) -> None:
        try:
            self.caller.join()
            number = 0
            while not self.stopped.is_set():
                self.turn(number)
                number += 1
        except Exception as error:
            self.faults.append(repr(error))

    def turn(self, number: int) -> None:
        for task in self.caller.tasks(1):
            take = str(uuid.uuid4())
            data = wav(voice(self.seed * 10_000 + number, syllables=14))
            _, answer = self.caller.send(task["id"], data, take)
            if answer.status_code == 200 and answer.json()["state"] == "waiting":
                self.clips.add(take)
            elif answer.status_code not in {200, 409}:
                self.faults.append(f"finish {answer.status_code} {answer.text[:200]}")
        time.sleep(self.pause_s)
        for clip in self.caller.to_judge(2):
            self.caller.hear(clip["id"])
            answer = self.caller.vote(clip["id"], True)
            if answer.status_code == 200:
                self.votes.add(clip["id"])
            elif answer.status_code not in (404, 409):
                self.faults.append(f"vote {answer.status_code} {answer.text[:200]}")
        time.sleep(self.pause_s)


@pytest.mark.timeout(900)
def test_fifty_kills_lose_and_double_nothing(service: Service) -> None:
    rng, stop = random.Random(7), threading.Event()
    service.start()
    workers = [Work(service, seed, stop, patience_s=300.0) for seed in range(4)]
    for worker in workers:
        worker.start()
    for _ in range(KILLS):
        time.sleep(rng.uniform(0.3, 3.0))
        service.stop(kill=True)
        service.start()
    time.sleep(2)
    stop.set()
    for worker in workers:
        worker.join(330)
    service.stop()
    assert not [fault for worker in workers for fault in worker.faults]
    clips, votes = rows(service)
    acknowledged = set().union(*(worker.clips for worker in workers))
    there = [clip.id for clip in clips]
    assert len(acknowledged) >= 20 and acknowledged <= set(there), "acknowledged clips are there"
    assert len(there) == len(set(there)) and len({c.samples_sha256 for c in clips}) == len(clips)
    for clip in clips:
        path = service.folder / "sound/harbour" / clip.sound_sha256[:2] / f"{clip.sound_sha256}.flac"
        assert path.is_file(), "every row has its sound"
        cast = [vote for vote in votes if vote.clip_number == clip.number]
        assert (clip.yes, clip.no) == (sum(v.yes for v in cast), sum(not v.yes for v in cast))
    said = sum(len(worker.votes) for worker in workers)
    assert said <= len(votes) + sum(1 for clip in clips if clip.state == "accepted") * 4
    numbers = {clip.id: clip.number for clip in clips}
    cast_on = {vote.clip_number for vote in votes}
    assert all(numbers[clip] in cast_on for worker in workers for clip in worker.votes)
    print(
        f"\n{KILLS} kills: {len(acknowledged)} clips and {said} votes acknowledged, all there; {len(clips)} clips"
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small file system")
def test_a_full_disk_acknowledges_nothing_and_recovers(service: Service, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no file system can be mounted here")
    try:
        filled = Service(small / "collect", tmp_path / "store")
        (small / "collect").mkdir()
        filled.command(
            "campaign", "harbour", "--open", "--text", str(tmp_path / "s.txt"), "--source", "our own"
        )
        filled.start()
        caller = Caller(filled.url, "harbour")
        caller.join()
        kept, refused = [], 0
        tasks = caller.tasks(20)
        ballast = small / "ballast"
        for number, task in enumerate(tasks):
            if number == 5:
                with pytest.raises(OSError), ballast.open("wb") as stream:
                    while True:
                        stream.write(b"x" * 4096)
                        stream.flush()
            if number == 12:
                ballast.unlink()
            take, answer = caller.send(task["id"], wav(voice(900 + number, syllables=14)))
            if answer.status_code == 200 and answer.json()["state"] == "waiting":
                kept.append(take)
            else:
                assert answer.status_code in (507, 500, 404, 409), (answer.status_code, answer.text[:200])
                refused += 1
        filled.stop()
        clips, _ = rows(filled)
        assert {clip.id for clip in clips} == set(kept) and len(kept) >= 10 and refused >= 3, (
            len(kept),
            refused,
        )
    finally:
        filled.stop(kill=True)
        subprocess.run(["umount", str(small)], check=False)


def test_fifty_volunteers_at_once_are_answered_without_an_error(service: Service) -> None:
    """How quickly is printed and not judged: that says more of what else the machine does."""
    service.start()
    stop = threading.Event()
    workers = [Work(service, 100 + seed, stop, patience_s=0.0) for seed in range(PEOPLE)]
    rng = random.Random(3)
    for worker in workers:
        worker.pause_s = rng.uniform(3.0, 6.0)  # a person reads and listens
        worker.start()
        time.sleep(0.1)
    time.sleep(30)
    stop.set()
    for worker in workers:
        worker.join(60)
    assert not [fault for worker in workers for fault in worker.faults]
    taken: dict[str, list[float]] = {}
    for worker in workers:
        for kind, seconds in worker.caller.seconds:
            taken.setdefault(kind, []).append(1000 * seconds)
    p95 = {kind: float(np.quantile(values, 0.95)) for kind, values in taken.items()}
    told = ", ".join(f"{kind} {p95[kind]:.0f} ({len(taken[kind])})" for kind in sorted(taken))
    print(f"\n{PEOPLE} volunteers, p95 in ms (calls): {told}")
    assert set(p95) >= {"finish", "sound", "tasks", "vote"}


def test_it_starts_quickly_and_stays_small(service: Service) -> None:
    import psutil

    seconds = service.start()
    assert service.process is not None
    process = psutil.Process(service.process.pid)
    cpu_s = sum(process.cpu_times()[:2])
    caller = Caller(service.url, "harbour")
    caller.join()
    for seed, task in enumerate(caller.tasks(3)):
        caller.send(task["id"], wav(voice(seed, syllables=14)))
    time.sleep(3)
    megabytes = process.memory_info().rss / 1e6
    print(f"\nstarted in {seconds:.2f} s ({cpu_s:.2f} s of CPU); {megabytes:.0f} MB after three recordings")
    assert cpu_s <= 2.0 and megabytes <= 150

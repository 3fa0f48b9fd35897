"""A second refresh does only what changed; caches may vanish at any time; two at once do not disturb."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
import signal
import time
from pathlib import Path
from typing import Any

import pytest
import soundfile

from corpora.refresh import groups
from corpora.refresh import plan as stage
from corpora.refresh.bundles import plan_bundles, run_bundle, seal_bundles
from corpora.refresh.plan import RefreshRequest, plan_refresh
from corpora.refresh.stage import refresh, run_group, seal
from demo.layouts import files, librispeech, tones
from store.errors import StoreError
from store.opening import open_store
from store.writing import read_json


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "GROUP_BYTES", 60_000)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=2, each=3)).path


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Recordings that were decoded."""
    seen: list[str] = []
    real = groups.cut

    def noted(recording: Any, ref: Any) -> Any:
        seen.append(ref.member)
        return real(recording, ref)

    monkeypatch.setattr(groups, "cut", noted)
    return seen


def request(tree: Path, store: Path, **more: Any) -> RefreshRequest:
    return RefreshRequest("librispeech", (tree,), store=store, **more)


def hashes(root: Path) -> dict[str, str]:
    files_there = sorted(p for p in (root / "corpora").rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files_there}


def change_one(tree: Path) -> Path:
    """Make one recording quieter; its FLAC stays whole."""
    path = sorted(tree.glob("train-*/*/*/*.flac"))[0]
    samples, rate_hz = soundfile.read(path, dtype="int16")
    soundfile.write(path, samples // 2, rate_hz)
    return path


def inodes(store: Path, answer: dict[str, Any]) -> dict[str, int]:
    manifest = open_store(store).corpus("librispeech", answer["version"]).manifest
    folder = store / "corpora" / "librispeech" / answer["version"]
    return {shard["sha256"]: (folder / shard["path"]).stat().st_ino for shard in manifest["shards"]}


def test_one_changed_file_decodes_its_group_and_writes_one_shard(
    tree: Path, tmp_path: Path, made: list[str]
) -> None:
    first = refresh(request(tree, tmp_path / "store"))
    whole = len(made)
    changed = change_one(tree)
    made.clear()
    second = refresh(request(tree, tmp_path / "store"))
    assert changed.relative_to(tree).as_posix() in made
    assert len(made) <= whole // 3
    before, after = inodes(tmp_path / "store", first), inodes(tmp_path / "store", second)
    assert len(set(after) - set(before)) == 1
    assert {key: after[key] for key in set(before) & set(after)} == {
        key: before[key] for key in set(before) & set(after)
    }
    refresh(request(tree, tmp_path / "fresh"))
    fresh = hashes(tmp_path / "fresh")
    assert fresh == {key: value for key, value in hashes(tmp_path / "store").items() if key in fresh}


def test_a_copied_or_touched_source_is_read_but_not_decoded(
    tree: Path, tmp_path: Path, made: list[str]
) -> None:
    first = refresh(request(tree, tmp_path / "store"))
    made.clear()
    copy = tmp_path / "elsewhere" / tree.name
    shutil.copytree(tree, copy)
    second = refresh(request(copy, tmp_path / "store"))
    assert second["version"] == first["version"]
    assert made == []


@pytest.mark.parametrize("what", ["measures", "fingerprint"])
def test_groups_measured_by_another_version_are_made_anew(
    tree: Path, tmp_path: Path, made: list[str], monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    first = refresh(request(tree, tmp_path / "store"))
    whole = len(made)
    made.clear()
    monkeypatch.setattr(f"corpora.audio.{what}.VERSION", 99)
    second = refresh(request(tree, tmp_path / "store"))
    assert len(made) == whole
    assert second["version"] != first["version"]
    manifest = open_store(tmp_path / "store").corpus("librispeech").manifest
    assert manifest[f"{what}_version"] == 99


@pytest.mark.parametrize(
    "lost", ["cache", "cache/groups", "cache/shards", "cache/refresh", "staging", "locks"]
)
def test_caches_may_be_deleted_at_any_time(tree: Path, tmp_path: Path, lost: str) -> None:
    store = tmp_path / "store"
    refresh(request(tree, store))
    plan = plan_refresh(request(tree, store, name="other"))
    run_group(plan, 0)
    shutil.rmtree(store / "cache" / "groups")
    assert seal(plan)["published"]
    change_one(tree)
    shutil.rmtree(store / lost)
    refresh(request(tree, store))
    refresh(request(tree, tmp_path / "fresh"))
    fresh = hashes(tmp_path / "fresh")
    assert fresh.items() <= hashes(store).items()


def test_a_damaged_shard_is_noticed_and_mended(tree: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    answer = refresh(request(tree, store))
    wanted = hashes(store)
    shard = next(Path(answer["path"]).glob("train/*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-100])
    assert [one.path for one in open_store(store).corpus("librispeech").find_damage()] == [
        f"train/{shard.name}"
    ]
    assert refresh(request(tree, store))["version"] == answer["version"]
    assert hashes(store) == wanted


def test_the_sound_of_published_groups_is_kept_once(tree: Path, tmp_path: Path) -> None:
    refresh(request(tree, tmp_path / "store"))
    assert not list((tmp_path / "store" / "cache").rglob("rows.parquet"))
    assert list((tmp_path / "store" / "cache").rglob("index.parquet"))


def test_two_schedulers_with_one_plan_both_end_well(tree: Path, tmp_path: Path) -> None:
    asked = request(tree, tmp_path / "store", workers=2)
    first, second = plan_bundles(asked), plan_bundles(asked)
    for bundle in [*first, *second]:
        run_bundle(bundle)
    answers = [seal_bundles(first), seal_bundles(second)]
    third = seal_bundles(plan_bundles(asked))
    assert {answer["version"] for answer in [*answers, third]} == {answers[0]["version"]}
    assert third["status"] == "unchanged"


def _refresh_in_child(tree: Path, store: Path, start: Any) -> None:
    start.wait()
    refresh(request(tree, store))


def test_two_refreshes_at_once_give_what_one_gives(tree: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    start = context.Event()
    children = [
        context.Process(target=_refresh_in_child, args=(tree, tmp_path / "store", start)) for _ in range(3)
    ]
    for child in children:
        child.start()
    start.set()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0, 0]
    refresh(request(tree, tmp_path / "fresh"))
    assert hashes(tmp_path / "fresh") == hashes(tmp_path / "store")


def test_a_lock_says_who_holds_it_and_dies_with_its_holder(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    child = os.fork()
    if child == 0:
        with store.lock("refresh-x"):
            (tmp_path / "held").touch()
            time.sleep(600)
        os._exit(0)
    while not (tmp_path / "held").exists():
        time.sleep(0.01)
    try:
        with (
            pytest.raises(StoreError, match=rf"process {child} on \S+ since \d+-\d\d-\d\d"),
            store.lock("refresh-x", wait_s=0.0),
        ):
            raise AssertionError("taken twice")
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    with store.lock("refresh-x", wait_s=0.0):
        pass


def test_a_worker_lists_no_source(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker holds must not grow with the source: it opens members by the plan alone."""
    from corpora.sources import folder as directories
    from corpora.sources import tars

    packed = files.pack(tree, tmp_path / "archive.tar.gz")
    plans = [plan_refresh(request(source, tmp_path / "store")) for source in (tree, packed)]

    def forbidden(self: Any) -> None:
        raise AssertionError("listed")

    monkeypatch.setattr(directories.DirectoryReader, "listing", forbidden)
    monkeypatch.setattr(tars.TarReader, "listing", forbidden)
    groups._readers.cache_clear()
    for plan in plans:
        for index in range(len(read_json(plan)["groups"])):
            assert run_group(plan, index)["accepted"] > 0

"""Who does the groups: progress in plain lines, and a Dask cluster that gives the same bytes."""

from __future__ import annotations

import hashlib
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from corpora.refresh import plan as stage
from corpora.refresh import workers
from corpora.refresh.bundles import plan_bundles, run_bundle
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh, run_group
from corpora.refresh.workers import GroupProgress
from demo.layouts import librispeech, tones
from store import console
from store.errors import UsageError
from store.writing import read_json

GROUPS = [{"cost": 1.0}, {"cost": 3.0}]


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(stage, "GROUP_BYTES", 60_000)
    return librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=2, each=3)).path


def hashes(root: Path) -> dict[str, str]:
    files = sorted(p for p in (root / "corpora").rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_progress_tells_items_hours_rejections_rate_and_time_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    clock = iter([100.0, 110.0, 140.0])
    monkeypatch.setattr(console.time, "monotonic", lambda: next(clock))
    with caplog.at_level(logging.INFO), GroupProgress("corpus", GROUPS) as progress:
        progress.add({"accepted": 10, "rejected": 1, "duration_s": 36.0}, 1.0)
        assert progress.line == "corpus: 25%, 10 utterances, 0.01 h, 1 rejected, 4× real time, 30 s left"
        progress.add({"accepted": 30, "rejected": 0, "duration_s": 3564.0}, 3.0)
    assert progress.line == "corpus: 100%, 40 utterances, 1.00 h, 1 rejected, 90× real time"
    assert [record.getMessage() for record in caplog.records][-1] == progress.line


def test_a_scheduler_that_starts_a_task_per_bundle_gets_the_same_lines(
    tree: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (bundle,) = plan_bundles(RefreshRequest("librispeech", (tree,), store=tmp_path / "store"))
    with caplog.at_level(logging.INFO, "progress"):
        done = run_bundle(bundle)
    assert any(f"{done['accepted']} utterances" in record.getMessage() for record in caplog.records)


def test_a_pool_is_only_for_what_is_not_done(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    plan_path = stage.plan_refresh(RefreshRequest("librispeech", (tree,), store=store))
    plan = read_json(plan_path)
    assert len(plan["groups"]) > 2
    for index in range(len(plan["groups"]) - 1):
        run_group(plan_path, index)
    monkeypatch.setattr(workers, "ProcessPoolExecutor", None)  # calling it would fail
    done = list(workers._pooled(plan_path, plan, 2))
    assert [result["reused"] for result in done] == [True] * (len(done) - 1) + [False]


def test_a_pool_begins_with_the_largest_group(
    tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan_path = stage.plan_refresh(RefreshRequest("librispeech", (tree,), store=tmp_path / "store"))
    plan = read_json(plan_path)
    asked: list[int] = []

    class Pool(ThreadPoolExecutor):
        def __init__(self, size: int, **_: Any) -> None:
            super().__init__(1)

        def submit(self, task: Any, /, *given: Any, **more: Any) -> Any:
            asked.append(given[1])
            return super().submit(task, *given, **more)

    monkeypatch.setattr(workers, "ProcessPoolExecutor", Pool)
    monkeypatch.setattr(workers.forkserver, "ensure_running", lambda: None)
    done = list(workers._pooled(plan_path, plan, 2))
    costs = [plan["groups"][index]["cost"] for index in asked]
    assert costs == sorted(costs, reverse=True) and len(set(costs)) > 1
    assert sorted(result["index"] for result in done) == sorted(asked) == [*range(len(plan["groups"]))]


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_bytes(tree: Path, tmp_path: Path, monkeypatch: Any) -> None:
    from distributed import LocalCluster

    monkeypatch.setenv("DASK_TEMPORARY_DIRECTORY", str(tmp_path))
    refresh(RefreshRequest("librispeech", (tree,), store=tmp_path / "alone"))
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        local_directory=str(tmp_path),
    ) as cluster:
        address = cluster.scheduler_address
        answer = refresh(RefreshRequest("librispeech", (tree,), store=tmp_path / "dask", dask=address))
    assert answer["published"]
    assert hashes(tmp_path / "dask") == hashes(tmp_path / "alone")


@pytest.mark.slow
def test_no_scheduler_is_said_in_a_sentence(tree: Path, tmp_path: Path, monkeypatch: Any) -> None:
    from corpora.refresh import dask_workers

    monkeypatch.setattr(dask_workers, "_CONNECT_S", 1)
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        refresh(RefreshRequest("librispeech", (tree,), store=tmp_path / "s", dask="tcp://127.0.0.1:9"))

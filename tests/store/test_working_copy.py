"""`--store URL`: commands on a store that lies elsewhere, here in fsspec's memory; S3 itself is in test_remote.py."""

from __future__ import annotations

import json
import logging
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest

from corpora.__main__ import main
from demo.layouts import librispeech, tones
from store.errors import StoreError, UsageError
from store.opening import open_store
from store.shared import lock as shared_locks
from store.shared import working_copy
from store.shared.lock import LockPlace, hold_shared
from store.shared.working_copy import open_shared

URL = "memory://bucket/store"
CORPUS = "/bucket/store/corpora/librispeech"


@pytest.fixture(scope="module")
def trees(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two sources of one corpus, the second with one utterance more a speaker."""
    first, second = (
        librispeech.write(
            tmp_path_factory.mktemp("tree"), tones.utterances(speakers_per_split=1, each=each)
        ).path
        for each in (1, 2)
    )
    return first, second


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty place, and working copies of this test's own."""
    monkeypatch.setenv("SPEECHMILL_COPIES", str(tmp_path / "copies"))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    files = fsspec.filesystem("memory")
    files.store.clear()
    yield files
    files.store.clear()


def command(capsys: pytest.CaptureFixture[str], *arguments: object) -> Any:
    """What a command answers as JSON; it must end well."""
    capsys.readouterr()
    assert main([*map(str, arguments), "--store", URL, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """From now on this is another machine: its working copy is empty."""
    monkeypatch.setenv("SPEECHMILL_COPIES", str(tmp_path / "another machine"))


def published(files: Any) -> dict[str, bytes]:
    return {path: files.cat_file(path) for path in files.find("/bucket/store/corpora")}


def test_every_command_works_on_a_shared_store(
    memory: Any,
    trees: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(capsys, "list")["corpora"] == {}
    first = command(capsys, "refresh", "librispeech", "--source", trees[0])
    assert first["path"] == f"{URL}/corpora/librispeech/{first['version']}"
    assert command(capsys, "refresh", "librispeech", "--source", trees[0])["status"] == "unchanged"
    assert not memory.find("/bucket/store/locks")
    elsewhere(monkeypatch, tmp_path)
    assert command(capsys, "list")["corpora"]["librispeech"]["version"] == first["version"]
    assert command(capsys, "show", "librispeech")["version"] == first["version"]
    second = command(capsys, "refresh", "librispeech", "--source", trees[1])
    assert second["utterances"] == 6
    found = command(capsys, "diff", "librispeech", first["version"])
    assert (found["from"], found["added"]["utterances"]) == (first["version"], 3)
    assert len(command(capsys, "history", "librispeech")["versions"]) == 2
    assert command(capsys, "report", "librispeech")["path"] == f"{URL}/reports/corpora/librispeech.html"
    assert b"<html" in memory.cat_file("/bucket/store/reports/corpora/librispeech.html")[:200]
    exported = command(capsys, "export", "librispeech", "--form", "nemo", "--to", tmp_path / "nemo")
    assert exported["utterances"] == 6
    gone = command(capsys, "withdraw", "librispeech", "--donor", "1001")
    assert sorted(gone["versions"]) == sorted([first["version"], second["version"]])
    assert json.loads(memory.cat_file(f"{CORPUS}/withdrawn.json")) == {"donors": ["1001"]}
    monkeypatch.delenv("SPEECHMILL_COPIES")
    monkeypatch.setenv("SPEECHMILL_COPIES", str(tmp_path / "copies"))
    assert command(capsys, "refresh", "librispeech", "--source", trees[1])["rejected"] == {"withdrawn": 2}
    assert command(capsys, "renormalise", "librispeech")["corpus"] == "librispeech"
    assert command(capsys, "leakage")["pairs"][0]["train"] == "librispeech"


def test_sound_is_copied_only_when_it_is_read(
    memory: Any, trees: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["refresh", "librispeech", "--source", str(trees[0]), "--store", URL]) == 0
    elsewhere(monkeypatch, tmp_path)
    store = open_shared(URL)
    corpus = store.corpus("librispeech")
    assert [row for batch in corpus.batches(columns=["text"]) for row in batch["text"].to_pylist()]
    assert not list(corpus.path.rglob("*.parquet"))
    assert corpus.is_whole()
    assert all(path.is_file() for path in corpus.shard_paths())
    shard = corpus.manifest["shards"][0]["path"]
    memory.pipe_file(f"{CORPUS}/{corpus.version}/{shard}", b"x" * 10)
    assert not corpus.is_whole()
    shutil.rmtree(corpus.path / Path(shard).parent)
    with pytest.raises(StoreError, match="does not have the hash its manifest states"):
        corpus.file(shard)


def test_a_push_that_ends_anywhere_leaves_the_earlier_version_and_is_repaired(
    memory: Any,
    trees: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = command(capsys, "refresh", "librispeech", "--source", trees[0])["version"]
    start = dict(memory.store)
    command(capsys, "refresh", "librispeech", "--source", trees[1])
    undisturbed = published(memory)
    whole = working_copy._put
    for writes in (1, 4, 6):  # among the shards, before the manifest, before `current`
        memory.store.clear()
        memory.store.update(start)
        shutil.rmtree(tmp_path / "copies")
        left = [writes]

        def cut(files: Any, path: Path, remote: str, left: list[int] = left) -> None:
            if left[0] == 0:
                raise KeyboardInterrupt
            left[0] -= 1
            whole(files, path, remote)

        monkeypatch.setattr(working_copy, "_put", cut)
        assert main(["refresh", "librispeech", "--source", str(trees[1]), "--store", URL]) == 130
        assert command(capsys, "show", "librispeech")["version"] == before
        monkeypatch.setattr(working_copy, "_put", whole)
        command(capsys, "refresh", "librispeech", "--source", trees[1])
        assert published(memory) == undisturbed


def test_what_was_deleted_in_the_shared_store_is_deleted_in_the_copy(
    memory: Any, trees: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    versions = [command(capsys, "refresh", "librispeech", "--source", tree)["version"] for tree in trees]
    copy = open_shared(URL)
    memory.rm(f"{CORPUS}/{versions[0]}", recursive=True)
    assert (copy.corpora_dir / "librispeech" / versions[0]).is_dir()
    history = command(capsys, "history", "librispeech")["versions"]
    assert [entry["version"] for entry in history] == versions[1:]
    assert not (copy.corpora_dir / "librispeech" / versions[0]).exists()


def test_a_damaged_manifest_is_refused(
    memory: Any,
    trees: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    version = command(capsys, "refresh", "librispeech", "--source", trees[0])["version"]
    path = f"{CORPUS}/{version}/manifest.json"
    memory.pipe_file(path, memory.cat_file(path).replace(b"librispeech", b"libriSpeech"))
    elsewhere(monkeypatch, tmp_path)
    assert main(["list", "--store", URL]) == 1
    assert f"the manifest of {version} in {URL} is damaged" in capsys.readouterr().err


def test_the_lock_is_waited_for_and_a_dead_holders_is_taken_over(
    memory: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shared_locks, "_LOOK_AGAIN_S", 0.01)
    caplog.set_level(logging.INFO)
    mine, theirs = (LockPlace(memory, "/bucket/lock.json", URL, copy, "fisher") for copy in ("a", "b"))
    held, done = threading.Event(), threading.Event()

    def other() -> None:
        with hold_shared(theirs):
            held.set()
            done.wait(30)

    thread = threading.Thread(target=other)
    thread.start()
    held.wait(30)
    threading.Timer(0.2, done.set).start()
    with hold_shared(mine) as lock:
        assert done.is_set()
        assert lock.is_mine()
    thread.join()
    assert not memory.exists("/bucket/lock.json")
    assert "fisher is being published by process" in caplog.text
    memory.pipe_file("/bucket/lock.json", json.dumps({"holder": "process 7 on moon", "copy": "b"}).encode())
    monkeypatch.setattr(shared_locks, "STALE_S", 0.05)
    with hold_shared(mine) as lock:
        memory.pipe_file("/bucket/lock.json", b"{}")
        with pytest.raises(StoreError, match="taken over by another machine"):
            lock.prove()
    assert "taking over the lock that process 7 on moon left" in caplog.text


def test_a_renewed_lock_is_never_taken_over(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_locks, "_LOOK_AGAIN_S", 0.01)
    monkeypatch.setattr(shared_locks, "RENEW_S", 0.02)
    monkeypatch.setattr(shared_locks, "STALE_S", 5.0)
    mine, theirs = (LockPlace(memory, "/bucket/lock.json", URL, copy, "fisher") for copy in ("a", "b"))
    ended: list[float] = []
    with hold_shared(mine) as lock:
        first = lock.content()
        while lock.content() == first:
            time.sleep(0.01)

        def other() -> None:
            with hold_shared(theirs):
                ended.append(time.monotonic())

        thread = threading.Thread(target=other)
        thread.start()
        time.sleep(0.1)
        assert not ended
        assert lock.is_mine()
    thread.join()
    assert ended


def test_a_folder_that_many_machines_see_is_a_shared_store_too(
    memory: Any, trees: tuple[Path, Path], tmp_path: Path
) -> None:
    url = f"file://{tmp_path}/shared"
    assert main(["refresh", "librispeech", "--source", str(trees[0]), "--store", url]) == 0
    (current,) = (tmp_path / "shared/corpora").glob("*/current")
    assert (current.parent / current.read_text() / "manifest.json").is_file()
    assert not list((tmp_path / "shared/locks").iterdir())


def test_a_url_where_a_folder_is_needed_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="is a URL, and this needs a store on a disk"):
        open_store("s3://bucket/store")
    with pytest.raises(UsageError, match="s3://bucket/store is a URL"):
        open_store(Path("s3://bucket/store"))
    monkeypatch.setenv("SPEECHMILL_STORE", "s3://bucket/store")
    with pytest.raises(UsageError, match="corpora pull NAME --from URL"):
        open_store()

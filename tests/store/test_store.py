"""The store: atomic writes, versions that appear whole, locks, reading back."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from store import writing as module
from store.errors import NotPublishedError, StoreError
from store.opening import open_store
from store.versions import publish_version
from store.writing import read_json, write_bytes_atomic, write_json_atomic


def staged(root: Path, text: str) -> Path:
    folder = root / "staging" / text
    folder.mkdir(parents=True)
    write_json_atomic(folder / "manifest.json", {"text": text})
    return folder


def test_a_version_is_published_and_current_moves(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    parent = store.corpora_dir / "x"
    publish_version(parent, "v1", staged(tmp_path, "one"))
    publish_version(parent, "v2", staged(tmp_path, "two"))
    assert (parent / "current").is_symlink()
    assert (parent / "current").readlink() == Path("v2")
    assert store.corpus("x").version == "v2"
    assert store.corpus("x", "v1").manifest["text"] == "one"
    assert store.corpus_names() == ["x"]


def test_publishing_the_same_version_again_keeps_the_first_where_it_is_whole(tmp_path: Path) -> None:
    folder = publish_version(tmp_path / "c" / "x", "v1", staged(tmp_path, "one"))
    manifest = folder / "manifest.json"
    first, inode = manifest.read_bytes(), manifest.stat().st_ino
    again = staged(tmp_path, "one")
    publish_version(tmp_path / "c" / "x", "v1", again)
    assert not again.exists() and manifest.stat().st_ino == inode
    manifest.write_bytes(first.replace(b"one", b"onf"))
    publish_version(tmp_path / "c" / "x", "v1", staged(tmp_path, "one"))
    assert manifest.read_bytes() == first, (
        "a version's name stands for its bytes: others of equal size are damage"
    )
    assert [path.name for path in (tmp_path / "c" / "x").iterdir() if path.name.startswith(".")] == []


def test_an_unknown_corpus_names_those_there_are(tmp_path: Path) -> None:
    publish_version(tmp_path / "corpora" / "known", "v1", staged(tmp_path, "one"))
    with pytest.raises(NotPublishedError, match="known"):
        open_store(tmp_path).corpus("other")
    with pytest.raises(NotPublishedError, match="none yet"):
        open_store(tmp_path).language_model("default")


def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module.os, "fsync", full)
    with pytest.raises(StoreError, match="disk is full") as caught:
        write_bytes_atomic(tmp_path / "a.json", b"x")
    assert "a.json" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_lock_names_its_holder(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    with store.lock("corpus-x"):
        with pytest.raises(StoreError, match=f"process {os.getpid()}"), store.lock("corpus-x", wait_s=0.0):
            raise AssertionError("taken twice")
        with store.lock("corpus-y", wait_s=0.0):
            pass
    with store.lock("corpus-x", wait_s=0.0):
        pass


def test_a_damaged_manifest_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text("{")
    with pytest.raises(StoreError, match=r"damaged.*made it again"):
        read_json(tmp_path / "m.json")

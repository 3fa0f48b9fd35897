"""Damage to what is published: found by verify, refused by every reader, mended by the next refresh, never spread."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.__main__ import main
from corpora.refresh.plan import RefreshRequest, plan_refresh
from corpora.refresh.stage import refresh
from corpora.versions.verification import verify
from demo.layouts import librispeech, tones
from lm.build import BuildRequest, build
from store.errors import StoreError
from store.opening import open_store
from store.store import Store

Damage = Callable[[Path], object]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source and a store in which it is published."""
    root = tmp_path_factory.mktemp("published")
    librispeech.write(root, tones.utterances(speakers_per_split=1, each=2))
    refresh(RefreshRequest("librispeech", (root / "LibriSpeech",), store=root / "store"))
    return root


@pytest.fixture
def store(published: Path, tmp_path: Path) -> Store:
    """A copy of the published store, to be damaged."""
    return open_store(shutil.copytree(published / "store", tmp_path / "store", symlinks=True))


def again(published: Path, store: Store) -> dict[str, Any]:
    source = published / "LibriSpeech"
    return refresh(RefreshRequest("librispeech", (source,), store=store.root))


def current(store: Store) -> Path:
    return (store.corpora_dir / "librispeech/current").resolve()


def flip(path: Path, at: int = -60) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 2
    path.write_bytes(data)


def flip_text(folder: Path) -> None:
    """One bit of a letter of a published sentence; the size stays."""
    path = folder / "train/part-00000.parquet"
    flip(path, path.read_bytes().rindex(b"nine" if b"nine" in path.read_bytes() else b"one"))


def exchange(folder: Path) -> None:
    train, test = folder / "train/part-00000.parquet", folder / "test/part-00000.parquet"
    one, other = train.read_bytes(), test.read_bytes()
    train.write_bytes(other)
    test.write_bytes(one)


def edit(folder: Path) -> None:
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"CC-BY-4.0"', '"CC0-1.0"'))


DAMAGES: dict[str, Damage] = {
    "footer": lambda folder: flip(folder / "train/part-00000.parquet"),
    "text": flip_text,
    "train and test exchanged": exchange,
    "shard gone": lambda folder: (folder / "dev/part-00000.parquet").unlink(),
    "rejections cut": lambda folder: (folder / "rejections.parquet").write_bytes(b"PAR1"),
    "manifest broken": lambda folder: (folder / "manifest.json").write_text("{"),
    "manifest nested": lambda folder: (folder / "manifest.json").write_text("[" * 9999),
    "manifest edited": edit,
    "manifest without a key": lambda folder: (folder / "manifest.json").write_text('{"kind": "corpus"}'),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_and_the_next_refresh_mends_it(published: Path, store: Store, damage: str) -> None:
    whole = {path: path.read_bytes() for path in current(store).rglob("*") if path.is_file()}
    assert [one["damage"] for one in verify(store)] == [[]]
    assert again(published, store)["status"] == "unchanged"
    DAMAGES[damage](current(store))
    [found] = verify(store)
    assert found["corpus"] == "librispeech" and found["damage"]
    assert again(published, store)["status"] == "published"
    assert {path: path.read_bytes() for path in current(store).rglob("*") if path.is_file()} == whole
    assert [one["damage"] for one in verify(store, full=True)] == [[]]


@pytest.mark.parametrize("damage", ["text", "train and test exchanged"])
def test_nobody_learns_from_damage(
    store: Store, tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    DAMAGES[damage](current(store))
    with pytest.raises(StoreError, match=r"(sealed|replaced).* run the refresh of librispeech"):
        build(BuildRequest(publish="default", order=2, store=store.root))
    for arguments in (
        ["export", "librispeech", "--form", "nemo", "--to", str(tmp_path / "out")],
        ["report", "librispeech"],
        ["renormalise", "librispeech"],
        ["leakage"],
    ):
        shutil.rmtree(store.cache_dir / "leakage", ignore_errors=True)
        assert main([*arguments, "--store", str(store.root)]) == 1, arguments
        err = capsys.readouterr().err
        assert "it was " in err and "run the refresh of librispeech" in err and "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_only_what_is_read_is_asked_for(store: Store) -> None:
    flip(current(store) / "test/part-00000.parquet")
    corpus = store.corpus("librispeech")
    assert sum(batch.num_rows for batch in corpus.batches("train", columns=["text"])) > 0
    with pytest.raises(StoreError, match="sealed"):
        list(corpus.batches("test", columns=["text"]))


def test_the_first_look_after_publishing_reads_nothing(
    published: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.checksums.sha256_file", lambda path: pytest.fail(f"{path} was read"))
    assert open_store(published / "store").corpus("librispeech").is_whole()


def test_a_dangling_current_costs_no_other_corpus(
    published: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(store.corpora_dir / "librispeech", store.corpora_dir / "torn", symlinks=True)
    (store.corpora_dir / "torn/current").unlink()
    (store.corpora_dir / "torn/current").symlink_to("0123456789abcdef")
    assert main(["list", "--store", str(store.root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told["corpora"]) == ["librispeech"] and "names 0123456789abcdef" in told["troubles"]["torn"]
    built = build(BuildRequest(publish="default", order=2, store=store.root))
    assert "corpus torn cannot be read: passed over" in built["decisions"]
    assert main(["show", "torn", "--store", str(store.root)]) == 2
    assert "the next refresh of torn publishes it again" in capsys.readouterr().err
    assert main(["verify", "--store", str(store.root)]) == 3
    out = capsys.readouterr().out
    assert "librispeech" in out and "are as they were sealed" in out and "torn" in out
    (store.corpora_dir / "librispeech/current").unlink()
    (store.corpora_dir / "librispeech/current").symlink_to("0123456789abcdef")
    assert again(published, store)["status"] == "published"
    assert "librispeech" in store.corpus_names()


def test_a_current_that_is_a_folder_is_read_and_replaced(published: Path, store: Store) -> None:
    link, version = store.corpora_dir / "librispeech/current", current(store).name
    link.unlink()
    shutil.copytree(store.corpora_dir / "librispeech" / version, link)
    assert store.corpus("librispeech").version == version
    shutil.rmtree(store.corpora_dir / "librispeech" / version)
    assert (store.corpus("librispeech").version, store.corpus("librispeech").is_whole()) == (version, True)
    edit(link)
    assert "edited" in store.corpus_troubles()["librispeech"]
    assert again(published, store)["version"] == version
    assert link.is_symlink() and [one["damage"] for one in verify(store)] == [[]]


@pytest.mark.parametrize("text", ["", "[]", '{"donors": "x"}', '{"donors": [1]}', "\x00" * 9])
def test_who_has_withdrawn_is_never_lost_by_damage(
    published: Path, store: Store, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    speaker = next(iter(store.corpus("librispeech").batches("train", columns=["speaker_id"])))[0][0].as_py()
    assert main(["withdraw", "librispeech", "--donor", speaker, "--store", str(store.root)]) == 0
    folder = store.corpora_dir / "librispeech"
    (folder / "withdrawn.json").write_text(text)
    assert again(published, store)["rejected"]["withdrawn"] == 2, "the copy says who has withdrawn"
    (folder / "withdrawn.copy.json").write_text(text)
    capsys.readouterr()
    assert main(["verify", "--store", str(store.root)]) == 3
    assert "the only record of who has withdrawn" in capsys.readouterr().out
    with pytest.raises(StoreError, match="bring it back from a backup") as refused:
        again(published, store)
    assert "delete" not in str(refused.value)
    assert store.corpus_names() == ["librispeech"]


def test_damaged_caches_are_made_again(published: Path, store: Store, tmp_path: Path) -> None:
    whole = again(published, store)
    assert main(["leakage", "--store", str(store.root)]) == 0
    source = shutil.copytree(published / "LibriSpeech", tmp_path / "moved" / "LibriSpeech")
    for number, spoil in enumerate((b"", b"not what it was")):
        for path in sorted(store.cache_dir.rglob("*")):
            if path.is_file():
                path.write_bytes(spoil)
        assert main(["leakage", "--store", str(store.root)]) == 0
        answer = again(published, store)
        assert (answer["status"], answer["version"]) == ("published", whole["version"])
        for path in source.rglob("*.flac"):
            path.touch()
        for path in sorted((store.cache_dir / "groups").rglob("*")):
            if path.is_file():
                flip(path, number)
        moved = refresh(RefreshRequest("librispeech", (source,), store=store.root))
        assert (moved["version"], moved["items"]) == (whole["version"], whole["items"])


def test_a_damaged_version_costs_its_own_row_and_keeps_nobody_from_leaving(
    published: Path, store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    speaker = next(iter(store.corpus("librispeech").batches("train", columns=["speaker_id"])))[0][0].as_py()
    shutil.copytree(current(store), store.corpora_dir / "librispeech/0123456789abcdef")
    at = ["--store", str(store.root), "--json"]
    assert main(["history", "librispeech", *at]) == 0
    rows = {row["version"]: row for row in json.loads(capsys.readouterr().out)["versions"]}
    assert "edited or damaged" in rows["0123456789abcdef"]["error"]
    assert rows[current(store).name]["utterances"] == 6
    assert main(["withdraw", "librispeech", "--donor", speaker, *at]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["versions"], told["unreadable"]) == ([current(store).name], ["0123456789abcdef"])


def test_another_corpus_is_published_beside_a_damaged_one(published: Path, store: Store) -> None:
    flip(current(store) / "train/part-00000.parquet")
    shutil.rmtree(store.cache_dir / "leakage", ignore_errors=True)
    source = librispeech.write(
        store.root.parent, tones.utterances(speakers_per_split=1, each=2, first=50)
    ).path
    answer = refresh(RefreshRequest("librispeech", (source,), name="second", store=store.root))
    assert answer["status"] == "published"


def test_a_plan_that_looks_old_is_not_taken_from_a_running_refresh(published: Path, store: Store) -> None:
    old = store.staging_dir("corpora/librispeech/0123456789abcdef")
    os.utime(old, (0, 0))
    with store.lock("refresh-librispeech"):
        flip(current(store) / "train/part-00000.parquet")
        plan_refresh(RefreshRequest("librispeech", (published / "LibriSpeech",), store=store.root))
        assert old.is_dir()
    plan_refresh(RefreshRequest("librispeech", (published / "LibriSpeech",), store=store.root))
    assert not old.exists()

"""Compressed tars: unpacked once, with room for it known before; names, texts and heads alone for questions."""

from __future__ import annotations

import shutil
import tarfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from corpora.sources import unpacking
from corpora.sources.opening import open_source
from store.errors import StoreError
from tests.corpora.sources.test_sources import inner, make_tar, make_zip

SOUND = np.random.default_rng(7).bytes(3 << 20)
LONG = "a folder with a long name/" * 9
FILES = {
    "x/table.txt": b"words" * 5000,
    "x/one.flac": SOUND,
    f"{LONG}two.wav": SOUND,
    "x/last.txt": b"end",
}


def make_free(monkeypatch: pytest.MonkeyPatch, *free: int) -> None:
    """Say of every disk that so many bytes are free, the last number for ever."""
    answers = list(free)
    usage = lambda _: SimpleNamespace(free=answers.pop(0) if len(answers) > 1 else answers[0])  # noqa: E731
    monkeypatch.setattr(shutil, "disk_usage", usage)


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_light_copy_has_names_texts_and_heads_and_no_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: int
) -> None:
    monkeypatch.setattr(tarfile.TarFile, "format", form)
    path = make_tar(tmp_path / "a.tar.gz", FILES)
    whole, light = (
        open_source([path], tmp_path / "whole"),
        open_source([path], tmp_path / "light", light=True),
    )
    assert [(m.name, m.size) for m in light.members()] == [(m.name, m.size) for m in whole.members()]
    for name, data in FILES.items():
        head = light.read_bytes(f"a.tar.gz!/{name}")
        assert head[:4096] == data[:4096]
        assert (head == data) == name.endswith(".txt")
        assert whole.read_bytes(f"a.tar.gz!/{name}") == data
    (spilt,) = (tmp_path / "light").glob("*.tar")
    assert spilt.stat().st_size == next((tmp_path / "whole").glob("*.tar")).stat().st_size
    assert spilt.stat().st_blocks * 512 < 1 << 20


def test_a_light_copy_of_a_cut_stream_says_so_as_the_whole_one_does(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar.gz", FILES)
    path.write_bytes(path.read_bytes()[: len(SOUND) * 3 // 2])
    whole, light = (
        open_source([path], tmp_path / "whole"),
        open_source([path], tmp_path / "light", light=True),
    )
    assert inner(light) == inner(whole) == ["x/one.flac", "x/table.txt"]
    assert [r.reason for r in light.rejections] == [r.reason for r in whole.rejections]


def test_without_room_nothing_is_unpacked_and_the_figures_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = [make_tar(tmp_path / name, FILES) for name in ("a.tar.gz", "b.tar.gz")]
    size = sum(path.stat().st_size for path in paths)
    make_free(monkeypatch, size // 2 + (64 << 20))
    with pytest.raises(StoreError) as refusal:
        open_source(paths, tmp_path / "spill")
    said = str(refusal.value)
    assert (
        f"at least 0.01 GB ({size} bytes) are needed there, 0.07 GB ({size // 2 + (64 << 20)} bytes)" in said
    )
    assert said.startswith("a.tar.gz, b.tar.gz must be unpacked once into")
    assert not list(tmp_path.glob("spill/*"))
    assert len(open_source(paths, tmp_path / "light", light=True).members()) == 8


def test_a_disk_that_fills_while_unpacking_ends_it_early_and_cleanly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpacking, "_LOOK_EVERY", 1 << 20)
    path = make_tar(tmp_path / "a.tar.gz", {"zeros.txt": bytes(40 << 20), "x.flac": SOUND})
    make_free(monkeypatch, 1 << 30, 1 << 30, 64 << 20)
    with pytest.raises(
        StoreError, match=r"a.tar.gz must be unpacked once into .* put the store on a larger disk"
    ):
        open_source([path], tmp_path / "spill")
    assert not list(tmp_path.glob("spill/*.t*"))
    make_free(monkeypatch, 1 << 30)
    assert len(open_source([path], tmp_path / "spill").members()) == 2


def test_big_archives_show_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int | None]] = []

    class Bar:
        def __init__(self, label: str, every_s: float) -> None:
            assert label == "unpacking a.tar.xz"

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *_: object) -> None:
            told.append((-1, None))

        def transferred(self, done: int, total: int | None) -> None:
            told.append((done, total))

    monkeypatch.setattr(unpacking, "_TOLD_FROM", 0)
    monkeypatch.setattr(unpacking, "Progress", Bar)
    path = make_tar(tmp_path / "a.tar.xz", {"x/one.flac": SOUND}, "w:xz")
    open_source([path], tmp_path / "spill").members()
    assert len(told) > 2
    assert [done for done, _ in told[:-1]] == sorted(done for done, _ in told[:-1])
    assert {total for _, total in told[:-1]} == {path.stat().st_size}
    assert told[-1] == (-1, None)


def test_a_folder_of_nothing_but_archives_stands_for_them(tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    (folder / "more").mkdir(parents=True)
    make_tar(folder / "a.tar.gz", {"one.txt": b"1"})
    make_zip(folder / "more/b.zip", {"two.txt": b"2"})
    (folder / "md5sum.txt").write_text("0 a.tar.gz\n")
    (folder / ".DS_Store").write_bytes(b"x")
    assert [m.name for m in open_source([folder]).members()] == ["a.tar.gz!/one.txt", "b.zip!/two.txt"]
    (folder / "note.txt").write_text("not an archive")
    assert "more/b.zip" in [m.name for m in open_source([folder]).members()]


def test_parts_of_a_zip_beside_each_other_are_one_archive(tmp_path: Path) -> None:
    folder = tmp_path / "downloads"
    folder.mkdir()
    data = make_zip(tmp_path / "c.zip", {"one.txt": b"1" * 1000}).read_bytes()
    for number, at in enumerate((0, 400, 800), 1):
        (folder / f"c.zip.{number:03d}").write_bytes(data[at : at + 400] if number < 3 else data[at:])
    assert inner(open_source([folder])) == ["one.txt"]

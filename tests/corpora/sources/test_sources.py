"""Directories and archives as one safe listing; damage ends in a sentence, good members stay."""

from __future__ import annotations

import gzip
import io
import os
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.sources import archive as archive_reader
from corpora.sources.opening import open_source, source_stamp
from corpora.sources.source import Source, decode_lines
from store.writing import temporary_beside


def make_tar(path: Path, members: dict[str, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def make_zip(path: Path, members: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def inner(source: Source) -> list[str]:
    return [m.name.rpartition("!/")[2] for m in source.members()]


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_tar_of_any_compression_is_read(tmp_path: Path, mode: str) -> None:
    path = make_tar(tmp_path / "a.tar", {"x/b.txt": b"bee", "x/a.txt": b"ay"}, mode)
    source = open_source([path], tmp_path / "spill")
    assert [m.name for m in source.members()] == ["a.tar!/x/a.txt", "a.tar!/x/b.txt"]
    assert source.read_bytes("a.tar!/x/b.txt") == b"bee"
    with source.open("a.tar!/x/b.txt") as stream:
        stream.seek(1)
        assert stream.read(1) == b"e"
    with source.local_file("a.tar!/x/a.txt") as path:
        assert path.read_bytes() == b"ay"


def test_same_names_in_folder_zip_and_tar(tmp_path: Path) -> None:
    files = {"p/one.txt": b"1", "two.txt": b"2"}
    folder = tmp_path / "folder"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    zipped = open_source([make_zip(tmp_path / "z.zip", files)])
    assert inner(open_source([folder])) == inner(zipped) == ["p/one.txt", "two.txt"]
    assert zipped.read_bytes("z.zip!/two.txt") == b"2"


def test_several_sources_keep_their_own_names(tmp_path: Path) -> None:
    for place in ("one", "two"):
        (tmp_path / place / "disc").mkdir(parents=True)
        (tmp_path / place / "disc" / "a.txt").write_text(place)
    source = open_source([tmp_path / "one" / "disc", tmp_path / "two" / "disc"])
    assert [m.name for m in source.members()] == ["disc/a.txt", "disc~2/a.txt"]
    assert source.read_bytes("disc~2/a.txt") == b"two"


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out.txt", "C:/out.txt"])
@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_names_that_climb_out_are_refused(tmp_path: Path, name: str, make: object) -> None:
    path = make(tmp_path / "bad", {name: b"x", "good.txt": b"y"})  # type: ignore[operator]
    source = open_source([path], tmp_path / "spill")
    assert inner(source) == ["good.txt"]
    assert [r.check for r in source.rejections] == ["unsafe_member"]
    assert not (tmp_path / "out.txt").exists()


def test_links_and_devices_in_a_tar(tmp_path: Path) -> None:
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as tar:
        info = tarfile.TarInfo("d/real.txt")
        info.size = 4
        tar.addfile(info, io.BytesIO(b"real"))
        for name, kind, target in (
            ("d/in.txt", tarfile.SYMTYPE, "real.txt"),
            ("out.txt", tarfile.SYMTYPE, "/etc/passwd"),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            tar.addfile(info)
        device = tarfile.TarInfo("dev")
        device.type = tarfile.CHRTYPE
        tar.addfile(device)
    source = open_source([path])
    assert inner(source) == ["d/in.txt", "d/real.txt"]
    assert source.read_bytes("links.tar!/d/in.txt") == b"real"
    assert sorted(r.source_path for r in source.rejections) == ["links.tar!/dev", "links.tar!/out.txt"]


def test_links_out_of_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("s")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "out.txt").symlink_to(tmp_path / "secret.txt")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    source = open_source([folder])
    assert inner(source) == ["a.txt"]
    assert {r.source_path for r in source.rejections} == {"out.txt", "loop"}


def test_a_folder_of_links_that_lead_out_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "part1").symlink_to("../elsewhere")
    with pytest.raises(
        SourceError, match=r"part1: link that leaves the source: name the folder that it leads to"
    ):
        open_source([tmp_path / "source"])


def test_litter_is_counted_not_listed(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z.zip", {"__MACOSX/x": b"", "a/.DS_Store": b"", "a/._b": b"", "a/b": b"1"})
    source = open_source([path])
    assert inner(source) == ["a/b"]
    assert source.litter == 3


def test_a_tar_cut_short_keeps_its_whole_members(tmp_path: Path) -> None:
    noise = {f"{i}.bin": os.urandom(30_000) for i in range(5)}
    path = make_tar(tmp_path / "a.tar.gz", noise)
    path.write_bytes(path.read_bytes()[:80_000])
    source = open_source([path], tmp_path / "spill")
    assert inner(source) == ["0.bin", "1.bin"]
    assert source.read_bytes("a.tar.gz!/1.bin") == noise["1.bin"]
    assert source.rejections and {r.check for r in source.rejections} == {"archive_truncated"}
    assert any("copy the archive again" in r.reason for r in source.rejections)


def test_what_a_killed_process_was_unpacking_is_removed(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar.gz", {"a": b"1"})
    open_source([path], tmp_path / "spill")
    (plain,) = (tmp_path / "spill").iterdir()
    plain.unlink()
    of_the_dead = temporary_beside(plain).name.replace(f"-{os.getpid()}.", "-99999999.")
    (tmp_path / "spill" / of_the_dead).write_bytes(b"half")
    open_source([path], tmp_path / "spill")
    assert [p.name for p in (tmp_path / "spill").iterdir()] == [plain.name]


def test_a_damaged_zip_member_is_an_error_of_that_member(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z.zip", {"a": b"A" * 100, "b": b"B" * 100})
    data = bytearray(path.read_bytes())
    data[data.index(b"A" * 100) + 50] ^= 1
    path.write_bytes(data)
    source = open_source([path])
    assert source.read_bytes("z.zip!/b") == b"B" * 100
    with pytest.raises(SourceError, match=r"z\.zip!/a.*damaged"):
        source.read_bytes("z.zip!/a")


def test_a_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", b"\0" * 60_000_000)
        archive.writestr("good", b"x")
    source = open_source([tmp_path / "bomb.zip"])
    assert inner(source) == ["good"]
    assert "times its size" in source.rejections[0].reason


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist"),
        (b"", "0 bytes"),
        (b"<html>error</html>" * 50, "HTML page"),
        (b"no archive" * 99, "no archive"),
    ],
)
def test_useless_sources_end_in_a_sentence(tmp_path: Path, content: bytes | None, words: str) -> None:
    path = tmp_path / "source.tar.gz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=words) as caught:
        open_source([path])
    assert caught.value.exit_status == 2
    assert "source.tar.gz" in str(caught.value)


def test_an_empty_folder_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no file at all"):
        open_source([tmp_path])


def test_lines_are_decoded_one_by_one() -> None:
    lines = list(decode_lines("\ufeffgood\r\n".encode() + b"bad \xe9 here\n" + b"last"))
    assert [(line.number, line.text) for line in lines] == [(1, "good"), (2, None), (3, "last")]
    assert "0xe9 at offset 13" in lines[1].problem
    assert [line.text for line in decode_lines("a\nb".encode("utf-16"))] == ["a", "b"]


def test_stamp_changes_with_content_only(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("a")
    before = source_stamp([tmp_path])
    assert source_stamp([tmp_path]) == before
    (tmp_path / "a.txt").write_text("b")
    assert source_stamp([tmp_path]) != before


def test_of_a_compressed_tar_with_a_changed_byte_nothing_is_taken(tmp_path: Path) -> None:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        for number in range(3):
            info = tarfile.TarInfo(f"clip{number}.mp3")
            info.size = 50_000
            tar.addfile(info, io.BytesIO(random.Random(number).randbytes(info.size)))
    packed = bytearray(gzip.compress(plain.getvalue(), mtime=0))
    packed[len(packed) // 2] ^= 1
    (tmp_path / "clips.tar.gz").write_bytes(packed)
    with pytest.raises(SourceError, match="changed and nothing tells in which member, so none is taken"):
        open_source([tmp_path / "clips.tar.gz"], tmp_path / "spill")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "clip9.mp3").write_bytes(b"sound")
    source = open_source([tmp_path / "clips.tar.gz", tmp_path / "more"], tmp_path / "spill")
    assert [member.name for member in source.members()] == ["more/clip9.mp3"]
    assert [rejection.check for rejection in source.rejections] == ["archive_truncated"]


@pytest.mark.parametrize("make", [make_tar, make_zip])
def test_archives_with_too_many_or_too_big_members_are_refused(
    tmp_path: Path, make: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = make(tmp_path / "many", {f"{n}.txt": b"x" * 40_000 for n in range(10)})  # type: ignore[operator]
    with monkeypatch.context() as limits:
        limits.setattr(archive_reader, "MAX_MEMBERS", 9)
        with pytest.raises(SourceError, match="more than 9 members"):
            open_source([path], tmp_path / "spill")
    with monkeypatch.context() as limits:
        limits.setattr(archive_reader, "MAX_UNPACKED_BYTES", 100_000)
        with pytest.raises(SourceError, match="refused"):
            open_source([path], tmp_path / "other")
    assert len(open_source([path], tmp_path / "spill").members()) == 10


def test_a_compressed_tar_that_grows_beyond_its_ratio_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from corpora.sources import unpacking

    path = make_tar(tmp_path / "bomb.tar.gz", {"zeros": bytes(30_000_000)})
    monkeypatch.setattr(unpacking, "MAX_RATIO", 10)
    with pytest.raises(SourceError, match="10 times its size"):
        open_source([path], tmp_path / "spill")
    assert not list((tmp_path / "spill").glob("*.tar"))


@pytest.mark.parametrize("program", [b"MZ", b"\x7fELF", b"#!/bin/sh\n"])
def test_a_zip_that_unpacks_itself_is_read(tmp_path: Path, program: bytes) -> None:
    path = tmp_path / "a.exe"
    path.write_bytes(program + bytes(3000))
    with zipfile.ZipFile(path, "a") as zipped:
        zipped.writestr("talk.txt", "said")
    source = open_source([path])
    assert [source.read_bytes(m.name) for m in source.members()] == [b"said"]


def test_hard_links_out_and_sparse_members_of_a_tar_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as tar:
        for name, kind, target in (
            ("hard.txt", tarfile.LNKTYPE, "../../etc/passwd"),
            ("pipe", tarfile.FIFOTYPE, ""),
            ("holes.bin", tarfile.GNUTYPE_SPARSE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            tar.addfile(info)
        info = tarfile.TarInfo("good.txt")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"1"))
    source = open_source([path])
    assert inner(source) == ["good.txt"]
    assert {r.source_path for r in source.rejections} == {
        f"links.tar!/{name}" for name in ("hard.txt", "pipe", "holes.bin")
    }


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damage_of_any_packing_is_an_error_of_that_member(tmp_path: Path, method: int) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name in "ab":
            archive.writestr(f"{name}.txt", random.Random(name).randbytes(4000))
    data = bytearray(path.read_bytes())
    for at in range(1500, 1540):
        data[at] ^= 0x5A
    path.write_bytes(data)
    source = open_source([path])
    with pytest.raises(SourceError, match=r"z\.zip!/a\.txt.*damaged"):
        source.read_bytes("z.zip!/a.txt")
    assert source.read_bytes("z.zip!/b.txt") == random.Random("b").randbytes(4000)


@pytest.mark.parametrize(("method", "words"), [(9, "Deflate64"), (98, "PPMd"), (77, "method 77")])
def test_a_packing_that_is_not_read_is_named_before_anything_is_opened(
    tmp_path: Path, method: int, words: str
) -> None:
    path = make_zip(tmp_path / "z.zip", {"a.txt": b"A" * 100, "b.txt": b"B" * 100})
    data = bytearray(path.read_bytes())
    for mark, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        data[data.index(mark) + at] = method
    path.write_bytes(data)
    source = open_source([path])
    assert inner(source) == ["b.txt"]
    assert words in source.rejections[0].reason


def test_a_zip_of_a_version_that_is_not_known_ends_in_a_sentence(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "z.zip", {"a.txt": b"A" * 100})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 6] = 99
    path.write_bytes(data)
    with pytest.raises(SourceError, match="damaged zip"):
        open_source([path])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_zip_members_of_one_name_the_earlier_is_told(tmp_path: Path) -> None:
    path = tmp_path / "z.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for data in (b"one", b"two", b"two"):
            archive.writestr("a.txt", data)
    source = open_source([path])
    assert source.read_bytes("z.zip!/a.txt") == b"two"
    assert [(r.check, r.source_path) for r in source.rejections] == [("name_twice", "z.zip!/a.txt")]

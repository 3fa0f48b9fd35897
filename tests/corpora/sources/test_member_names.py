"""Names that are not UTF-8, in zips, tars and folders: read as what they were, never a traceback."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest

from corpora.sources.encodings_of_names import decoded_names, readable_names
from corpora.sources.opening import open_readers, open_source
from corpora.sources.planned import PlannedSource
from corpora.sources.source import Source
from tests.corpora.sources.test_sources import inner, make_tar

NAMES = {
    "cp932": ["録音/東京_001.wav", "録音/NHKニュース.txt"],
    "cp437": ["château/général.wav", "Größe.txt"],
    "cp1252": ["château/général.wav", "Größe.txt", "œuvre d’été.txt"],
    "utf-8": ["録音/東京.wav", "château.txt"],
}


@pytest.mark.parametrize("encoding", NAMES)
def test_the_encoding_is_guessed_for_all_names_together(encoding: str) -> None:
    assert decoded_names([name.encode(encoding) for name in NAMES[encoding]]) == NAMES[encoding]


@pytest.mark.parametrize("name", ["élé", "été.wav", "hétéro.txt", "général", "éternité", "ÄÖÜ", "über", "ça"])
@pytest.mark.parametrize("encoding", ["cp437", "cp1252"])
def test_a_single_western_name_is_not_taken_for_japanese(name: str, encoding: str) -> None:
    if encoding == "cp1252" or name.isascii() or name == name.lower():
        assert decoded_names([name.encode(encoding)]) == [name]


def test_any_bytes_at_all_become_some_name() -> None:
    raw = [bytes(range(128, 256)), b"\x81", b"\xff\xfe", b"plain"]
    assert [len(name) > 0 for name in decoded_names(raw)] == [True] * 4
    assert readable_names(["plain", "é"]) == {}


def make_odd_zip(path: Path, names: list[bytes]) -> Path:
    """A zip as Windows makes it: names in the machine's encoding, no mark of it."""
    marks = [f"name{number:04d}".encode() for number in range(len(names))]
    with zipfile.ZipFile(path, "w") as archive:
        for mark, name in zip(marks, names, strict=True):
            archive.writestr(mark.decode().ljust(len(name), "_"), name)
    data = path.read_bytes()
    for mark, name in zip(marks, names, strict=True):
        data = data.replace(mark.ljust(len(name), b"_"), name)
    path.write_bytes(data)
    return path


def planned(path: Path, source: Source) -> Source:
    """The source as a worker sees it: by what stands in a plan, which is JSON."""
    entries = json.loads(json.dumps(source.entries([m.name for m in source.members()])))
    return PlannedSource(open_readers([path]), None, entries)


def all_is_read(path: Path, names: list[str]) -> None:
    source = open_source([path])
    assert inner(source) == sorted(names)
    worker = planned(path, source)
    for member in source.members():
        assert source.read_bytes(member.name) == worker.read_bytes(member.name) != b""
        with worker.local_file(member.name) as found:
            assert found.read_bytes() == source.read_bytes(member.name)
    json.dumps(source.identities(), ensure_ascii=False).encode()


@pytest.mark.parametrize("encoding", ["cp932", "cp437"])
def test_zips_from_windows(tmp_path: Path, encoding: str) -> None:
    names = ["a long folder/" + name for name in NAMES[encoding]]
    all_is_read(make_odd_zip(tmp_path / "a.zip", [n.encode(encoding) for n in names]), names)


@pytest.mark.parametrize("encoding", ["cp932", "cp1252"])
def test_tars_and_folders_with_names_of_any_bytes(tmp_path: Path, encoding: str) -> None:
    names = NAMES[encoding]
    on_disk = [os.fsdecode(name.encode(encoding)) for name in names]
    all_is_read(make_tar(tmp_path / "a.tar.gz", {name: b"x" for name in on_disk}), names)
    folder = tmp_path / "folder"
    for name in on_disk:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    all_is_read(folder, names)


def test_refused_names_of_any_bytes_can_be_told(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", {os.fsdecode(b"../\xe9vil.txt"): b"x", "good.txt": b"x"}, "w:")
    (refused,) = open_source([path]).rejections
    assert refused.source_path.encode() == "a.tar!/../évil.txt".encode()
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "good.txt").write_text("x")
    (folder / os.fsdecode(b"l\xe9nk")).symlink_to("/etc/passwd")
    (refused,) = open_source([folder]).rejections
    assert refused.source_path == "lénk"

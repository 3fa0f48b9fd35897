"""What a worker reads: every file once, what it holds is bounded, and it lists nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.errors import SourceError
from corpora.sources import planned as planned_source
from corpora.sources.folder import DirectoryReader
from corpora.sources.opening import open_readers, open_source
from corpora.sources.planned import PlannedSource


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were opened on the disk."""
    seen: list[str] = []
    real = DirectoryReader.open

    def noted(reader: DirectoryReader, name: str) -> object:
        seen.append(name)
        return real(reader, name)

    monkeypatch.setattr(DirectoryReader, "open", noted)
    return seen


def planned(folder: Path, files: dict[str, bytes]) -> PlannedSource:
    folder.mkdir()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    listed = open_source([folder])
    return PlannedSource(open_readers([folder]), None, listed.entries(files))


def test_a_hashed_file_is_not_read_again(tmp_path: Path, opened: list[str]) -> None:
    source = planned(tmp_path / "s", {"a.flac": b"sound" * 100, "b.txt": b"text\n"})
    assert b"".join(source.pieces("a.flac")) == b"sound" * 100
    assert b"".join(source.pieces("b.txt")) == b"text\n"
    with source.open("a.flac") as stream:
        assert stream.read(5) == b"sound"
    assert source.read_bytes("a.flac") == b"sound" * 100
    assert [line.text for line in source.text_lines("b.txt")] == ["text"]
    assert opened == ["a.flac", "b.txt"]
    assert source.read_bytes("a.flac") == b"sound" * 100  # what was read is held no longer
    assert opened == ["a.flac", "b.txt", "a.flac"]


def test_what_is_held_is_bounded(tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planned_source, "HELD_BYTES", 100)
    source = planned(tmp_path / "s", {"a": bytes(60), "b": bytes(60), "c": bytes(40)})
    for name in "abc":
        assert sum(map(len, source.pieces(name))) == source.member(name).size
    for name in "abca":
        assert len(source.read_bytes(name)) == source.member(name).size
    assert opened == ["a", "b", "c", "b", "a"]
    assert sum(map(len, source.pieces("b"))) == 60  # there is room again
    assert source.read_bytes("b") == bytes(60)
    assert opened == ["a", "b", "c", "b", "a", "b"]


def test_a_file_that_went_away_is_named(tmp_path: Path) -> None:
    source = planned(tmp_path / "s", {"a": b"x"})
    (tmp_path / "s" / "a").unlink()
    with pytest.raises(SourceError, match="a cannot be read"):
        list(source.pieces("a"))

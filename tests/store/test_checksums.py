"""Damage is found whatever its size; a known file costs no second reading; notes may be missing or broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from store import checksums
from store.checksums import Sealed, find_damage
from store.writing import sha256_file


@pytest.fixture
def sealed(tmp_path: Path) -> list[Sealed]:
    """Two files as a manifest has them."""
    found = []
    for name in ("a.bin", "b.bin"):
        path = tmp_path / name
        path.write_bytes(name.encode() * 9)
        found.append(Sealed(name, path.stat().st_size, sha256_file(path)))
    return found


def test_each_kind_of_damage_is_named(tmp_path: Path, sealed: list[Sealed]) -> None:
    assert find_damage(tmp_path, sealed) == []
    (tmp_path / "a.bin").write_bytes(b"b" * sealed[0].size_bytes)
    (tmp_path / "b.bin").unlink()
    assert [(one.path, one.kind) for one in find_damage(tmp_path, sealed)] == [
        ("a.bin", "content"),
        ("b.bin", "missing"),
    ]
    (tmp_path / "b.bin").mkdir()
    (tmp_path / "a.bin").write_bytes(b"")
    assert [one.kind for one in find_damage(tmp_path, sealed)] == ["size", "missing"]
    assert find_damage(tmp_path, [Sealed("a.bin"), Sealed("a.bin", 0)]) == []


def test_a_known_file_is_read_once_under_every_name(
    tmp_path: Path, sealed: list[Sealed], monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reading(path: Path) -> str:
        read.append(path.name)
        return sha256_file(path)

    monkeypatch.setattr(checksums, "sha256_file", reading)
    notes = tmp_path / "cache" / "checksums.json"
    assert find_damage(tmp_path, sealed, notes) == []
    inode = notes.stat().st_ino
    assert find_damage(tmp_path, sealed, notes) == []
    assert notes.stat().st_ino == inode  # what is known already is not written again
    os.link(tmp_path / "a.bin", tmp_path / "later.bin")
    later = Sealed("later.bin", sealed[0].size_bytes, sealed[0].sha256)
    assert find_damage(tmp_path, [later], notes) == [] and read == ["a.bin", "b.bin"]
    (tmp_path / "a.bin").write_bytes(b"c" * sealed[0].size_bytes)
    assert [one.kind for one in find_damage(tmp_path, sealed, notes)] == ["content"]
    assert find_damage(tmp_path, sealed[1:], notes, full=True) == [] and read[-1] == "b.bin"


@pytest.mark.parametrize("text", ["", "[1]", '{"x": 3}', "{", "[" * 100_000])
def test_broken_notes_cost_only_time(tmp_path: Path, sealed: list[Sealed], text: str) -> None:
    notes = tmp_path / "checksums.json"
    notes.write_text(text)
    assert find_damage(tmp_path, sealed, notes) == []
    assert find_damage(tmp_path, [Sealed("a.bin", None, "0" * 64)], notes)[0].kind == "content"

"""Files are opened once below their folder: links that lead out, pipes and exchanged files are never followed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from corpora import reading
from corpora.reading import OutsideError, handles_of, held_path, open_below


@pytest.fixture(params=[True, False], ids=["by /proc", "without /proc"])
def folder(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if not request.param:
        monkeypatch.setattr(reading, "_PROC", tmp_path / "no proc")
    (tmp_path / "secret.txt").write_text("s")
    (tmp_path / "folder" / "sub").mkdir(parents=True)
    (tmp_path / "folder" / "sub" / "a.txt").write_text("a")
    (tmp_path / "folder" / "inside.txt").symlink_to("sub/a.txt")
    (tmp_path / "folder" / "out.txt").symlink_to(tmp_path / "secret.txt")
    (tmp_path / "folder" / "way").symlink_to(tmp_path)
    (tmp_path / "folder" / "self").symlink_to("self")
    os.mkfifo(tmp_path / "folder" / "pipe")
    return (tmp_path / "folder").resolve()


def test_files_and_links_that_stay_inside_are_read(folder: Path) -> None:
    for name in ("sub/a.txt", "inside.txt"):
        with open_below(folder, name) as stream:
            assert stream.read() == b"a"


@pytest.mark.parametrize(
    "name", ["out.txt", "way/secret.txt", "pipe", "sub", "../secret.txt", "/etc/hostname"]
)
def test_whatever_leads_out_or_is_no_file_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(OutsideError):
        open_below(folder, name)


def test_a_link_to_itself_ends_in_an_error_of_the_system(folder: Path) -> None:
    with pytest.raises(OSError, match="symbolic links"):
        open_below(folder, "self")


def test_a_path_of_an_open_file_stays_that_file_also_for_a_child(tmp_path: Path) -> None:
    name = tmp_path / "a.txt"
    name.write_text("a")
    with open_below(tmp_path.resolve(), "a.txt") as stream:
        path = held_path(stream.fileno(), name)
        name.unlink()
        name.write_text("exchanged")
        for _ in range(2):  # each opening begins at the beginning
            said = subprocess.run(["cat", path], capture_output=True, pass_fds=handles_of(path), check=True)
            assert said.stdout == b"a"
    assert handles_of(name) == ()

"""A model takes its place in one step: two builds at once, a kill at any moment, other things in the folder."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from lm.build import BuildRequest, build
from lm.inspection import verify
from store import writing
from store.writing import put_in_place, step_back

TEXT = "The cat sat on the mat.\nThe dog sat on the log.\nA cat saw the dog.\nThe dog ran.\n"


@pytest.fixture
def request_for_folder(tmp_path: Path, store_root: Path) -> BuildRequest:
    """A request to build from a text into a folder."""
    (tmp_path / "text.txt").write_text(TEXT)
    return BuildRequest(out=tmp_path / "model", text=(tmp_path / "text.txt",), order=2, store=store_root)


def in_child(run: Callable[[], object]) -> int:
    """Runs something in a child and returns its exit status."""
    child = os.fork()
    if child == 0:
        try:
            run()
        except BaseException:
            os._exit(9)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_two_builds_into_one_folder_follow_each_other(request_for_folder: BuildRequest) -> None:
    other = replace(request_for_folder, order=3)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        results = pool.map(build, [request_for_folder, other])
    assert [result["status"] for result in results] == ["built", "built"]
    out = Path(str(request_for_folder.out))
    assert verify(out)["identity"]["order"] in (2, 3)
    assert [path.name for path in out.parent.glob(".model.*")] == [".model.lock"]


@pytest.mark.parametrize("file", ["lm.binary", "manifest.json"])
def test_a_damaged_model_in_a_folder_is_built_again(request_for_folder: BuildRequest, file: str) -> None:
    build(request_for_folder)
    path = Path(str(request_for_folder.out)) / file
    whole = path.read_bytes()
    path.write_bytes(whole[:-9])
    assert build(request_for_folder)["status"] == "built"
    assert path.read_bytes() == whole
    assert build(request_for_folder)["status"] == "unchanged"


def folder(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "file").write_text(text)
    return path


@pytest.mark.parametrize("exchange", [True, False])
def test_a_new_folder_takes_the_name_of_an_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool
) -> None:
    if not exchange:
        monkeypatch.setattr(writing, "_exchange", lambda one, other: False)
    target = folder(tmp_path / "model", "old")
    put_in_place(folder(tmp_path / "staged", "new"), target)
    assert (target / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_a_kill_between_leaves_the_old_or_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Without exchange, killed before the first rename, between the two, and behind them."""
    target, staged = folder(tmp_path / "model", "old"), folder(tmp_path / "staged", "new")
    real, done = Path.rename, []

    def rename(self: Path, other: Path) -> Path:
        if len(done) == calls:
            os._exit(7)
        done.append(self)
        return real(self, other)

    monkeypatch.setattr(writing, "_exchange", lambda one, other: False)
    monkeypatch.setattr(Path, "rename", rename)
    assert in_child(lambda: put_in_place(staged, target)) == (7 if calls < 2 else 0)
    monkeypatch.undo()
    step_back(target)
    assert (target / "file").read_text() == ("old" if calls < 2 else "new")


def test_a_kill_behind_the_exchange_leaves_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, staged = folder(tmp_path / "model", "old"), folder(tmp_path / "staged", "new")
    monkeypatch.setattr(writing.shutil, "rmtree", lambda *_, **__: os._exit(7))
    assert in_child(lambda: put_in_place(staged, target)) == 7
    assert (target / "file").read_text() == "new"

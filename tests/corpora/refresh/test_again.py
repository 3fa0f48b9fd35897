"""A refresh asked for again: nothing heavy is imported for it, and whatever may have changed is looked at."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.__main__ import main
from corpora.refresh import stage
from demo.layouts import librispeech, tones

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=2)).path


@pytest.fixture
def ask(
    tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Ask:
    """Runs the refresh; answers what it says, with `asked_closely`: whether the source was planned anew."""
    planned: list[int] = []
    real = stage.plan_refresh

    def noted(request: Any) -> Path:
        planned.append(1)
        return real(request)

    monkeypatch.setattr(stage, "plan_refresh", noted)

    def once(*more: str) -> dict[str, Any]:
        planned.clear()
        line = [
            "refresh",
            "librispeech",
            "--source",
            str(tree),
            "--store",
            str(tmp_path / "store"),
            *more,
            "--json",
        ]
        assert main(line) == 0
        said: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {**said, "asked_closely": bool(planned)}

    return once


def test_the_same_again_is_told_without_planning(ask: Ask) -> None:
    first, second = ask(), ask()
    assert (first["status"], first["asked_closely"]) == ("published", True)
    assert (second["status"], second["asked_closely"]) == ("unchanged", False)
    same = ("version", "items", "splits", "path", "published")
    assert {key: first[key] for key in same} == {key: second[key] for key in same}
    assert ask("--workers", "1")["asked_closely"]


def test_a_changed_file_a_setting_or_a_missing_shard_is_looked_at(
    ask: Ask, tree: Path, tmp_path: Path
) -> None:
    ask()
    text = next(tree.rglob("*.trans.txt"))
    was = text.stat()
    os.utime(text, ns=(was.st_atime_ns, was.st_mtime_ns + 1))
    assert ask()["asked_closely"]
    assert not ask()["asked_closely"]
    (tmp_path / "store/settings.toml").write_text("[thresholds]\nmin_duration_s = 0.2\n")
    assert ask()["asked_closely"]
    assert not ask()["asked_closely"]
    next((tmp_path / "store/corpora/librispeech/current").glob("train/*.parquet")).unlink()
    again = ask()
    assert again["asked_closely"]
    assert list((tmp_path / "store/corpora/librispeech/current").glob("train/*.parquet"))


def test_a_source_with_a_linked_folder_is_always_looked_at(ask: Ask, tree: Path) -> None:
    folder = next(path for path in tree.iterdir() if path.is_dir())
    (tree / "linked").symlink_to(folder, target_is_directory=True)
    ask()
    assert ask()["asked_closely"]


def test_who_withdraws_is_out_although_the_source_is_the_same(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first = ask()
    speaker = sorted((tmp_path / "source").rglob("*.trans.txt"))[0].parent.parent.name
    store = ["--store", str(tmp_path / "store")]
    assert main(["withdraw", "librispeech", "--donor", speaker, *store]) == 0
    capsys.readouterr()
    assert ask()["version"] != first["version"]


def test_nothing_heavy_is_imported_for_it(ask: Ask, tree: Path, tmp_path: Path, root: Path) -> None:
    ask()
    line = ["refresh", "librispeech", "--source", str(tree), "--store", str(tmp_path / "store"), "--json"]
    code = (
        "import sys; from corpora.__main__ import main; assert main(sys.argv[1:]) == 0;"
        "heavy = {'numpy', 'pyarrow', 'pandas', 'soundfile', 'fsspec'} & set(sys.modules); assert not heavy, heavy"
    )
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", code, *line], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "unchanged"

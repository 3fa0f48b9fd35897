"""The store's settings: tables that nobody knows are refused with the nearest known one, whichever room asks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.quality.thresholds import settings_of
from lm.settings import read_settings
from native.errors import SpeechmillError
from store.opening import open_store
from store.settings import read_table
from training.dispatch.slurm import slurm_options
from training.settings import read_retrain

READERS: dict[str, Callable[[Path], Any]] = {
    "thresholds": lambda root: settings_of(root / "settings.toml", "x"),
    "language models": read_settings,
    "retrain": lambda root: read_retrain(open_store(root)),
    "slurm": lambda root: slurm_options(open_store(root)),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("text", "near"),
    [
        ("[threshold]\nmax_duration_s = 30\n", "'thresholds'"),
        ("[retrian]\nevaluate = []\n", "'retrain'"),
        ('[[language_model]]\nname = "x"\n', "'language_models'"),
        ("[Slurm]\noptions = []\n", "'slurm'"),
    ],
)
def test_unknown_tables_are_refused_with_the_nearest(
    tmp_path: Path, reader: str, text: str, near: str
) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(
        SpeechmillError, match=f"settings.toml: there is no table .* did you mean {near}"
    ) as caught:
        READERS[reader](tmp_path)
    assert caught.value.exit_status in (1, 2)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[language_models]\nname = 'x'\n", "write \\[\\[language_models\\]\\] with two brackets"),
        ("[[retrain]]\nevaluate = []\n", "write \\[retrain\\] with one bracket"),
        ("slurm = 3\n", "write \\[slurm\\] with one bracket"),
        ("[slurm\n", "is no valid TOML"),
    ],
)
def test_wrong_brackets_are_told(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SpeechmillError, match=says):
        read_table(tmp_path / "settings.toml", "retrain")


def test_a_key_of_slurm_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text("[slurm]\noption = ['--gres=gpu:1']\n")
    with pytest.raises(SpeechmillError, match="unknown key 'option'; did you mean 'options'"):
        slurm_options(open_store(tmp_path))


def test_no_file_is_no_table(tmp_path: Path) -> None:
    assert read_table(tmp_path / "settings.toml", "retrain") == {}
    assert read_table(tmp_path / "settings.toml", "language_models") == []

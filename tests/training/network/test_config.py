"""Reading a configuration: defaults, types, refusals that name key, line and the nearest key."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from training.errors import ConfigError
from training.network.config import (
    TrainingConfig,
    config_text,
    example_text,
    identity,
    parse_config,
    read_config,
)


def test_an_empty_file_gives_the_defaults() -> None:
    assert parse_config("") == TrainingConfig()


def test_the_example_names_every_key_with_its_default(root: Path) -> None:
    text = (root / "training" / "config.example.toml").read_text(encoding="utf-8")
    assert text == example_text()
    assert parse_config(text) == TrainingConfig()


def test_every_key_survives_writing_and_reading() -> None:
    config = parse_config(
        'seed = 7\n[data]\ncorpora = ["a", "b@1"]\n[augment]\nspeeds = [0.9, 1, 1.1]\n[loop]\nthreads = 2\n'
    )
    assert config.augment.speeds == (0.9, 1.0, 1.1)
    assert parse_config(config_text(config)) == config
    assert parse_config(config_text(config, comments=True)) == config


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("[model]\nn_hiden = 64\n", ["c.toml:2", "'model.n_hiden'", "'n_hidden'"]),
        ("seed = 1\n\n[optimizer]\nlearning_rate = 1\n", ["c.toml:3", "'optimizer'", "'optimiser'"]),
        ("[model]\nn_hidden = 64.5\n", ["c.toml:2", "int", "64.5"]),
        ("[loop]\nsorted_first_epoch = 1\n", ["c.toml:2", "bool"]),
        ("[data]\ncorpora = 'librispeech'\n", ["c.toml:2", "list of str"]),
        ("seed = true\n", ["c.toml:1", "int"]),
        ("model = 3\n", ["c.toml:1", "[model]"]),
        ("[optimiser]\ndecay = 'slow'\n", ["optimiser.decay", "cosine"]),
        ("[features]\ncoefficients = 99\n", ["features.coefficients", "99"]),
        ("[model\n", ["not valid TOML"]),
    ],
)
def test_what_is_wrong_is_said_with_place_and_remedy(tmp_path: Path, text: str, parts: list[str]) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert all(part in str(caught.value) for part in parts), str(caught.value)
    assert caught.value.exit_status == 2


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        read_config(tmp_path / "nowhere.toml")


def test_the_identity_follows_what_is_learnt_and_nothing_else() -> None:
    base = TrainingConfig()
    same = dataclasses.replace(base, loop=dataclasses.replace(base.loop, threads=1, checkpoint_every_s=1.0))
    other = dataclasses.replace(base, seed=2)
    assert identity(base) == identity(same)
    assert identity(base) != identity(other)

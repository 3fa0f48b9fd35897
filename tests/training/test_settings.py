"""What the store's settings say about retraining: defaults from what is published, refusals."""

from __future__ import annotations

from typing import Any

import pytest

from store.opening import open_store
from store.store import Store
from training.errors import ConfigError
from training.network.config import TrainingConfig, config_text
from training.settings import evaluations_of, read_retrain, tunings_of


@pytest.fixture
def store(tmp_path: Any, tones: Any) -> Store:
    """Two corpora, one without a dev split, and two language models by name only."""
    store = open_store(tmp_path)
    clips = tones.clips(3)
    tones.publish(store, "letters", {"train": clips, "dev": clips, "test": clips})
    tones.publish(store, "digits", {"train": clips, "test": clips})
    for name in ("default", "digits"):
        folder = store.language_models_dir / name / "v1"
        folder.mkdir(parents=True)
        (folder / "manifest.json").write_text("{}")
        (folder.parent / "current").symlink_to("v1")
    return store


def test_without_settings_everything_published_counts(store: Store) -> None:
    retrain = read_retrain(store)
    assert retrain.config == TrainingConfig()
    assert retrain.evaluate == ("digits", "letters")
    assert retrain.tune_corpora == ("letters",)
    assert [entry["corpus"] for entry in evaluations_of("run", store)] == ["digits", "letters"]
    assert tunings_of("run", store) == [
        {
            "model": "run",
            "language_model": str(store.language_model("default")),
            "corpora": ["letters"],
        }
    ]


def test_a_language_model_can_be_kept_to_its_own_corpora(store: Store, tones: Any) -> None:
    (store.root / "small.toml").write_text(config_text(tones.config()))
    store.settings_path.write_text(
        '[retrain]\nconfig = "small.toml"\nlanguage_models = ["default", "digits"]\n'
        '[retrain.lexicons]\ndigits = ["digits"]\n'
    )
    assert read_retrain(store).config == tones.config()
    measured = [(one["corpus"], one["language_model"].split("/")[-2]) for one in evaluations_of("run", store)]
    assert measured == [("digits", "default"), ("digits", "digits"), ("letters", "default")]
    assert [one["corpora"] for one in tunings_of("run", store)] == [["letters"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[retrain]\nevalute = []\n", "unknown key 'evalute'"),
        ('[retrain]\nevaluate = "digits"\n', "list of names"),
        ("[retrain]\nconfig = 3\n", "is a path"),
        ('[retrain]\nconfig = "nothing.toml"\n', r"nothing\.toml"),
        ("[retrain\n", "no valid TOML"),
    ],
)
def test_wrong_settings_are_a_sentence(store: Store, text: str, words: str) -> None:
    store.settings_path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        read_retrain(store)

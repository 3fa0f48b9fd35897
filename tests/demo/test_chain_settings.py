"""What the chain is told: the packages that read the settings agree with what was written."""

from __future__ import annotations

import os
from pathlib import Path

from demo import spoken
from demo.chain_settings import write_if_changed
from lm.settings import read_settings
from store.opening import open_store
from training.settings import read_retrain


def test_settings_of_the_demo_are_read_back_by_the_stages(store_root: Path) -> None:
    store = open_store(store_root)
    spoken.prepare(store, 3, ["librispeech", "town_radio"])
    (model,) = read_settings(store)
    assert (model.publish, model.corpora, model.order) == ("default", ("librispeech", "town_radio"), 3)
    assert len(Path(model.text[0]).read_text("utf-8").splitlines()) == 20_000
    retrain = read_retrain(store)
    assert retrain.config.seed == 3
    assert retrain.config.data.corpora == ("librispeech", "town_radio")
    assert retrain.config.loop.steps > 0
    assert retrain.tune_corpora == ("librispeech",)
    assert retrain.evaluate == ("librispeech", "town_radio")


def test_a_file_that_says_the_same_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    write_if_changed(path, "a = 1\n")
    os.utime(path, ns=(1, 1))
    write_if_changed(path, "a = 1\n")
    assert path.stat().st_mtime_ns == 1
    write_if_changed(path, "a = 2\n")
    assert path.read_text() == "a = 2\n"

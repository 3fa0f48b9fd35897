"""Languages: one alphabet per run, corpora of another language are passed over with a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpora.text.languages import alphabet_for
from store.store import Store
from store.writing import read_json, write_json_atomic
from training.errors import DataError
from training.network.choice import choose
from training.network.config import DataConfig
from training.runs import inputs_of, load_data
from training.settings import read_retrain


@pytest.fixture
def store(tones: Any, tmp_path: Path) -> Store:
    store = Store(tmp_path)
    for name, language, count in (("tones", "en", 4), ("radio", "cy", 6), ("donated", "de-AT", 5)):
        folder = tones.publish(store, name, {split: tones.clips(count) for split in ("train", "dev", "test")})
        manifest = read_json(folder / "manifest.json")
        manifest |= {"language": language, "alphabet_hash": alphabet_for(language).hash}
        write_json_atomic(folder / "manifest.json", manifest)
    return store


def test_a_welsh_donation_does_not_stop_an_english_run(store: Store, tones: Any) -> None:
    chosen = choose(DataConfig(), store)
    assert [corpus.name for corpus in chosen.corpora] == ["tones"]
    assert chosen.language == "en"
    assert len(chosen.passed_over) == 2 and all("data.language" in one for one in chosen.passed_over)
    assert list(inputs_of(tones.config(), store)["corpora"]) == ["tones"]
    assert read_retrain(store).evaluate == ("tones",)
    assert read_retrain(store).tune_corpora == ("tones",)


def test_the_language_is_asked_for_or_follows_the_corpora(store: Store) -> None:
    assert choose(DataConfig(language="cy"), store).alphabet.hash == alphabet_for("cy").hash
    german = choose(DataConfig(corpora=("donated", "tones"), weights=(2.0, 1.0)), store)
    assert german.language == "de" and german.weights == (2.0,)
    with pytest.raises(DataError, match=r"in 'fr' to learn.*tones.*passed over.*'en'"):
        choose(DataConfig(language="fr"), store)


def test_an_alphabet_of_ones_own_must_hold_the_languages_labels(store: Store, tmp_path: Path) -> None:
    labels = tmp_path / "labels.txt"
    labels.write_text("\n".join([*alphabet_for("en").labels, "é"]) + "\n")
    assert len(choose(DataConfig(alphabet=str(labels)), store).alphabet) == len(alphabet_for("en")) + 1
    labels.write_text(" \na\nb\n")
    with pytest.raises(DataError, match="lacks"):
        choose(DataConfig(alphabet=str(labels)), store)
    with pytest.raises(DataError, match=r"nowhere\.txt"):
        choose(DataConfig(alphabet=str(tmp_path / "nowhere.txt")), store)


def test_a_split_that_nobody_has_is_refused_and_one_that_is_empty_is_said(
    store: Store, tones: Any, caplog: pytest.LogCaptureFixture
) -> None:
    config = tones.config(data=DataConfig(dev_split="devel"))
    with pytest.raises(DataError, match=r"'devel' \(data\.dev_split; tones has train.*did you mean 'dev'"):
        load_data(config, store)
    tones.publish(store, "alone", {"train": tones.clips(3), "dev": []})
    load_data(tones.config(data=DataConfig(corpora=("alone",))), store)
    assert "no utterance is in the split 'dev'" in caplog.text and "nothing is measured" in caplog.text

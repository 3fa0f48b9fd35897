"""The store's settings name the language models; mistakes in the file are said with key and place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lm.errors import LanguageModelUsageError
from lm.settings import read_settings, request_for


def settings(store: Path, text: str) -> Path:
    (store / "settings.toml").write_text(text)
    return store


def test_without_a_file_there_is_one_model_of_all_corpora(tmp_path: Path) -> None:
    [request] = read_settings(tmp_path)
    assert (request.publish, request.corpora, request.order, request.store) == ("default", None, 3, tmp_path)


def test_two_models_as_written(tmp_path: Path) -> None:
    settings(
        tmp_path,
        """
        [retrain]
        config = "x"
        [[language_models]]
        name = "general"
        text = ["novels.xz"]
        order = 4
        prune = [0, 0, 1]
        binary = "trie"
        quantise = 8
        [[language_models]]
        name = "digits"
        corpora = ["fsdd"]
        """,
    )
    general, digits = read_settings(tmp_path)
    assert (general.corpora, general.text, general.prune) == (None, (tmp_path / "novels.xz",), (0, 0, 1))
    assert (general.binary, general.quantise) == ("trie", 8)
    assert (digits.publish, digits.corpora, digits.order) == ("digits", ("fsdd",), 3)
    assert request_for("digits", tmp_path) == digits
    with pytest.raises(LanguageModelUsageError, match="there are: general, digits"):
        request_for("none", tmp_path)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[language_models]\n", "no valid TOML"),
        ("[language_models]\nname = 'x'\n", "two brackets"),
        ("[[language_models]]\nordre = 3\n", "unknown key 'ordre'"),
        ("[[language_models]]\norder = '3'\n", "must be int"),
        ("[[language_models]]\ntext = 'a.txt'\n", "a list of str"),
        ("[[language_models]]\n[[language_models]]\n", "default stands twice"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(LanguageModelUsageError, match=words):
        read_settings(settings(tmp_path, text))

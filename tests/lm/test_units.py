"""Models of characters, and networks whose outputs are the bytes of UTF-8."""

from __future__ import annotations

from pathlib import Path

import pytest

import native
from lm.build import build
from lm.errors import LanguageModelUsageError
from lm.inspection import query, verify
from lm.request import BuildRequest
from lm.units import SPACE_WORD, split, split_file

CHINESE = "今天天气很好。明天天气不好。今天很好。我很好，你好吗。你今天好吗。我明天很好。"
WELSH = "Mae'r felin yn troi. Mae'r afon yn fawr. Mae'r gŵr yn y tŷ. Y tŷ wrth yr afon."


def request(folder: Path, text: str, letters: str, **settings: object) -> BuildRequest:
    (folder / "text.txt").write_text(text.replace("。", "。\n"), encoding="utf-8")
    native.Alphabet(sorted(set(letters))).save(folder / "letters.txt")
    base = {"out": folder / "lm", "corpora": (), "text": (folder / "text.txt",), "order": 3, "store": folder}
    return BuildRequest(**{**base, "alphabet": folder / "letters.txt", **settings})  # type: ignore[arg-type]


def test_a_model_of_characters_without_blanks(tmp_path: Path) -> None:
    letters = "".join(sign for sign in CHINESE if sign not in "。，")
    result = build(request(tmp_path, CHINESE, letters, unit="characters"))
    assert result["vocabulary"] == len(set(letters)) == result["lexicon"]["words"]
    assert result["identity"]["unit"] == "characters"
    scorer = native.Scorer.load(tmp_path / "lm")
    assert scorer.info["unit"] == "characters" and scorer.alphabet.space == -1
    [sentence] = query(tmp_path / "lm", ["今天好"])["sentences"]
    assert [word["word"] for word in sentence["words"]] == ["今", "天", "好", "</s>"]
    assert not any(word["oov"] for word in sentence["words"])
    assert verify(tmp_path / "lm")["identity"]["unit"] == "characters"


def test_a_language_without_blanks_asks_for_characters_by_itself(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("今天 天气很好。明天，天气不好！\n", encoding="utf-8")
    asked = BuildRequest(
        out=tmp_path / "lm", corpora=(), text=(tmp_path / "text.txt",), language="zh", order=3, store=tmp_path
    )
    result = build(asked)
    assert result["identity"]["unit"] == "characters"
    assert result["sentences"]["kept"] == 2, "sentences end at their full stops"
    [sentence] = query(tmp_path / "lm", ["今天"])["sentences"]
    assert [word["word"] for word in sentence["words"]] == ["今", "天", "</s>"]


def test_a_model_of_characters_with_blanks(tmp_path: Path) -> None:
    result = build(request(tmp_path, WELSH, " abdefghilmnortuwyŵŷ'", unit="characters"))
    assert result["lexicon"]["words"] == result["vocabulary"]
    [sentence] = query(tmp_path / "lm", ["y tŷ"])["sentences"]
    assert [word["word"] for word in sentence["words"]] == ["y", SPACE_WORD, "t", "ŷ", "</s>"]
    assert not sentence["oov_words"]


def test_words_over_the_bytes_of_utf8(tmp_path: Path) -> None:
    result = build(request(tmp_path, WELSH, " abdefghilmnortuwyŵŷ'", labels="bytes"))
    scorer = native.Scorer.load(tmp_path / "lm")
    assert scorer.alphabet.kind == "bytes" and scorer.info["node_kind"] == "sorted"
    assert scorer.knows("tŷ") and scorer.knows("mae'r") and not scorer.knows("ŷt")
    assert (
        result["identity"]["labels"] == "bytes"
        and result["identity"]["alphabet_hash"] == scorer.alphabet.hash
    )
    assert native.Alphabet.load(tmp_path / "lm" / "alphabet.txt") == native.Alphabet.bytes()
    assert query(tmp_path / "lm", ["y tŷ"])["oov_words"] == 0


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"labels": "letters"}, "neither characters nor bytes"),
        ({"unit": "syllables"}, "neither words nor characters"),
        ({"unit": "characters", "vocabulary_size": 9}, "takes no vocabulary"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, settings: dict[str, object], words: str) -> None:
    with pytest.raises(LanguageModelUsageError, match=words):
        build(request(tmp_path, WELSH, " abc", **settings))


def test_splitting_a_file_says_its_longest_line(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("ab c\nd\n")
    spaced, unspaced = native.Alphabet([" ", *"abcd"]), native.Alphabet(list("abcd"))
    assert split_file(tmp_path / "a", tmp_path / "b", "characters", spaced) == 4
    assert (tmp_path / "b").read_text() == f"a b {SPACE_WORD} c\nd\n"
    assert split_file(tmp_path / "a", tmp_path / "b", "characters", unspaced) == 3
    assert split("ab c", "words") == "ab c"
    (tmp_path / "a").write_text(f"a{SPACE_WORD}b\n")
    with pytest.raises(LanguageModelUsageError, match="stands for a blank"):
        split_file(tmp_path / "a", tmp_path / "b", "characters", spaced)

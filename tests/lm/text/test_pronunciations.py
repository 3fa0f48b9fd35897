"""Lists of pronunciations as CMUdict and Kaldi have them, and what is refused by line."""

from __future__ import annotations

from pathlib import Path

import pytest

import native
from corpora.text.normaliser import default_alphabet
from lm.errors import LanguageModelUsageError
from lm.text.pronunciations import Pronunciations, read_pronunciations

NETWORK = native.Alphabet([" ", "N", "UW", "Y", "P", "AO", "Z"])
LETTERS = tuple(default_alphabet().labels)


def read(path: Path, text: str) -> Pronunciations:
    path.write_text(text, encoding="utf-8")
    return read_pronunciations(path, LETTERS, NETWORK)


def test_words_are_brought_to_the_form_of_the_text(tmp_path: Path) -> None:
    found = read(
        tmp_path / "list",
        ";;; a comment\n# another\n<eps> SIL\n!SIL SIL\nNEW  N UW\nNEW(2)\tN Y UW\nknew N UW\r\n\nnew N UW\nPaw’s P AO Z\n",
    )
    assert found.entries == (
        ("knew", ("N", "UW")),
        ("new", ("N", "UW")),
        ("new", ("N", "Y", "UW")),
        ("paw's", ("P", "AO", "Z")),
    )
    assert found.record["doubles"] == 1
    assert found.record["outside_letters"] == {"words": 2, "first": ["<eps>", "!SIL"]}
    assert (found.record["words"], found.record["pronunciations"]) == (3, 4)


def test_the_hash_is_of_what_is_said_not_of_how_the_file_is_written(tmp_path: Path) -> None:
    one = read(tmp_path / "one", "new N UW\nknew N UW\n")
    assert (
        one.hash
        == read(tmp_path / "two", "; ;;\n".replace("; ", ";") + "KNEW\tN  UW\nnew N UW\nnew N UW\n").hash
    )
    assert one.hash != read(tmp_path / "three", "new N UW\nknew N Y UW\n").hash


def test_a_models_words_without_a_pronunciation_are_counted_and_named(tmp_path: Path) -> None:
    found = read(tmp_path / "list", "new N UW\npaws P AO Z\n")
    entries, record, decisions = found.of(["new", "york", "city"])
    assert entries == [("new", ("N", "UW"))]
    assert record["without"] == {"words": 2, "first": ["york", "city"]} and record["not_in_text"] == {
        "words": 1
    }
    assert decisions == ["2 of the model's 3 words have no pronunciation and are never written: york, city"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "new N UW\nknew N OW\nno N OW\n",
            r"list:2: 'OW' is no label of the network \(AO, N, P.*and 1 more lines",
        ),
        (
            "new N UW1\n",
            r"list:1: 'UW1' is no label of the network, but 'UW' is: take the digits of stress away",
        ),
        ("new\n", r"list:1: 'new' has no pronunciation"),
        ("pause PZP\n", r"list:1: 'PZP' is no label of the network; write its labels with blanks .* P Z P"),
        (
            "<eps> SIL\n;;; nothing\n",
            r"holds no pronunciation of a word that the text's letters can write \(1 others",
        ),
    ],
)
def test_lines_that_cannot_be_used_are_refused(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(LanguageModelUsageError, match=sentence):
        read(tmp_path / "list", text)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"new \xff\n")
    with pytest.raises(LanguageModelUsageError, match="list cannot be read as UTF-8"):
        read_pronunciations(tmp_path / "list", LETTERS, NETWORK)


def test_a_list_that_ends_inside_a_line_is_told(tmp_path: Path) -> None:
    _, _, decisions = read(tmp_path / "list", "new N UW\npaws P AO").of(["new", "paws"])
    assert decisions == ["the list ends inside a line and may be cut there: 'paws P AO'"]
    assert read(tmp_path / "whole", "new N UW\n").of(["new"])[2] == []

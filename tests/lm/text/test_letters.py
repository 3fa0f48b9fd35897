"""Alphabets from text: letters and their marks, counts in comments, rare ones left out and listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import native
from corpora.text.draft import RARE_COUNT
from lm.__main__ import main
from lm.errors import EmptyTextError
from lm.text.letters import derive, write_alphabet


def text_file(folder: Path, text: str) -> Path:
    path = folder / "text.txt"
    path.write_text(text, encoding="utf-8")
    return path


def test_letters_are_counted_and_rare_ones_listed(tmp_path: Path) -> None:
    text = "Y tŷ a’r ty\u0302, 25 o do'au! " * RARE_COUNT + "Ω ж Ж"
    letters = derive([], [text_file(tmp_path, text)])
    alphabet = write_alphabet(tmp_path / "alphabet.txt", letters)
    assert alphabet.labels == [" ", *"adortuyŷ", "'"]
    assert letters.rare == ("ж", "ω") and letters.counts["ж"] == 2
    written = (tmp_path / "alphabet.txt").read_text()
    assert "# ŷ (U+0177): 10" in written and "# rare, left out: ж (U+0436): 2" in written
    assert alphabet.hash == native.Alphabet([" ", *"adortuyŷ", "'"]).hash, "comments take no part"


def test_scripts_without_blanks_have_no_space_and_marks_stay(tmp_path: Path) -> None:
    chinese = derive([], [text_file(tmp_path, "今天天气很好明天天气不好" * RARE_COUNT)])
    assert " " not in chinese.alphabet().labels and chinese.alphabet().space == -1
    hindi = derive([], [text_file(tmp_path, "चक्की घूमती है " * RARE_COUNT)])
    assert "ी" in hindi.alphabet().labels and "◌ी (U+0940)" in hindi.file_text()


def test_line_ends_are_no_blanks_but_a_list_of_words_has_a_space(tmp_path: Path) -> None:
    chinese = derive([], [text_file(tmp_path, "今天天气很好\n明天天气不好\n" * RARE_COUNT)])
    assert chinese.alphabet().space == -1
    words = derive([], [text_file(tmp_path, "good\nday\n" * RARE_COUNT)])
    assert words.alphabet().labels[0] == " "


def test_a_line_that_is_not_utf8_is_read_alone_and_counted(tmp_path: Path) -> None:
    path = tmp_path / "novel.txt"
    path.write_bytes(("Le rôle. ".encode() + b"\n") * RARE_COUNT + "caf\xe9\n".encode("latin-1") * RARE_COUNT)
    letters = derive([], [path])
    assert letters.lines_not_utf8 == {"novel.txt": RARE_COUNT}
    assert {"ô", "é"} <= set(letters.kept) and "Ã" not in letters.counts
    assert f"novel.txt: {RARE_COUNT} lines no UTF-8" in letters.file_text()


def test_text_without_letters_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmptyTextError, match="no letter"):
        derive([], [text_file(tmp_path, "1984 '' ?!\n")])


def test_the_command_writes_letters_or_bytes(
    tmp_path: Path, store_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = text_file(tmp_path, "ein schöner Tag " * 9)
    out = tmp_path / "de.txt"
    arguments = ["alphabet", str(out), "--text", str(text), "--store", str(store_root), "--json"]
    assert main(arguments) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["labels"] == len(native.Alphabet.load(out).labels) == 12
    assert main(["alphabet", str(out), "--bytes", "--json"]) == 0
    assert native.Alphabet.load(out).kind == "bytes"

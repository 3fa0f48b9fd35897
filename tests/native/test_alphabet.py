"""The alphabet as Python sees it; the file format is tested in C++."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import pytest

import native


def test_a_saved_alphabet_is_the_same_again(tmp_path: Path) -> None:
    alphabet = native.Alphabet([" ", "#", "é", "ch"], blank=0)
    alphabet.save(tmp_path / "alphabet.txt")
    again = native.Alphabet.load(tmp_path / "alphabet.txt", blank=0)
    assert again == alphabet and hash(again) == hash(alphabet) and again != native.Alphabet(alphabet.labels)
    assert alphabet.hash == hashlib.sha256((tmp_path / "alphabet.txt").read_bytes()).hexdigest()
    assert again.hash == native.Alphabet(alphabet.labels).hash, "the blank takes no part in the hash"
    assert pickle.loads(pickle.dumps(alphabet)) == alphabet


def test_text_is_compared_in_nfc(tmp_path: Path) -> None:
    alphabet = native.Alphabet(["e\u0301", "a"])
    assert alphabet.labels == ["\u00e9", "a"]
    assert alphabet.encode("e\u0301a\u00e9") == [0, 1, 0]
    (tmp_path / "alphabet.txt").write_text("e\u0301\na\n", encoding="utf-8")
    assert native.Alphabet.load(tmp_path / "alphabet.txt") == alphabet


def test_errors_are_ours_and_name_the_place(tmp_path: Path) -> None:
    alphabet = native.Alphabet([" ", "a"])
    with pytest.raises(native.AlphabetError, match=r"U\+0042.*byte 1"):
        alphabet.encode("aB")
    with pytest.raises(native.AlphabetError, match="blank"):
        alphabet.decode([0, 2])
    with pytest.raises(native.AlphabetError, match=r"missing\.txt.*No such file"):
        native.Alphabet.load(tmp_path / "missing.txt")
    assert issubclass(native.AlphabetError, native.SpeechmillError)
    assert native.AlphabetError.exit_status == 1


def test_bytes_spell_any_text_and_mend_what_is_none(tmp_path: Path) -> None:
    alphabet = native.Alphabet.bytes()
    assert (alphabet.kind, alphabet.size, alphabet.space, len(set(alphabet.labels))) == (
        "bytes",
        256,
        31,
        255,
    )
    assert alphabet.encode("é你") == [byte - 1 for byte in "é你".encode()]
    broken = "é你a".encode()[1:-2] + b"\xff b\xf0\x9f\x98"
    assert alphabet.decode([byte - 1 for byte in broken]) == broken.decode("utf-8", "replace")
    alphabet.save(tmp_path / "alphabet.txt")
    again = native.Alphabet.load(tmp_path / "alphabet.txt")
    assert again == alphabet == pickle.loads(pickle.dumps(alphabet)) and again.kind == "bytes"
    assert native.Alphabet(["a"]).kind == "characters"
    with pytest.raises(native.AlphabetError, match="byte 1"):
        alphabet.encode("a\0")

"""Labels of networks as the decoder reads them."""

from __future__ import annotations

import pytest

from native.pyctcdecode.alphabet import Alphabet, verify_alphabet_coverage


@pytest.mark.parametrize(
    ("labels", "read", "pieces"),
    [
        (["[PAD]", "|", "a", "[UNK]"], ["", " ", "a", "⁇"], False),
        (["a", "_", " "], ["a", "", " "], False),
        (["a", " ", "|"], ["a", " ", "|", ""], False),
        (["▁a", "b", "<pad>", "<unk>"], ["▁a", "b", "", "▁⁇▁"], True),
        (["a", "##b", "[CLS]", "▁"], ["▁a", "b", "[CLS]", "▁", ""], True),
    ],
)
def test_labels_are_brought_to_one_form(labels: list[str], read: list[str], pieces: bool) -> None:
    alphabet = Alphabet.build_alphabet(labels)
    assert (alphabet.labels, alphabet.is_bpe) == (read, pieces)
    again = Alphabet.loads(alphabet.dumps())
    assert (again.labels, again.is_bpe) == (read, pieces)


def test_labels_that_make_no_alphabet_are_named() -> None:
    with pytest.raises(ValueError, match="'a' occurs twice"):
        Alphabet.build_alphabet(["a", "b", "a"])
    with pytest.raises(ValueError, match="space"):
        Alphabet.build_alphabet(["▁a", "b c"])
    with pytest.raises(ValueError, match="keys"):
        Alphabet.loads('{"labels": []}')


def test_foreign_words_are_told(caplog: pytest.LogCaptureFixture) -> None:
    alphabet = Alphabet.build_alphabet(["a", "b", " "])
    verify_alphabet_coverage(alphabet, ["ab", "ba"])
    verify_alphabet_coverage(alphabet, [])
    assert not [one for one in caplog.records if "no label has" in one.message]
    verify_alphabet_coverage(alphabet, ["жук"])
    assert "ж" in caplog.text

"""Clean sentences: the quick way agrees with the normaliser, sentences end rightly, refusals are counted."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.transcript import Normalised, default_labels
from lm.cleaning import _quick_clean, clean_block, normaliser_for, split_sentences
from lm.text_files import TextBlock

LABELS = tuple(" abcdefghijklmnopqrstuvwxyz'")


def clean(text: str, wrapped: bool = False) -> list[str]:
    return clean_block(TextBlock("test", text.encode(), wrapped), LABELS).lines.decode().splitlines()


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="abzAZ '\".,;:?!-/\t()[]019é&%_~“”’", max_size=40))
def test_the_quick_way_never_differs_from_the_normaliser(raw: str) -> None:
    [quick] = _quick_clean([raw.encode()])
    if quick is None:
        return
    slow = normaliser_for(LABELS).normalise(raw)
    assert quick.decode() == (slow.text if isinstance(slow, Normalised) else "")


def test_the_alphabet_is_the_corpora_s() -> None:
    assert set(default_labels()) == set(LABELS)


def test_sentences_end_at_marks_and_not_at_titles_or_initials() -> None:
    text = 'Mr. Dale met J. Smith. "Who?" Dr. Gray asked. “Me!” It was I. He left… The end'
    assert clean(text) == [
        "mr dale met j smith",
        "who",
        "dr gray asked",
        "me",
        "it was i",
        "he left",
        "the end",
    ]


def test_wrapped_lines_are_joined_and_broken_words_mended() -> None:
    text = "Something, some-\nthing and well-\nknown went\non. Next\nsentence.\n\nA NEW PART\n\nHe said so.\n"
    assert clean(text, wrapped=True) == [
        "something something and well known went on",
        "next sentence",
        "a new part",
        "he said so",
    ]


def test_quotes_and_apostrophes() -> None:
    assert clean("‘Don’t go—now,’ she said; ’tis late at the boys’ house.") == [
        "don't go now she said 'tis late at the boys' house"
    ]


def test_numbers_are_refused_and_counted_as_are_foreign_letters() -> None:
    text = "In 1984 it was. The Λόγος rose. The café shut.\n"
    result = clean_block(TextBlock("test", text.encode(), False), LABELS)
    assert result.lines == b"the cafe shut\n"
    assert dict(result.refused) == {"numbers": 1, "bad_chars": 1}
    assert (result.read, result.kept) == (3, 1)
    assert "Λ" in result.outside_alphabet


def test_text_that_is_not_utf8_is_read_as_windows_1252_and_counted() -> None:
    result = clean_block(TextBlock("test", b"The caf\xe9 shut.\n", False), LABELS)
    assert (result.lines, result.not_utf8) == (b"the cafe shut\n", 1)


def test_another_alphabet_goes_through_the_normaliser_alone() -> None:
    labels = tuple(" abcdefghijklmnopqrstuvwxyzäöüß")
    result = clean_block(TextBlock("test", "Schöne Grüße.\n".encode(), False), labels)
    assert result.lines.decode() == "schöne grüße\n"


def test_splitting_keeps_every_letter() -> None:
    text = "One. Two! “Three?” Four"
    assert split_sentences(text.encode(), False).decode().split() == ["One.", "Two!", '"Three?"', "Four"]

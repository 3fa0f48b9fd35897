"""Clean sentences: the C++ cleaner agrees with the reference, sentences end rightly, refusals are counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.text.languages import labels_for
from corpora.text.normaliser import default_labels
from lm.text.characters import character_rules, cleaner_for
from lm.text.cleaning import clean_block
from lm.text.files import TextBlock, TextFile, read_blocks
from native import HeldOut, text_lines_are_wrapped
from tests.lm.text import reference_cleaning

LABELS = tuple(" abcdefghijklmnopqrstuvwxyz'")
GERMAN = tuple(" abcdefghijklmnopqrstuvwxyzäöüß")
CHINESE = tuple("今天气很好明不")
ARABIC = tuple(" ابتسلمكي")
HINDI = tuple(" कखगघमनसतेी्")
RUSSIAN = tuple(" абвгдеёжзийклмнопрстуфхцчшщъыьэюя-")
PIECES = [
    *"abzAZI '\".,;:?!-/\t()[]019é&%_~“”’‘`´—…ßšÄñİ\u00ad\u0301\u200b\u2028\xa0ЖжйЁ#*<>{}@+°♪ſ\x0c\x1c\x01\r\n",
    *("''", "'" * 3, "' '", "Mr. ", "J. ", "I. ", "\r\n", "\n\n", "-\n", "some-\nthing", "something "),
    *("(laughs)", "( laughter )", "(he said so)", "'em ", "o' ", "students' ", "goin' ", ". He", "?! Then "),
    *(
        "今天",
        "天气很好。",
        "好！ 不",
        "明天？不",
        "『好』",
        "一",
        "سَلام",
        "كتابـ",
        "ﻻ",
        "٣",
        "नमस्ते। ",
        "सेक",
        "ｂ",
        "１",
    ),
    *("&amp;", "%20", "<i>", "[noise]", "“Who?” ", "3rd ", " 'Tis ", "the ", "Cat ", "in ", "слово "),
]
SPOKEN_FORMS = [
    *("Charles ", "charles ", "CHARLES ", "Henry's ", "(John) ", "‘Pius’", "Book ", "chapter ", "Act\n"),
    *("I", "V", "X", "II", "IV", "VIII", "XIV", "XXXIX", "XL", "MDC", "Vi", "IIX", "i", "xii", "IÌ", "Mr. "),
    *("I ", "X ", "VI ", "II. ", "I. ", "I, ", "V; ", "I? ", "“I” ", "I'll ", "(II)", "(II and ", "II-"),
    *("I—", "II's ", "IInd ", "'X' ", "I\u200bI ", "V\xa0", "\x1fI.", "\u2028III", "X\u0301", "É", "I…"),
    *("XX!", "I:", "V.”", "-IV ", "£5 ", "$2.50 ", "1984 ", "10:30 ", "22nd ", "1,200 ", "€", "£ ", "No. "),
    *("a.m. ", "saw ", "it was ", "THE END", "King", " ", " ", ". ", ", ", "\n", "\r\n", "'", '"', "(", ")"),
    *(
        "\t",
        "_",
        "*",
        "IIs ",
        "XIVth ",
        "XLI\u200bI",
        "M\u200bDCC ",
        "XXIst,",
        "II-Charles ",
        "MDCC ",
        "MDCCLXVI-",
        "MIX ",
        "CIVIL ",
        "DID ",
        "VIs",
        "XIIth",
    ),
]


def clean(text: str, wrapped: bool = False) -> list[str]:
    return clean_block(TextBlock("test", text.encode(), wrapped), LABELS).lines.decode().splitlines()


def compare(text: str, wrapped: bool, labels: tuple[str, ...]) -> None:
    """The cleaner's answer must be that of the reference, sentence by sentence and reason by reason."""
    kept, refused = reference_cleaning.clean(text, wrapped, labels)
    result = clean_block(TextBlock("test", text.encode(), wrapped), labels)
    assert result.lines.decode().split("\n")[:-1] == kept
    assert result.refused == refused
    assert (result.kept, result.read) == (len(kept), len(kept) + sum(refused.values()))
    assert result.words == sum(len(sentence.split()) for sentence in kept)


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=25).map("".join),
    st.booleans(),
    st.sampled_from([LABELS, LABELS, GERMAN, RUSSIAN, CHINESE, ARABIC, HINDI]),
)
def test_the_cleaner_never_differs_from_the_reference(
    text: str, wrapped: bool, labels: tuple[str, ...]
) -> None:
    compare(text, wrapped, labels)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.sampled_from([*PIECES, *"#,-/:;=|_*"]), max_size=25).map("".join),
    st.booleans(),
    st.sets(st.sampled_from('#,-/:;=|$+~<>()[]{}&%@"')),
)
def test_any_sign_may_be_a_letter_of_the_alphabet(text: str, wrapped: bool, signs: set[str]) -> None:
    compare(text, wrapped, (*LABELS, *sorted(signs)))


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(SPOKEN_FORMS), max_size=12).map("".join), st.booleans())
def test_the_cleaner_never_differs_on_numerals_and_what_looks_like_them(text: str, wrapped: bool) -> None:
    compare(text, wrapped, LABELS)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60), st.booleans())
def test_the_cleaner_never_differs_on_any_text(text: str, wrapped: bool) -> None:
    compare(text.encode("utf-8", "ignore").decode(), wrapped, LABELS)


@pytest.mark.slow
def test_the_cleaner_never_differs_on_whole_novels(real_data: Path) -> None:
    novels = real_data / "english_novels.tar.xz"
    if not novels.is_file():
        pytest.skip("no novels here")
    compared = 0
    for number, block in enumerate(read_blocks(TextFile(novels))):
        if number % 6 == 0:
            compare(block.data.decode(), block.wrapped, LABELS)
            compared += 1
    assert compared > 10


def test_ordinary_text_is_not_left_to_the_normaliser() -> None:
    text = "“Don’t go—now,” she said; ’tis (so to speak) the boys’ car… The cafés of _Nice_ * * *\n"
    cleaned = cleaner_for(LABELS).clean(text.encode(), False)
    assert cleaned is not None and not cleaned[1]
    odd = cleaner_for(LABELS).clean(b"Fish & chips. It was (laughs) so.", False)
    assert odd is not None and [raw for _, raw in odd[1]] == [b"Fish & chips.", b"It was (laughs) so."]


def test_pronouns_headings_and_capitals_are_not_taken_for_numerals() -> None:
    text = b"It was I. You and I, too, saw it. CHAPTER XVII\nI'd say: I?\nVivid Xerxes met Ivy\nAm I (or not) I!\n"
    cleaned = cleaner_for(LABELS).clean(text, False)
    assert cleaned is not None and not cleaned[1]


def test_roman_numerals_are_refused_wherever_the_transcripts_refuse_them() -> None:
    text = "Book II. The king was Charles I. Henry VIII (so to speak) died. CHAPTER XIV\nIt was I.\n"
    result = clean_block(TextBlock("test", text.encode(), False), LABELS)
    assert result.lines.decode().splitlines() == ["chapter xiv", "it was i"]
    assert result.refused == {"numbers": 3}


@pytest.mark.parametrize("stop", "。！？।")
def test_a_text_may_begin_with_a_full_stop_of_another_script(stop: str) -> None:
    cleaned = cleaner_for(LABELS).clean(f"{stop}The fox ran over the hill.".encode(), False)
    assert cleaned is not None
    compare(f"{stop}The fox ran over the hill.{stop}It was so.", False, LABELS)


def test_every_letter_of_the_alphabet_has_a_rule() -> None:
    for labels in (LABELS, GERMAN, RUSSIAN):
        rules = {code: text for code, text, _, _ in character_rules(labels)}
        for label in labels:
            assert rules[ord(label)] == label
            assert rules[ord(label.upper()[0])] == label or label == "ß"


def test_held_out_sentences_never_pass_whichever_way_they_were_cleaned() -> None:
    held_out = HeldOut(["fish and chips for us all", "the fox ran over the hill", "yes"], 5)
    text = b"Fish & chips for us all! The fox ran over the hill. Yes. The fox ran."
    result = clean_block(TextBlock("test", text, False), LABELS, held_out)
    assert result.lines == b"yes\nthe fox ran\n"
    assert (result.read, result.kept, result.left_out, result.short_overlap) == (4, 2, 2, 1)
    kept_long = HeldOut(["the fox ran over the hill"], 5, True)
    again = clean_block(TextBlock("test", text, False), LABELS, kept_long)
    assert (again.kept, again.left_out, again.readmitted) == (4, 0, 1)


@pytest.mark.parametrize(
    ("sample", "wrapped"),
    [
        (b"It was a dark and \r\nstormy night, the \r\nrain fell. \r\n", True),
        (b"it was a dark and\nstormy night the\nrain fell\n", False),
        (b"One line.\nAnother line.\n", False),
        (b"", False),
    ],
)
def test_wrapped_lines_are_noticed_with_blanks_at_their_ends_too(sample: bytes, wrapped: bool) -> None:
    assert text_lines_are_wrapped(sample) is wrapped


def test_the_alphabet_is_the_corpora_s() -> None:
    assert set(default_labels()) == set(LABELS)


def test_sentences_end_at_marks_and_not_at_titles_or_initials() -> None:
    text = 'Mr. Dale met J. Smith. "Who?" Dr. Gray asked. “Me!” It was I. He left… The end'
    assert clean(text) == [
        "mister dale met j smith",
        "who",
        "doctor gray asked",
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
    assert (result.lines, result.lines_not_utf8) == (b"the cafe shut\n", 1)


def test_a_line_of_another_encoding_costs_no_other_line() -> None:
    lines = ["The rôle was hers.", "The café shut.", "Naïve we were."]
    data = [line.encode() for line in lines]
    data[1] = lines[1].encode("latin-1")
    result = clean_block(TextBlock("test", b"\r\n".join(data), False), LABELS)
    assert result.lines == b"the role was hers\nthe cafe shut\nnaive we were\n"
    assert (result.lines_not_utf8, result.kept) == (1, 3)


def test_a_line_of_two_encodings_is_refused_and_not_guessed() -> None:
    mixed = "The rôle of ".encode() + "the café.\n".encode("latin-1") + b"All is well.\n"
    result = clean_block(TextBlock("test", mixed, False), LABELS)
    assert (result.lines, dict(result.refused)) == (b"all is well\n", {"bad_chars": 1})
    assert result.outside_alphabet["\ufffd"] == 1


def test_titles_before_a_name_are_learnt_as_they_are_said() -> None:
    text = "Mrs Gray met Dr. Hill & Capt. Vane. MR. BELL, mr hill. He saw the Dr. St. John of 12 Elm Dr"
    assert clean(text.replace("12", "the")) == [
        "missus gray met doctor hill and captain vane",
        "mister bell mister hill",
        "he saw the doctor st john of the elm dr",
    ]
    german = tuple(" abcdefghijklmnopqrstuvwxyzäöüß'")
    result = clean_block(TextBlock("test", b"Dr. Gray kam.", False), german)
    assert result.lines == b"dr gray kam\n", "titles of another language are not those of English"


def test_another_alphabet_goes_through_the_normaliser_alone() -> None:
    labels = tuple(" abcdefghijklmnopqrstuvwxyzäöüß")
    result = clean_block(TextBlock("test", "Schöne Grüße.\n".encode(), False), labels)
    assert result.lines.decode() == "schöne grüße\n"


def test_text_is_read_by_the_rules_of_its_language() -> None:
    german = tuple(" abcdefghijklmnopqrstuvwxyzäöüß")
    block = TextBlock("test", b"Band II lag da & schwieg.\n", False)
    assert clean_block(block, german, language="de").lines == b"band ii lag da und schwieg\n"
    assert clean_block(block, german).refused == {"numbers": 1}, "English reads II after a name as a number"
    turkish = labels_for("tr")
    block = TextBlock("test", "ILIK İZMİR.\nYavaş ve ILIK.\n".encode(), False)
    assert clean_block(block, turkish, language="tr").lines.decode() == "ılık izmir\nyavaş ve ılık\n"


@pytest.mark.parametrize("apostrophe", ["'", "’"])
def test_a_king_s_number_is_no_word_of_the_quick_way(apostrophe: str) -> None:
    text = f"Louis XIV{apostrophe}s court was old. Malcolm X{apostrophe}s life. The DVI{apostrophe}s end."
    result = clean_block(TextBlock("test", text.encode(), False), LABELS)
    assert result.lines.decode().splitlines() == ["malcolm x's life", "the dvi's end"]
    assert result.refused == {"numbers": 1}

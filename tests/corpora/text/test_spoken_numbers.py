"""Spoken forms by kind: amounts, years, ordinals, kings, times of day; what is uncertain is refused, never cut."""

from __future__ import annotations

import pytest

from corpora.text.english_numbers import roman_value
from corpora.text.languages import labels_for
from corpora.text.normaliser import Normalised, Normaliser, Policies, Refused, default_labels

REFUSED = "!"


def spelled(raw: str, numbers: str = "spell", language: str = "en") -> str:
    result = Normaliser(
        labels_for(language), "verbatim", Policies(language=language, numbers=numbers)
    ).normalise(raw)
    return f"{REFUSED}{result.check}" if isinstance(result, Refused) else result.text


@pytest.mark.parametrize(
    ("raw", "wanted"),
    [
        ("It cost £150 a year.", "it cost one hundred fifty pounds a year"),
        ("worth $170,000", "worth one hundred seventy thousand dollars"),
        ("just £1", "just one pound"),
        ("for $21.45 only", "for twenty one dollars forty five cents only"),
        ("a fine of $0.50", "a fine of fifty cents"),
        ("about $2.5 million in all", "about two point five million dollars in all"),
        ("some 21€ more", "some twenty one euros more"),
        ("In 1963 he left.", "in nineteen sixty three he left"),
        ("on June 3, 1805,", "on june three eighteen oh five"),
        ("since 2003", "since two thousand three"),
        ("by 1900", "by nineteen hundred"),
        ("the 1840s", "the eighteen forties"),
        ("the 22nd", "the twenty second"),
        ("275 and 1,063 men", "two hundred seventy five and one thousand sixty three men"),
        ("at 12:30 p.m.", "at twelve thirty p m"),
        ("at 9:05", "at nine oh five"),
        ("at 8:00 a.m.", "at eight a m"),
        ("Henry VIII and Charles I.", "henry the eighth and charles the first"),
        ("World War II began", "world war two began"),
        ("Louis XIV's court, Part II’s end", "louis the fourteenth's court part two's end"),
        ("in Chapter XIV", "in chapter fourteen"),
        ("George V.'s crown, Charles I's head", "george the fifth's crown charles the first's head"),
        ("Henry VIII'S wives, Henry VIII'll", "henry the eighth's wives henry the eighth'll"),
        ("the XIXth century, the XXth's end", "the nineteenth century the twentieth's end"),
        ("the 22nd's men, the 9th’s colours", "the twenty second's men the ninth's colours"),
        ("in 1963's spring, the 1960's", "in nineteen sixty three's spring the nineteen sixties"),
        ("£150's worth, $1's worth", "one hundred fifty pounds worth one dollar's worth"),
        ("$2.5 million's worth", "two point five million dollars worth"),
        ("the 5:30's whistle at No. 5's door", "the five thirty's whistle at number five's door"),
        ("a $5 bill and a £10 note", "a five dollar bill and a ten pound note"),
        ("house No. 12", "house number twelve"),
        ("11.2 miles", "eleven point two miles"),
    ],
)
def test_a_kind_is_read_as_people_read_it(raw: str, wanted: str) -> None:
    assert spelled(raw) == wanted


@pytest.mark.parametrize(
    "raw",
    [
        "room 1026",
        "box 30016",
        "£1500 in gold",
        "worth $3.5",
        "No. 115",
        "in 605",
        "1838-9",
        "2/3 of it",
        "at 10:00 sharp",
        "about 1800 men",
        "part of XII it",
        "5b",
        "007",
        "100's of men",
        "of 1900's",
        "two 3's",
        "Henry VIIIs wives",
        "Louis XIV-era",
        "Louis XIV/XV",
        "about MCMXC's end",
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(raw: str) -> None:
    expected = {"about 1800 men": "about eighteen hundred men"}.get(raw, f"{REFUSED}numbers")
    assert spelled(raw) == expected


def test_no_amount_loses_a_word() -> None:
    for value in (2, 20, 150, 375, 10_000, 285_950, 1_000_001):
        for sign in "£$€":
            words = spelled(f"{sign}{value:,}").split()
            assert words[-1] in {"pounds", "dollars", "euros"}
            assert words[:-1] == spelled(f"{value:,}").split()


def test_roman_numerals_are_words_only_where_they_cannot_be_numbers() -> None:
    assert [roman_value(text) for text in ("IV", "XXXIX", "VIII")] == [4, 39, 8]
    assert not any(roman_value(text) for text in ("IIX", "MIX", "", "IL"))
    for numbers in ("reject", "table"):
        assert spelled("Henry VIII said so", numbers) == f"{REFUSED}numbers"
        assert spelled("so I said and I went", numbers) == "so i said and i went"
        assert spelled("a MIX of CIVIL and VIVID", numbers) == "a mix of civil and vivid"
        assert spelled("THE MIX OF II AND IV", numbers) == "the mix of ii and iv"
    assert spelled("Charles I saw him") == "charles i saw him"


def test_amounts_of_other_languages_are_whole_or_refused() -> None:
    assert spelled("environ 21€", language="fr") == "environ vingt et un euros"
    assert spelled("20 € im Jahr".replace(" €", "€"), language="de") == "zwanzig euro im jahr"
    assert spelled("21€ más", language="es") == f"{REFUSED}numbers"
    assert spelled("1,50€", language="de") == f"{REFUSED}numbers"


# --- alternations -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["switchboard", "fisher", "tedlium", "verbatim"])
def test_the_first_of_an_alternation_is_learnt_and_all_are_scored(style: str) -> None:
    rules = Normaliser(default_labels(), style, Policies(partial_words="keep"))
    result = rules.normalise("i would like { um / uh / i } yes { it's / it is } so")
    assert result == Normalised(
        "i would like um yes it's so", "i would like { um / uh / i } yes { it's / it is } so", ()
    )
    nothing = rules.normalise("so { @ / uh } it goes")
    assert isinstance(nothing, Normalised)
    assert (nothing.text, nothing.text_scoring) == ("so it goes", "so { @ / uh } it goes")


def test_partial_words_in_alternations_follow_the_policy() -> None:
    raw = "a nice day { th- / @ } today"
    strict = Normaliser(default_labels(), "switchboard").normalise(raw)
    assert isinstance(strict, Refused)
    assert strict.check == "partial_word"
    kept = Normaliser(default_labels(), "switchboard", Policies(partial_words="keep")).normalise(raw)
    assert isinstance(kept, Normalised)
    assert (kept.text, kept.text_scoring) == ("a nice day th today", "a nice day today")


# --- any text in little time --------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["librispeech", "tedlium", "fisher", "common_voice", "subtitle"])
@pytest.mark.parametrize(
    "raw",
    [
        "((" * 30_000,
        " " * 60_000 + "(x",
        "[laughter-" * 3_000 + "x" + "]" * 3_000,
        "&#" + "9" * 5_000 + ";",
        "{ a / " * 20_000,
    ],
    ids=["double round", "blanks", "laughter", "entity", "alternations"],
)
@pytest.mark.timeout(20)
def test_no_text_takes_long_or_ends_in_an_error(style: str, raw: str) -> None:
    assert isinstance(Normaliser(default_labels(), style).normalise(raw), Normalised | Refused)


@pytest.mark.parametrize(
    ("language", "raw", "wanted"),
    [
        ("de", "im Jahr 1963 kam er", "im jahr neunzehnhundertdreiundsechzig kam er"),
        ("de", "im Mai 1805", "im mai achtzehnhundertfünf"),
        ("de", "im Jahr 2005", "im jahr zweitausendfünf"),
        ("de", "1963 Menschen kamen", f"{REFUSED}numbers"),
        ("nl", "in het jaar 1963", "in het jaar negentien honderd drieënzestig"),
        ("da", "i året 1963", "i året nitten hundrede treogtreds"),
        ("nb", "i året 1963", "i året nitten hundre og sekstitre"),
        ("sv", "året 1963", f"{REFUSED}numbers"),
        ("fr", "en 1963", "en mille neuf cent soixante trois"),
    ],
)
def test_a_year_said_in_hundreds_is_no_count(language: str, raw: str, wanted: str) -> None:
    assert spelled(raw, language=language).replace("-", " ") == wanted

"""Named normalisers: what each does to a text, and that both sides meet."""

from __future__ import annotations

from pathlib import Path

import pytest

from scoring import normalisers
from scoring.compounds import merge_compounds
from scoring.errors import ScoringError
from scoring.normalisers.basic import normalise as basic
from scoring.normalisers.english import normalise as english
from scoring.normalisers.numbers import with_figures
from tests.scoring.files import counted, scored


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("twenty first", "21st"),
        ("ten thousand dollars", "$10000"),
        ("one oh one", "101"),
        ("nineteen eighty four", "1984"),
        ("the one who won", "the one who won"),
        ("two point five percent", "2.5%"),
        ("double oh seven", "007"),
        ("nineteen sixties", "1960s"),
        ("one hundred and five", "105"),
        ("20 million dollars", "$20000000"),
        ("five hundred and more", "500 and more"),
        ("minus three", "-3"),
        ("two hundredth", "200th"),
        ("oh dear", "oh dear"),
        ("one million two hundred thousand and twelve", "1200012"),
        ("1", "one"),
        ("eleventh", "11th"),
    ],
)
def test_number_words_become_figures(text: str, figures: str) -> None:
    assert " ".join(with_figures(text.split())) == figures


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("Mr. O’Brien can't, won't and shouldn't!", "mister o brien can not will not and should not"),
        ("um, I've [noise] seen (laughs) it", "i have seen it"),
        ("colour, theatre, analysed, travelled, realise", "color theater analyzed traveled realize"),
        ("otherwise advertise surprise exercise", "otherwise advertise surprise exercise"),
        ("it's $1,000.50 or 20 %", "it is $1000.50 or 20"),
        ("naïve café", "naive cafe"),
        ("He'd been there; she's gone", "he had been there she has gone"),
    ],
)
def test_english(text: str, normal: str) -> None:
    assert english(text) == normal
    assert english(normal) == normal


def test_basic_keeps_the_letters_of_any_language() -> None:
    assert basic("Größe! (lacht) «Élan» [x] 北京。") == "größe élan 北京"


def test_compounds_take_the_spelling_of_the_reference() -> None:
    steps = [("S", "age", "ageold", 0, 0), ("D", "old", None, 1, -1), ("C", "tale", "tale", 2, 1)]
    assert merge_compounds(steps) == "age old tale"
    steps = [("S", "ice-cream", "ice", 0, 0), ("I", None, "cream", -1, 1), ("S", "now", "no", 1, 2)]
    assert merge_compounds(steps) == "ice-cream no"


def test_normalisers_side_by_side(tmp_path: Path) -> None:
    texts = ("Mister Smith's colour-blind { twenty / 20 } (1)\n", "mr smith is color blind 20 (1)\n")
    names = ("r.trn", "h.trn")
    rates = {name: scored(tmp_path, *texts, names, normaliser=name).total for name in normalisers.NAMES}
    assert rates["english"].errors == 0 and rates["none"].errors > 0
    merged = scored(
        tmp_path, "an age-old ice cream (1)\n", "an age old icecream (1)\n", names, normaliser="compounds"
    )
    assert counted(merged) == (4, 0, 0, 0)
    with pytest.raises(ScoringError, match="none of none, compounds"):
        normalisers.find("klingon")


def test_an_alternative_that_vanishes_is_nothing_said(tmp_path: Path) -> None:
    result = scored(
        tmp_path, "{ um / well } yes (1)\n", "yes (1)\n", ("r.trn", "h.trn"), normaliser="english"
    )
    assert counted(result) == (1, 0, 0, 0)

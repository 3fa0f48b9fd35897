"""The texts of the interface: every language has all keys and places, and every key that is asked for is there."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from collect.checks.checks import CHECKS, OTHER_NAMES
from collect.clips.listening import REASONS
from collect.people.voices import AGES, GENDERS
from collect.web.texts import accepted_languages, choose, load_texts

FOLDER = Path(__file__).resolve().parents[2] / "collect"
TEXTS = load_texts()


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("code", sorted(TEXTS))
def test_every_language_says_everything_that_english_says(code: str) -> None:
    english, other = TEXTS["en"].entries, TEXTS[code].entries
    assert set(english) == set(other)
    assert {key: places(text) for key, text in english.items()} == {
        key: places(text) for key, text in other.items()
    }
    assert all(text.strip() for text in other.values())
    assert (FOLDER / "texts" / f"consent.{code}.txt").is_file()


def test_every_key_that_is_asked_for_is_there() -> None:
    known = set(TEXTS["en"].entries)
    asked: set[str] = set()
    for path in [*FOLDER.glob("templates/*.html"), *FOLDER.glob("static/*.js"), *FOLDER.glob("web/*.py")]:
        source = path.read_text("utf-8")
        asked |= set(re.findall(r"""\b(?:t|text|texts|texts_of\(request\))\(["'](\w+)["'][,)]""", source))
    asked |= {f"check_{name}" for name in [*(check.name for check in CHECKS), *OTHER_NAMES]}
    asked |= {f"admin_check_{name}" for name in [*(check.name for check in CHECKS), *OTHER_NAMES]}
    asked |= {f"listen_reason_{name}" for name in REASONS}
    asked |= {f"age_{name or 'none'}" for name in AGES} | {f"gender_{name or 'none'}" for name in GENDERS}
    assert not asked - known, sorted(asked - known)


def test_the_language_is_the_chosen_one_then_the_browsers() -> None:
    assert accepted_languages("de-AT,de;q=0.9,en;q=0.8,*;q=nonsense") == ["de-AT", "de", "en"]
    assert choose(TEXTS, ["ar", "de"]).direction == "rtl"
    assert choose(TEXTS, ["xx", "de-AT"]).language == "de"
    assert choose(TEXTS, ["xx", ""]).language == "en"

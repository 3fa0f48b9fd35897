"""The texts of the interface: every language has all keys and places, and every key that is asked for is there."""

from __future__ import annotations

import ast
import re
import string
from pathlib import Path

import pytest

from collect import errors
from collect.checks.checks import CHECKS, OTHER_NAMES
from collect.clips.listening import REASONS
from collect.errors import ForbiddenError, UnusableSentenceError
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


ENGLISH_ONLY = {  # what only the person at the command line is told, and what never reaches a page as it stands
    "__main__.py",
    "commands.py",
    "settings.py",
    "serving.py",
    "doubt.py",
    "doubt_worker.py",
    "publish.py",
    "common_voice.py",
    "airflow.py",
}


def refusals() -> dict[str, set[str]]:
    """Every English sentence that a refusal of the service is raised with, and its places."""
    found: dict[str, set[str]] = {}
    names = {name for name, value in vars(errors).items() if isinstance(value, type)}
    for path in sorted(FOLDER.rglob("*.py")):
        if path.name in ENGLISH_ONLY:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id not in names - {"RefusedSoundError", "UnusableSentenceError"}:
                continue
            template = node.args[0]
            assert isinstance(template, ast.Constant), ast.unparse(node)
            filled = {word.arg for word in node.keywords}
            assert places(template.value) == filled, (path.name, template.value, filled)
            found[template.value] = places(template.value)
    return found


@pytest.mark.parametrize("code", sorted(set(TEXTS) - {"en"}))
def test_every_refusal_is_told_in_every_language(code: str) -> None:
    wanted, told = refusals(), TEXTS[code].refusals
    assert set(told) == set(wanted), (sorted(set(wanted) - set(told)), sorted(set(told) - set(wanted)))
    assert {english: places(text) for english, text in told.items()} == wanted


def test_a_refusal_is_told_in_the_language_of_the_page() -> None:
    closed = ForbiddenError("the campaign {title} has ended: it takes nobody in any more", title="{Hafen}")
    assert str(closed) == "the campaign {Hafen} has ended: it takes nobody in any more"
    assert TEXTS["de"].refusal(closed).startswith("Die Kampagne {Hafen} ")
    assert TEXTS["en"].refusal(closed) == str(closed)
    assert (
        TEXTS["de"].refusal(ForbiddenError("nobody has translated {this}")) == "nobody has translated {this}"
    )


def test_why_a_sentence_cannot_be_read_aloud_is_told_in_every_language() -> None:
    checks = set()
    for path in [*(FOLDER.parent / "corpora/text").glob("*.py"), FOLDER / "sentences/cleaning.py"]:
        checks |= set(re.findall(r"(?:Refusal|Refused|Unusable)\(\s*\"([a-z_]+)\"", path.read_text("utf-8")))
    assert len(checks) > 10
    for texts in TEXTS.values():
        assert checks <= {key.removeprefix("unusable_") for key in texts.entries}
        told = texts.refusal(UnusableSentenceError("numbers", "digits in '12'"))
        assert ("'12'" in told) == (texts.language == "en")

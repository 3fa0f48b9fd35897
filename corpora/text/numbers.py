"""Digits and Roman numerals: refused, read by a reviewed table, or spelled out where there is one way to read them.

Spelled are counts, years, ordinals, amounts of money, times of day and Roman numerals of kings in English
(english_numbers.py), whole numbers, decimals and whole amounts elsewhere. A spelled number is still a guess: it is
flagged, and never used in dev or test. Fractions, references, telephone numbers and digits mixed with letters stay
refused, as does a Roman numeral that may be read in two ways.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from corpora.text import english_numbers
from corpora.text.languages import primary
from corpora.text.tables import NUMBERS

_EDGE = ".,;:?!\"'()“”„«»…‘’[]-–—"
_GROUPED = dict.fromkeys(("de", "es", "it", "nl", "pt", "tr"), ".") | {"en": ",", "cy": ",", "fr": "\u202f"}
_UNITS = {
    "de": {"€": "euro", "$": "dollar", "£": "pfund"},
    "fr": {"€": "euros", "$": "dollars", "£": "livres"},
    "es": {"€": "euros", "$": "dólares"},
    "it": {"€": "euro", "$": "dollari", "£": "sterline"},
    "nl": {"€": "euro", "$": "dollar", "£": "pond"},
    "pt": {"€": "euros", "$": "dólares"},
}
_CURRENCIES = "$€£"


def _set(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Languages of which four whole numbers of num2words were looked at; the code it has for them where that is another.
_SPOKEN = _set(
    "ar az be bn ca cs cy da de eo es fa fi fr he hu id is it ja kk kn ko lt lv nb nl nn no pl pt ro "
    "ru sk sl sv te tg th tr uk vi"
)
_CODES = {"kk": "kz", "nb": "no", "nn": "no"}
_DECIMALS = _set("az be ca cy da de eo es fi fr he id is it ja kn ko nb nl nn no pt sv tg th uk")
# One and two agree with what is counted, and a year is an ordinal: neither is certain without the sentence.
_AGREEING = _set("ar be cs he lt lv pl ru sk sl uk")
_YEARS = range(1000, 2100)
# Where a year is said in hundreds and a count in thousands: the words before a year.
_COUNTED_IN_HUNDREDS = range(1100, 2000)
_YEAR_WORDS = {
    "de": _set(
        "jahr jahre jahres anno sommer winter herbst frühling frühjahr januar jänner februar märz april mai juni juli "
        "august september oktober november dezember"
    ),
    "nl": _set(
        "jaar anno zomer winter herfst lente voorjaar najaar januari februari maart april mei juni juli augustus "
        "september oktober november december"
    ),
    "da": _set(
        "år året anno sommeren vinteren foråret efteråret januar februar marts april maj juni juli august september "
        "oktober november december"
    ),
} | dict.fromkeys(
    ("no", "nb", "nn", "sv"),
    _set(
        "år året året anno sommeren vinteren våren høsten hösten januar januari februar februari mars april mai maj juni "
        "juli august augusti september oktober november desember december"
    ),
)
_LONGEST = 15  # digits
_DIGIT = re.compile("[0-9]")


@dataclass(frozen=True)
class NumbersRead:
    """Text with its numbers in words; whether anything was spelled out; the first token that is not certain."""

    text: str
    spelled: bool = False
    odd: str | None = None


def may_hold_numbers(text: str) -> bool:
    """Whether there is anything to read: a digit, or capitals that may be a Roman numeral among other words."""
    if _DIGIT.search(text) or (not text.isascii() and any(is_number_sign(c) for c in text)):
        return True
    return bool(_ROMAN_LIKE.search(text)) and any(c.islower() for c in text)


def is_number_sign(character: str) -> bool:
    """Digits, fractions and the like; the numerals of Chinese are letters, and read as such."""
    return character.isnumeric() and not character.isalpha()


_ROMAN_LIKE = re.compile(r"\b[IVX]{2,}(?:s|st|nd|rd|th)?\b|[a-z]'? [IVX]\b|\b[IVXLCDM]{4,}\b")


def read_numbers(text: str, policy: str, language: str) -> NumbersRead:
    """Text with its numbers in words, by a policy: `reject`, `table` or `spell`."""
    spelled = False
    tokens = text.split()
    said_tokens: list[str] = []
    english = primary(language) == "en"
    mixed = any(c.islower() for c in text)
    skip = 0
    for at, token in enumerate(tokens):
        if skip:
            skip -= 1
            continue
        before, after = said_before(tokens, at), tokens[at + 1] if at + 1 < len(tokens) else ""
        core = token.strip(_EDGE)
        if not any(is_number_sign(c) for c in token):
            said = english_numbers.roman(core, before, token[-1:] in ".,;:?!") if english and mixed else None
            if said is None:
                said_tokens.append(token)
                continue
            if policy != "spell" or not said:
                return NumbersRead(text, spelled, token)
            spelled = True
            said_tokens.append(token.replace(core, said, 1))
            continue
        found = _said(core, (before, after), policy, language)
        if found is None:
            return NumbersRead(text, spelled, token)
        said, skip, guessed = found
        spelled = spelled or guessed
        if english and guessed and before.lower() == "no." and said_tokens:
            said_tokens[-1] = "number"
        said_tokens.append(token.replace(core, f" {said} ", 1))
    return NumbersRead(" ".join(said_tokens), spelled)


def said_before(tokens: list[str], at: int) -> str:
    """The token before one, "" at the beginning."""
    return tokens[at - 1] if at else ""


def _said(core: str, beside: tuple[str, str], policy: str, language: str) -> tuple[str, int, bool] | None:
    """(words, tokens taken beyond this one, whether that is a guess) of a token with digits, or None."""
    known = NUMBERS.get(core.lower()) if policy != "reject" and primary(language) == "en" else None
    if known is not None:
        return known, 0, False
    if policy != "spell":
        return None
    try:
        if primary(language) == "en":
            found = english_numbers.spoken(core, *beside)
            return None if found is None else (*found, True)
        tongue = primary(language)
        own = tongue in _YEAR_WORDS and core.isdecimal() and int(core) in _COUNTED_IN_HUNDREDS
        said = _year(core, beside[0], tongue) if own else _spelled(core, tongue)
    except (RuntimeError, OverflowError, TypeError, ValueError, KeyError):
        return None
    return None if said is None else (said, 0, True)


def _year(core: str, before: str, language: str) -> str | None:
    """A year as it is said in hundreds, behind a word that makes it one; None elsewhere: it may be a count."""
    import num2words

    if before.strip(_EDGE).lower() not in _YEAR_WORDS[language]:
        return None
    said = str(num2words.num2words(int(core), lang=_CODES.get(language, language), to="year"))
    return said.replace(" ", "") if language == "de" else said


def _spelled(core: str, language: str) -> str | None:
    """The words for one number in a language other than English, or None where it is not certain what it is."""
    import num2words

    sign, amount = (core[0], core[1:]) if core[:1] in _CURRENCIES else (core[-1:], core[:-1])
    if sign in _CURRENCIES and sign:
        unit, value = _UNITS.get(language, {}).get(sign), _value(amount, language)
        if (
            unit is None
            or not isinstance(value, int)
            or (value % 10 == 1 and (language, sign) != ("fr", "€"))
        ):
            return None  # a one before a unit has the unit's gender
        return f"{num2words.num2words(value, lang=language)} {unit}"
    value = _value(core, language)
    if value is None or not _is_certain(value, core, language):
        return None
    said = str(num2words.num2words(value, lang=_CODES.get(language, language)))
    return (
        said.replace(" و ", " و") if language == "ar" else said
    )  # the Arabic "and" is part of the next word


def _is_certain(value: float, core: str, language: str) -> bool:
    """Whether a number has one spoken form in a language, and num2words knows it."""
    if language not in _SPOKEN or (isinstance(value, float) and language not in _DECIMALS):
        return False
    if language not in _AGREEING or isinstance(value, float):
        return True
    return not (value % 10 in (1, 2) and value % 100 not in (11, 12)) and not (
        value in _YEARS and core.isdecimal()
    )


@cache
def _signs(language: str) -> tuple[str, str]:
    """The signs for thousands and decimals of a language."""
    group = _GROUPED.get(language)
    if group is not None:
        return group, "." if group == "," else ","
    from babel import Locale, UnknownLocaleError

    try:
        signs = Locale(language.partition("-")[0]).number_symbols
    except (UnknownLocaleError, ValueError):
        return ",", "."
    latin = signs.get("latn", signs)
    return str(latin.get("group", ",")), str(latin.get("decimal", "."))


def _value(core: str, language: str) -> int | float | None:
    """The number a token is, by the language's signs for thousands and decimals; None where it is none."""
    group, point = _signs(language)
    if not core.isascii() or sum(c.isdigit() for c in core) > _LONGEST:
        return None
    if re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+", core):
        return int(core.replace(group, ""))
    if re.fullmatch(r"0|[1-9]\d*", core):
        return int(core)
    if re.fullmatch(rf"\d+{re.escape(point)}\d+", core):
        return float(core.replace(point, "."))
    return None

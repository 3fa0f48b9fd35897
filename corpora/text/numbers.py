"""Digits: refused, read by a reviewed table, or spelled out by num2words where there is one way to read them.

Spelled are whole numbers, decimals, English ordinals and amounts of money. Years and counts look alike, so a
spelled number is a guess: it is flagged, and never used in dev or test. Times, fractions, references and digits
mixed with letters stay refused.
"""

from __future__ import annotations

import re

from corpora.text.languages import primary
from corpora.text.tables import NUMBERS

_EDGE = ".,;:?!\"'()“”„«»…"
_GROUPED = {
    "en": ",",
    "cy": ",",
    "de": ".",
    "es": ".",
    "it": ".",
    "nl": ".",
    "pt": ".",
    "tr": ".",
    "fr": "\u202f",
}
_CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP"}
_MONEY = {"en", "de", "fr", "es", "it", "nl", "pt"}
_ORDINAL = re.compile(r"^(\d{1,6})(st|nd|rd|th)$", re.IGNORECASE)
_LONGEST = 15  # digits


def read_numbers(text: str, policy: str, language: str) -> tuple[str, bool, str | None]:
    """Text with its numbers in words.

    Returns:
        (text, whether anything was spelled out, the first token that cannot be read with certainty or None).
    """
    spelled = False
    tokens = []
    for token in text.split():
        if not any(c.isnumeric() for c in token):
            tokens.append(token)
            continue
        core = token.strip(_EDGE)
        said = NUMBERS.get(core.lower()) if policy != "reject" and primary(language) == "en" else None
        if said is None and policy == "spell":
            said = _spelled(core, primary(language))
            spelled = spelled or said is not None
        if said is None:
            return text, spelled, token
        tokens.append(token.replace(core, f" {said} "))
    return " ".join(tokens), spelled, None


def _spelled(core: str, language: str) -> str | None:
    """The words for one number, or None where it is not certain what it is."""
    import num2words

    ordinal = _ORDINAL.match(core) if language == "en" else None
    sign, amount = (core[0], core[1:]) if core[:1] in _CURRENCIES else (core[-1:], core[:-1])
    try:
        if ordinal:
            return str(num2words.num2words(int(ordinal[1]), to="ordinal", lang="en"))
        if sign in _CURRENCIES and language in _MONEY:
            return _money(amount, _CURRENCIES[sign], language)
        value = _value(core, language)
        return None if value is None else str(num2words.num2words(value, lang=language))
    except (RuntimeError, OverflowError, TypeError, ValueError, KeyError):
        return None


def _money(amount: str, currency: str, language: str) -> str | None:
    import num2words

    value = _value(amount, language)
    if isinstance(value, float) and round(value * 100) != value * 100:
        return None
    if value is None:
        return None
    said = str(num2words.num2words(float(value), to="currency", currency=currency, lang=language))
    whole = isinstance(value, int)
    return re.split(r",| and | und | et | con | e ", said)[0] if whole else said


def _value(core: str, language: str) -> int | float | None:
    """The number a token is, by the language's signs for thousands and decimals; None where it is none."""
    group = _GROUPED.get(language, ",")
    point = "." if group == "," else ","
    if not core.isascii() or sum(c.isdigit() for c in core) > _LONGEST:
        return None
    if re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+", core):
        return int(core.replace(group, ""))
    if re.fullmatch(r"0|[1-9]\d*", core):
        return int(core)
    if re.fullmatch(rf"\d+{re.escape(point)}\d+", core):
        return float(core.replace(point, "."))
    return None

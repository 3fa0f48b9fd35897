"""English spoken forms by kind: counts, years, ordinals, amounts, times of day, Roman numerals, numbers of things.

Every function answers None where a form can be read in more than one way. Counts are read as Americans do, without
`and`. Years are bare numbers of four digits from 1100 to 2099 behind a word or a day that makes them one; other bare numbers
of four digits and more are addresses, boxes and counts alike, and refused. docs/donations.md says how often a reader
agrees.
"""

from __future__ import annotations

import re

YEARS = range(1100, 2100)
_CURRENCIES = {
    "$": (("dollar", "dollars"), ("cent", "cents")),
    "£": (("pound", "pounds"), ("penny", "pence")),
    "€": (("euro", "euros"), ("cent", "cents")),
}
_MAGNITUDES = frozenset(("hundred", "thousand", "million", "billion", "trillion"))
_COUNT = re.compile(r"0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:,[0-9]{3})+")
_DECIMAL = re.compile(r"([0-9]{1,9}|[1-9][0-9]{0,2}(?:,[0-9]{3})+)\.([0-9]{1,6})")
_ORDINAL = re.compile(r"([1-9][0-9]{0,5})(?:st|nd|rd|th)", re.IGNORECASE)
_TIME = re.compile(r"(0?[1-9]|1[0-2]|[01]?[0-9]|2[0-3]):([0-5][0-9])")
_DECADE = re.compile(r"([1-9][0-9])?([1-9]0)'?s")
_LONGEST = 15  # signs
_POSSESSIVE = re.compile(r"(.*[^.])\.?'s", re.IGNORECASE)
_ROMAN = re.compile(r"(X{0,3})(IX|IV|V?I{0,3})")
_ROMAN_TOKEN = re.compile(r"([IVX]+)(?:\.?('(?:s|S|ll|d))|(?:st|nd|rd|th)('s)?|(s))?")
# Numerals beyond those that are read; shorter ones are words and abbreviations (`MIX`, `CD`) as often.
_LARGE_ROMAN = re.compile(r"(?=[MDCLXVI]{4})M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")
_JOINED = re.compile(r"[-‐‑–—/]")


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REGNAL = _names(
    "Albert Alexander Alfonso Benedict Carlos Catherine Charles Christian Clement Constantine Edward Elizabeth Ferdinand "
    "Francis Frederick George Gregory Gustav Haakon Harold Henry Innocent James John Joseph Juan Julius Leo Leopold "
    "Louis Ludwig Mary Maximilian Napoleon Nicholas Olaf Otto Paul Pedro Peter Philip Pius Ramses Richard Robert Rudolf "
    "Sigismund Stephen Sixtus Urban Victor Wilhelm William Xerxes"
)
_COUNTED = _names(
    "war act appendix article book canto chapter chap class corps division figure grade level mark page part phase "
    "scene section stage table title type vol volume"
)
# Words before a number of four digits that make it a year.
_BEFORE_YEARS = _names(
    "in of since by from until till year years during before after between circa about around early late mid spring "
    "summer autumn fall winter january february march april may june july august september october november december "
    "jan feb mar apr jun jul aug sept sep oct nov dec and to a.d ad"
)
# What an amount before it describes, in the singular; what is said before other things differs.
_DESCRIBED = _names("bill bills note notes coin coins piece pieces")
# Words before a number of a thing or of a year before Christ: said whole, in pairs or by digits.
_BEFORE_THINGS = _names(
    "no number nos exhibit page pages box frame room at route flight p.s psalm street road in year lot model iq"
)


def cardinal(value: int | str) -> str:
    """`1063` → `one thousand sixty three`."""
    import num2words

    words = str(num2words.num2words(int(value), lang="en"))
    return " ".join(word for word in re.split(r"[\s,-]+", words) if word != "and")


def ordinal(value: int) -> str:
    """`22` → `twenty second`."""
    import num2words

    words = str(num2words.num2words(value, to="ordinal", lang="en"))
    return " ".join(word for word in re.split(r"[\s,-]+", words) if word != "and")


def year(value: int) -> str:
    """`1963` → `nineteen sixty three`, `1805` → `eighteen oh five`, `2003` → `two thousand three`."""
    century, rest = divmod(value, 100)
    if century == 20 and rest < 10:
        return cardinal(value)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def number(core: str, before: str = "") -> str | None:
    """A bare number: a count, a year or a decimal; `before` is the word that stands before it, in lower case."""
    match = _DECIMAL.fullmatch(core)
    if match:
        return f"{cardinal(match[1].replace(',', ''))} point {' '.join(cardinal(d) for d in match[2])}"
    if not _COUNT.fullmatch(core) or len(core) > _LONGEST:
        return None
    if "," in core:
        return None if before in _BEFORE_THINGS else cardinal(core.replace(",", ""))
    if len(core) == 4:
        is_year = int(core) in YEARS and (before in _BEFORE_YEARS or before.isdigit())
        return year(int(core)) if is_year else None
    if len(core) > 4 or (len(core) == 3 and before in _BEFORE_THINGS):
        return None
    return cardinal(core)


def spoken(core: str, before: str, after: str) -> tuple[str, int] | None:
    """(words, tokens taken beyond this one) of a token with digits; None where it is not certain what it is.

    Args:
        core: the token without signs at its edges. before, after: the tokens beside it, "" at the ends.
    """
    owner = _POSSESSIVE.fullmatch(core)
    if owner and not _DECADE.fullmatch(core):
        return _possessive(owner[1], before, after)
    match = _ORDINAL.fullmatch(core)
    if match:
        return ordinal(int(match[1])), 0
    if core[:1] in _CURRENCIES or core[-1:] in _CURRENCIES:
        return _amount(core, after)
    match = _TIME.fullmatch(core)
    if match:
        said = _time(int(match[1]), int(match[2]), after)
        return (said, 0) if said else None
    match = _DECADE.fullmatch(core)
    if match:
        tens = re.sub(r"y$", "ies", cardinal(match[2])) if match[2] != "10" else None
        return (f"{cardinal(match[1])} {tens}" if match[1] else tens, 0) if tens else None
    said = number(core, _bare(before))
    return None if said is None else (said, 0)


def _bare(token: str) -> str:
    return token.lower().strip(".,;:()'\"“”")


def _possessive(core: str, before: str, after: str) -> tuple[str, int] | None:
    """`22nd` of `22nd's` → `twenty second's`, `$100` of `$100's worth` → `one hundred dollars`; a year's, a time's.

    The possessive of a count may be its plural (`100's of men`), that of a round year a century.
    """
    count = _COUNT.fullmatch(core) or _DECIMAL.fullmatch(core)
    is_year = len(core) == 4 and not core.endswith("0")
    if count and not is_year and _bare(before) not in _BEFORE_THINGS:
        return None
    found = spoken(core, before, after)
    if found is None:
        return None
    is_plural = core[:1] in _CURRENCIES or core[-1:] in _CURRENCIES
    return (found[0] if is_plural and found[0].endswith("s") else f"{found[0]}'s"), found[1]


def _amount(core: str, after: str) -> tuple[str, int] | None:
    """`£150` → `one hundred fifty pounds`; `$2.5` before `million` → `two point five million dollars`."""
    sign = core[0] if core[0] in _CURRENCIES else core[-1]
    amount = core.strip("".join(_CURRENCIES))
    (one, many), (one_small, many_small) = _CURRENCIES[sign]
    following = after.lower().strip(".,;:?!\"'”’").removesuffix("'s")
    if following in _DESCRIBED:
        many, many_small = one, one_small
    if following in _MAGNITUDES:
        said = _plain(amount)
        return None if said is None else (f"{said} {following} {many}", 1)
    if _COUNT.fullmatch(amount):
        digits = amount.replace(",", "")
        if len(digits) > 12 or (
            len(digits) == 4 and "," not in amount and digits[2:] in {"00", "50"} and digits[1] != "0"
        ):
            return None  # `£1500`: fifteen hundred, or one thousand five hundred
        return f"{cardinal(digits)} {one if digits == '1' else many}", 0
    match = _DECIMAL.fullmatch(amount)
    if match is None or len(match[2]) != 2:
        return None
    whole, small = match[1].replace(",", ""), int(match[2])
    if small == 0:
        return None
    cents = f"{cardinal(small)} {one_small if small == 1 else many_small}"
    return (cents if int(whole) == 0 else f"{cardinal(whole)} {one if whole == '1' else many} {cents}"), 0


def _plain(amount: str) -> str | None:
    """A number that is no year: `1500 million`."""
    digits = amount.replace(",", "")
    return cardinal(digits) if _COUNT.fullmatch(amount) and len(digits) <= 12 else number(amount)


def _time(hour: int, minute: int, after: str) -> str | None:
    if minute == 0:
        half = re.sub(r"[^a-z]", "", after.lower())
        return cardinal(hour) if half in {"am", "pm"} else None
    return f"{cardinal(hour)} {'oh ' if minute < 10 else ''}{cardinal(minute)}"


# --- Roman numerals ---------------------------------------------------------------------------------------


def roman_value(core: str) -> int | None:
    """The value of a Roman numeral up to 39, None for anything else."""
    match = _ROMAN.fullmatch(core)
    if match is None or not core:
        return None
    ones = {"IX": 9, "IV": 4}.get(match[2])
    return 10 * len(match[1]) + (ones if ones is not None else 5 * match[2].count("V") + match[2].count("I"))


def roman(core: str, before: str, ends: bool) -> str | None:
    """`VIII` behind `Henry` → `the eighth`, behind `Chapter` → `eight`; "" for a numeral that may be either.

    A possessive stays (`VIII's` → `the eighth's`), `XIXth` is an ordinal wherever it stands.

    Args:
        ends: whether a sign stands behind it: `Charles I.` is a king, in `Charles I saw` he may be none.

    Returns:
        None where it is no numeral but a word.
    """
    match = _ROMAN_TOKEN.fullmatch(core)
    value = roman_value(match[1]) if match else None
    if match is None or value is None:
        parts = _JOINED.split(_POSSESSIVE.sub(r"\1", core))
        held = [one for one in parts if _LARGE_ROMAN.fullmatch(one) or (len(one) > 1 and roman_value(one))]
        return "" if held and all(parts) else None
    numeral, ending = match[1], (match[2] or match[3] or "").lower()
    if match[4]:
        return "" if len(numeral) > 1 else None
    if core.removeprefix(numeral)[:1].isalpha():
        return ordinal(value) + ending if len(numeral) > 1 else None
    name = before.strip(".,;:'\"()").removesuffix("'s")
    is_king = ends or (ending == "'s" and before[-1:] != ",")
    if name in _REGNAL and (numeral != "I" or is_king):
        return f"the {ordinal(value)}{ending}"
    if len(numeral) == 1:
        return None
    return cardinal(value) + ending if name.lower() in _COUNTED else ""

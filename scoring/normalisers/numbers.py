"""English number words to figures: `twenty first` -> 21st, `ten thousand dollars` -> $10000, `one oh one` -> 101.

Numbers in a row are read one after the other (`nineteen eighty four` -> 1984); a lone `one` stays a word, and a
lone 1 becomes it. Reads lower-case words without signs but those of amounts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_UNITS = {word: value for value, word in enumerate(_SMALL)}
_ZEROS = ("oh", "o")  # inside a number only
_TENS = {
    word: 10 * value
    for value, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2
    )
}
_SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
_ORDINALS = {
    "first": "one", "second": "two", "third": "three", "fifth": "five", "eighth": "eight", "ninth": "nine",
    "twelfth": "twelve",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3}
_MONEY = {
    "dollar": "$", "dollars": "$", "euro": "€", "euros": "€", "pound": "£", "pounds": "£", "cent": "¢",
    "cents": "¢",
}  # fmt: skip
_SIGNS = {"minus": "-", "negative": "-", "plus": "+"}
_FIGURES = re.compile(r"([$€£¢]?)(\d+(?:\.\d+)?)")


def with_figures(words: Sequence[str]) -> list[str]:
    """The words, number words replaced."""
    reader = _Reader(words)
    found: list[str] = []
    at = 0
    while at < len(words):
        text, end = reader.amount(at)
        if end == at:
            text, end = ("one" if words[at] == "1" else words[at]), at + 1
        found.append(text)
        at = end
    return found


class _Reader:
    """Reads numbers at a place in the words; every method gives what was read and the place after it."""

    def __init__(self, words: Sequence[str]) -> None:
        self._said = words
        pairs = [_cardinal_and_ending(word) for word in words]
        self._words = [word for word, _ in pairs]
        self._endings = [ending for _, ending in pairs]

    def amount(self, at: int) -> tuple[str, int]:
        """A number with its sign, currency or per cent; the same place if there is none."""
        sign = _SIGNS.get(self._said[at], "")
        text, end = self._number(at + bool(sign))
        if end == at + bool(sign):
            return "", at
        if self._said[at:end] == ["one"]:
            after = self._said[end : end + 1]
            if not after or (after[0] not in _MONEY and after[0] != "percent"):
                return "", at
        if end < len(self._said) and not self._endings[end - 1]:
            if (money := _MONEY.get(self._said[end])) is not None and text[0].isdigit():
                return sign + money + text, end + 1
            if self._said[end] == "percent":
                return sign + text + "%", end + 1
            if self._said[end : end + 2] == ["per", "cent"]:
                return sign + text + "%", end + 2
        return sign + text, end

    def _number(self, at: int) -> tuple[str, int]:
        if at < len(self._said) and (match := _FIGURES.fullmatch(self._said[at])) is not None:
            return self._written(match, at)
        parts: list[str] = []
        end = at
        while True:
            text, after = self._part(end, first=not parts)
            if after == end:
                break
            parts.append(text)
            end = after
            if self._endings[end - 1]:
                return "".join(parts), end
        if not parts:
            return "", at
        decimals, after = self._decimals(end)
        return "".join(parts) + decimals, after

    def _written(self, match: re.Match[str], at: int) -> tuple[str, int]:
        """Figures, with a scale after them: 20 million, $3.5 billion."""
        money, figures = match.groups()
        following = self._word(at + 1)
        if following in _SCALES:
            text, end = str(round(float(figures) * _SCALES[following])), at + 2
        elif following in _MONEY or following == "percent":
            text, end = figures, at + 1
        else:
            return "", at
        return money + text, end

    def _part(self, at: int, first: bool) -> tuple[str, int]:
        """One number of a row: a cardinal with its ending, a zero said oh, a double figure."""
        word = self._word(at)
        if word in _ZEROS and not first:
            return "0", at + 1
        if word in _TIMES and (digit := self._digit(at + 1)) is not None:
            return digit * _TIMES[word], at + 2
        value, end = self._cardinal(at)
        if value is None:
            return "", at
        ending = self._endings[end - 1]
        return str(value) + (_ordinal_ending(value) if ending == "th" else ending), end

    def _cardinal(self, at: int) -> tuple[int | None, int]:
        """… thousand … hundred …, scales falling."""
        value, end = self._below_thousand(at)
        if value is None:
            return None, at
        total, most = 0, 10**15
        while not self._endings[end - 1] and (scale := _SCALES.get(self._word(end), 0)) and scale < most:
            total, most, value, end = total + value * scale, scale, 0, end + 1
            if self._endings[end - 1]:
                break
            more, after = self._below_thousand(self._after_and(end))
            if more is None:
                break
            value, end = more, after
        return total + value, end

    def _below_thousand(self, at: int) -> tuple[int | None, int]:
        value, end = self._below_hundred(at)
        if value is None or self._endings[end - 1] or self._word(end) != "hundred" or value == 0:
            return value, end
        value, end = value * 100, end + 1
        if self._endings[end - 1]:
            return value, end
        more, after = self._below_hundred(self._after_and(end))
        return (value, end) if more is None else (value + more, after)

    def _below_hundred(self, at: int) -> tuple[int | None, int]:
        word = self._word(at)
        if word in _TENS:
            unit = _UNITS.get(self._word(at + 1), 0)
            if 0 < unit < 10 and not self._endings[at]:
                return _TENS[word] + unit, at + 2
            return _TENS[word], at + 1
        return (_UNITS[word], at + 1) if word in _UNITS else (None, at)

    def _after_and(self, at: int) -> int:
        return at + 1 if self._word(at) == "and" else at

    def _decimals(self, at: int) -> tuple[str, int]:
        if self._word(at) != "point":
            return "", at
        end = at + 1
        figures = ""
        while (digit := self._digit(end)) is not None:
            figures += digit
            end += 1
        return ("." + figures, end) if figures else ("", at)

    def _digit(self, at: int) -> str | None:
        word = self._word(at)
        if word in _ZEROS:
            return "0"
        value = _UNITS.get(word, 10)
        return str(value) if value < 10 and not self._endings[at] else None

    def _word(self, at: int) -> str:
        return self._words[at] if at < len(self._words) else ""


def _cardinal_and_ending(word: str) -> tuple[str, str]:
    """first -> (one, th), sixties -> (sixty, s), ten -> (ten, nothing)."""
    if word in _ORDINALS:
        return _ORDINALS[word], "th"
    if word.endswith(("ieth", "ies")):
        stem = word.removesuffix("ieth").removesuffix("ies") + "y"
        if stem in _TENS:
            return stem, "th" if word.endswith("th") else "s"
    stem = word.removesuffix("th")
    if stem != word and (stem in _UNITS or stem in _SCALES or stem == "hundred"):
        return stem, "th"
    return word, ""


def _ordinal_ending(value: int) -> str:
    if value % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")

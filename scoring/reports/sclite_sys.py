"""sclite's `.sys`: percentages by speaker, their sum, mean, standard deviation and median, drawn as sclite draws them.

Speakers without a reference word show counts, marked *; means leave them out. Confidence measures are not shown.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from scoring.score import Counts, Score

_PAGE_COLUMNS = 80
_HEADINGS = (" SPKR", " # Snt", "# Wrd", "Corr", " Sub", " Del", " Ins", " Err", "S.Err")
_DIVIDERS = "| |     "  # after each column but the last; the first two of three groups end with |
_NOTE = (
    "\n* No Reference words for this/these speaker(s).  Word counts supplied\n  rather than percents.\n"
    "# No Reference words for this/these speaker(s).  NCE not computable.\n"
    "+ Speaker(s) with no reference data is ignored\n"
)


def render(score: Score, title: str) -> str:
    """The whole report as text."""
    speakers = score.speakers()
    rows = [(f" {name} ", *_row(counts)) for name, counts in speakers.items()]
    total = score.total
    rows.append((" Sum/Avg", *_row(total)))
    summary = _summary(list(speakers.values()))
    table = _Table(title, [_HEADINGS, *rows, *summary])
    head = "SYSTEM SUMMARY PERCENTAGES by SPEAKER".center(_PAGE_COLUMNS)
    text = "\n\n\n" + _centred(head.strip(), _PAGE_COLUMNS) + "\n\n" + table.text(len(speakers))
    return text + (_NOTE if any(counts.words == 0 for counts in speakers.values()) else "")


def _rates(counts: Counts) -> list[float]:
    """Corr, Sub, Del, Ins, Err in per cent of the words; counts where there is no word."""
    values = [counts.correct, counts.substitutions, counts.deletions, counts.insertions, counts.errors]
    return [value / counts.words * 100 for value in values] if counts.words else [float(v) for v in values]


def _sentence_rate(counts: Counts) -> float:
    return counts.utterances_wrong / counts.utterances * 100 if counts.utterances else 0.0


def _row(counts: Counts) -> list[str]:
    cells = [f"{counts.utterances:5d}", f"{counts.words:5d}"]
    if counts.words:
        cells += [f"{_rounded(rate):5.1f} " for rate in _rates(counts)]
    else:
        cells += [f"{_rounded(rate, 0):5.0f}*" for rate in _rates(counts)]
    return [*cells, f"{_rounded(_sentence_rate(counts)):5.1f} "]


def _summary(speakers: Sequence[Counts]) -> list[tuple[str, ...]]:
    """Mean, standard deviation and median over the speakers."""
    spoken = [counts for counts in speakers if counts.words]
    mark = " " if len(spoken) == len(speakers) else "+"
    columns: list[tuple[list[float], str]] = [
        ([float(counts.utterances) for counts in speakers], " "),
        ([float(counts.words) for counts in speakers], " "),
        *(([_rates(counts)[index] for counts in spoken], mark) for index in range(5)),
        ([_sentence_rate(counts) for counts in speakers], " "),
    ]
    rows = []
    for name, figure in ((" Mean ", _mean), (" S.D. ", _deviation), ("Median", _median)):
        cells = [f"{_rounded(figure(values)):5.1f}{sign}" for values, sign in columns]
        rows.append((name, *cells))
    return rows


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def _deviation(values: Sequence[float]) -> float:
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _median(values: Sequence[float]) -> float:
    return statistics.median(values) if values else 0.0


def _rounded(value: float, digits: int = 1) -> float:
    """Half away from zero."""
    scale: int = 10**digits
    return math.floor(value * scale + 0.5) / scale


def _centred(text: str, width: int) -> str:
    """Between blanks; the odd one behind."""
    before = max(0, width - len(text)) // 2
    return " " * before + text + " " * max(0, width - len(text) - before)


class _Table:
    """A framed table under a title, its columns as wide as their widest cell, the page 80 wide."""

    def __init__(self, title: str, rows: Sequence[Sequence[str]]) -> None:
        self._title = title
        self._rows = rows
        self._text = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
        least = 2 + sum(self._text) + len(self._text) - 1
        self._width = max(least, len(title) + 2)
        self._extra = self._shares(self._width - least)

    def _shares(self, spare: int) -> list[int]:
        """What each column gets of the width a long title asks for."""
        given = 0
        shares = []
        for column in range(len(self._text)):
            last = column == len(self._text) - 1
            share = (
                spare - given if last else int(_rounded(spare / len(self._text) * (column + 1), 0)) - given
            )
            given += share
            shares.append(share)
        return shares

    def text(self, speakers: int) -> str:
        """All lines; `speakers` rows follow the headings before the sum."""
        inner = self._width - 2
        lines = [
            f",{'-' * inner}.",
            f"|{self._title_cell(inner)}|",
            f"|{'-' * inner}|",
            self._line(self._rows[0]),
        ]
        for number, row in enumerate(self._rows[1:]):
            if number in (speakers, speakers + 1):
                lines.append(f"|{'=' * inner}|")
            elif number < speakers:
                lines.append(self._ruler())
            lines.append(self._line(row))
        lines.append(f"`{'-' * inner}'")
        indent = " " * (max(0, _PAGE_COLUMNS - self._width) // 2)
        return "".join(f"{indent}{line}\n" for line in lines)

    def _title_cell(self, inner: int) -> str:
        return _centred(self._title, inner)

    def _line(self, row: Sequence[str]) -> str:
        cells = []
        for column, cell in enumerate(row):
            summary = column == 0 and cell in (" Mean ", " S.D. ", "Median")
            width = self._text[column]
            shown = cell.ljust(width) if column == 0 and not summary else _centred(cell, width)
            before = self._extra[column] // 2
            cells.append(" " * before + shown + " " * (self._extra[column] - before))
        return "|" + "".join(cell + end for cell, end in zip(cells, _DIVIDERS + "|", strict=True))

    def _ruler(self) -> str:
        parts = ["-" * (text + extra) for text, extra in zip(self._text, self._extra, strict=True)]
        joined = "".join(
            part + ("+" if end == "|" else "-") for part, end in zip(parts, _DIVIDERS, strict=False)
        )
        return f"|{joined}{parts[-1]}|"

"""Compounds: `age old`, `age-old` and `ageold` are one spelling each; the hypothesis takes the reference's.

Only where the signs are the same, hyphens and blanks apart, and only inside a stretch that was not right: the
reference, and with it the number of its words, stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

_MOST_WORDS = 6  # joined at once


def merge_compounds(steps: Sequence[tuple[str, str | None, str | None, int, int]]) -> str:
    """The hypothesis of a path, its compounds written as the reference writes them."""
    words: list[str] = []
    for right, group in groupby(steps, lambda step: step[0] == "C"):
        stretch = list(group)
        heard = [step[2] for step in stretch if step[2]]
        words += heard if right else _respelled([step[1] for step in stretch if step[1]], heard)
    return " ".join(words)


def _respelled(said: Sequence[str], heard: Sequence[str]) -> list[str]:
    found: list[str] = []
    at, first = 0, 0
    while at < len(heard):
        match = _same_signs(said, heard, first, at)
        if match is None:
            found.append(heard[at])
            at += 1
        else:
            start, end, stop = match
            found += said[start:end]
            first, at = end, stop
    return found


def _same_signs(
    said: Sequence[str], heard: Sequence[str], first: int, at: int
) -> tuple[int, int, int] | None:
    """Reference words [start, end) that have the signs of hypothesis words [at, stop), the longest there is."""
    for stop in range(min(len(heard), at + _MOST_WORDS), at, -1):
        wanted = _signs(heard[at:stop])
        for start in range(first, len(said)):
            for end in range(start + 1, min(len(said), start + _MOST_WORDS) + 1):
                if wanted and _signs(said[start:end]) == wanted:
                    return start, end, stop
    return None


def _signs(words: Sequence[str]) -> str:
    return "".join(words).replace("-", "")

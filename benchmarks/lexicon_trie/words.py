"""Word lists of a given size from a text: its own words by frequency, then invented ones that look alike.

Invented words come from the text's letter 4-grams, drawn with a fixed seed, so that the same text gives the
same list. Nothing is downloaded.
"""

from __future__ import annotations

import random
import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

from lm.text.files import expand_paths, read_blocks

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_CONTEXT = 4
_LONGEST = 18
_MISSES = 1000


def words_of(paths: Sequence[Path]) -> list[str]:
    """The different words of some text files, most frequent first."""
    counts: Counter[str] = Counter()
    for file in expand_paths(paths):
        for block in read_blocks(file):
            counts.update(_WORD.findall(block.data.decode("utf-8", "replace").lower().replace("’", "'")))
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def grow(words: Sequence[str], size: int) -> list[str]:
    """`size` different words, sorted: the first ones given, then invented ones.

    Where the letters of few words allow no more new ones, shorter runs of letters are followed.
    """
    chosen, chance, context = set(words[:size]), random.Random(1), _CONTEXT
    follow, misses = _followers(words, context), 0
    while len(chosen) < size:
        word = _invent(follow, context, chance)
        if word and word not in chosen:
            chosen.add(word)
            misses = 0
        elif (misses := misses + 1) > _MISSES and context > 1:
            context, misses = context - 1, 0
            follow = _followers(words, context)
    return sorted(chosen)


def _followers(words: Sequence[str], context: int) -> dict[str, list[str]]:
    """Which letters (or the end, $) stood behind each run of letters, as often as they did."""
    follow: dict[str, list[str]] = defaultdict(list)
    for word in words:
        padded = "^" * context + word + "$"
        for at in range(context, len(padded)):
            follow[padded[at - context : at]].append(padded[at])
    return follow


def _invent(follow: dict[str, list[str]], context: int, chance: random.Random) -> str:
    """One invented word, or nothing if it grew too long."""
    spelled = "^" * context
    while len(spelled) < context + _LONGEST:
        letter = chance.choice(follow[spelled[-context:]])
        if letter == "$":
            return spelled[context:]
        spelled += letter
    return ""

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

from lm.text_files import read_blocks

_WORD = re.compile(r"[a-z]+(?:'[a-z]+)?")
_CONTEXT = 4
_LONGEST = 18


def words_of(paths: Sequence[Path]) -> list[str]:
    """The different words of some text files, most frequent first."""
    counts: Counter[str] = Counter()
    for block in read_blocks(paths):
        counts.update(_WORD.findall(block.data.decode("utf-8", "replace").lower().replace("’", "'")))
    return [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]


def grow(words: Sequence[str], size: int) -> list[str]:
    """`size` different words, sorted: the first ones given, then invented ones."""
    chosen = set(words[:size])
    follow: dict[str, list[str]] = defaultdict(list)
    for word in words:
        padded = "^" * _CONTEXT + word + "$"
        for at in range(_CONTEXT, len(padded)):
            follow[padded[at - _CONTEXT : at]].append(padded[at])
    chance = random.Random(1)
    while len(chosen) < size:
        spelled = "^" * _CONTEXT
        while len(spelled) < _CONTEXT + _LONGEST:
            letter = chance.choice(follow[spelled[-_CONTEXT:]])
            if letter == "$":
                chosen.add(spelled[_CONTEXT:])
                break
            spelled += letter
    return sorted(chosen)

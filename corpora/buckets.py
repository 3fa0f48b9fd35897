"""Things shared out by the hash of their keys, so that one more thing moves almost none of the others.

A leaf holds the things whose hashes begin with the same bits. It is cut in two, by the next bit, only when
it weighs more than the limit: adding, taking away or changing one thing touches its own leaf (or its two
halves) and no other. This module knows nothing of what is shared out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Thing = TypeVar("Thing")
_BITS = 64


def hash64(text: str) -> int:
    """The first 64 bits of the SHA-256 of a text."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def leaves(
    things: Iterable[Thing], key: Callable[[Thing], str], weight: Callable[[Thing], float], limit: float
) -> Iterator[tuple[str, list[Thing]]]:
    """Cut things into leaves of at most `limit`, or of a single key that is heavier.

    Args:
        key: unique and stable; its hash decides the leaf.
        weight: at least 0, in the measure of `limit`.

    Yields:
        (the leaf's bits as text, its things sorted by key), in the order of the bits; no leaf is empty.
    """
    hashed = sorted(((hash64(key(thing)), key(thing), thing) for thing in things), key=lambda e: e[:2])
    waiting = [(0, len(hashed), "")]
    while waiting:
        first, end, bits = waiting.pop()
        here = hashed[first:end]
        if not here:
            continue
        one = here[0][0] == here[-1][0] or len(bits) == _BITS
        if one or sum(weight(thing) for _, _, thing in here) <= limit:
            yield bits, [thing for _, _, thing in sorted(here, key=lambda e: e[1])]
            continue
        mask = 1 << (_BITS - 1 - len(bits))
        middle = first + sum(1 for value, _, _ in here if not value & mask)
        waiting += [(middle, end, bits + "1"), (first, middle, bits + "0")]

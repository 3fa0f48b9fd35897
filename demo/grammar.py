"""The invented language of the demo: a small harbour-town grammar full of English homophones.

What it does: draws sentences from a few phrase rules over about 100 words (`knew/new`, `to/two`,
`for/four`, `paws/pause` …), so the words are few and the sentences are open-ended. Every sentence belongs
for ever to one pool, by its hash: `train` (training transcripts and the language model's extra text),
`dev`, `test`, or one pool per corpus whose splits are drawn at import. No sentence can therefore be in two
pools, whatever the seed or the corpus.

What it does not do: it knows nothing of voices, audio or of the conventions of any corpus's transcripts.
"""

from __future__ import annotations

import hashlib
import itertools
import random

# Hash buckets (of 100) of every pool; "fisher", "switchboard" and "donated" hold the sentences of the corpora
# without official splits: they stay out of the extra text, for nobody knows yet which will be tested.
POOL_BUCKETS = {"dev": 6, "test": 8, "fisher": 5, "switchboard": 5, "donated": 5, "train": 71}

PEOPLE = ("captain", "knight", "queen", "miller", "sailor", "baker", "son", "farmer")
PEOPLE_PLURAL = ("sailors", "millers", "farmers", "bakers")
OWNERS = ("miller's", "queen's", "baker's")
PERSON_WORDS = ("old", "young", "weak", "great")
NUMBERS = ("two", "three", "four", "eight", "ten")
THINGS = ("sail", "letter", "flower", "plane", "bear", "wheel", "boat", "table", "lamp")
THINGS_PLURAL = ("pears", "letters", "sails", "stones", "flowers", "paws", "boats", "planes")
COLOURS = ("red", "blue", "new", "plain", "whole", "green", "small")
STUFF = ("bread", "flour", "meat", "wood", "mail", "salt")
PLACES = ("sea", "mill", "garden", "market", "river", "hill", "harbour")
ACTIONS = ("found", "sold", "saw", "painted", "threw", "read", "knew", "carried", "heard")
EATING = ("ate", "sold", "found", "bought")
MOTIONS = ("walked", "ran", "sailed", "went")
TIMES = (
    "at night",
    "last week",
    "in the morning",
    "before noon",
    "for a week",
    "after a pause",
    "in the sun",
)


def pool_of(sentence: str) -> str:
    """The only pool `sentence` may be used in: a key of POOL_BUCKETS."""
    bucket = int.from_bytes(hashlib.sha256(sentence.encode()).digest()[:8], "big") % sum(
        POOL_BUCKETS.values()
    )
    ends = itertools.accumulate(POOL_BUCKETS.values())
    return next(pool for pool, end in zip(POOL_BUCKETS, ends, strict=True) if bucket < end)


def vocabulary() -> frozenset[str]:
    """Every word the grammar can say."""
    groups = (
        PEOPLE,
        PEOPLE_PLURAL,
        OWNERS,
        PERSON_WORDS,
        NUMBERS,
        THINGS,
        THINGS_PLURAL,
        COLOURS,
        STUFF,
        PLACES,
    )
    words = {word for group in (*groups, ACTIONS, EATING, MOTIONS) for word in group}
    words.update(word for phrase in TIMES for word in phrase.split())
    return frozenset(words | {"the", "one", "to", "through", "by", "blew", "won"})


def sentence(rng: random.Random) -> str:
    """One sentence of 4 to 11 words, lower case, no punctuation."""
    parts = [_subject(rng), _predicate(rng)]
    if rng.random() < 0.35:
        parts.append(rng.choice(TIMES))
    return " ".join(parts)


def sentences(count: int, pool: str, seed: str) -> list[str]:
    """`count` different sentences of `pool`, in an order that depends on `seed` alone.

    Raises:
        ValueError: there is no such pool, or it does not hold that many different sentences.
    """
    if pool not in POOL_BUCKETS:
        raise ValueError(f"unknown pool {pool!r}: expected one of {', '.join(POOL_BUCKETS)}")
    rng = random.Random(f"{seed}/{pool}")
    chosen: dict[str, None] = {}
    for _ in range(200 * count + 10_000):
        if len(chosen) == count:
            return list(chosen)
        line = sentence(rng)
        if pool_of(line) == pool:
            chosen.setdefault(line)
    raise ValueError(f"only {len(chosen)} different sentences of pool {pool!r} found, {count} were asked for")


def _subject(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.40:
        return f"the {rng.choice(PEOPLE)}"
    if kind < 0.75:
        return f"the {rng.choice(PERSON_WORDS)} {rng.choice(PEOPLE)}"
    if kind < 0.87:
        return f"{rng.choice(NUMBERS)} {rng.choice(PEOPLE_PLURAL)}"
    if kind < 0.92:
        return f"the {rng.choice(OWNERS)} son"
    return f"one {rng.choice(PERSON_WORDS)} {rng.choice(PEOPLE)}"


def _predicate(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.42:
        return f"{rng.choice(ACTIONS)} {_thing(rng)}"
    if kind < 0.60:
        return f"{rng.choice(EATING)} the {rng.choice(STUFF)}{_purpose(rng)}"
    if kind < 0.82:
        return f"{rng.choice(MOTIONS)} {rng.choice(('to', 'through', 'by'))} the {rng.choice(PLACES)}"
    if kind < 0.90:
        return f"won {_thing(rng)}"
    return f"blew through the {rng.choice(PLACES)}"


def _thing(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.45:
        return f"the {rng.choice(COLOURS)} {rng.choice(THINGS)}"
    if kind < 0.75:
        return f"{rng.choice(NUMBERS)} {rng.choice(COLOURS)} {rng.choice(THINGS_PLURAL)}"
    return f"{rng.choice(NUMBERS)} {rng.choice(THINGS_PLURAL)}"


def _purpose(rng: random.Random) -> str:
    return f" for the {rng.choice(PEOPLE)}" if rng.random() < 0.4 else ""

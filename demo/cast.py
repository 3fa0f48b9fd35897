"""Who says what in which corpus: the plan of the demo's archives, made from the seed alone.

What it does: for every corpus a list of lines (split, text, speaker, noise), about two hours in all, most
of it training speech in the LibriSpeech layout. Texts come from the grammar's pools, so no dev or test
sentence is ever trained on or stands in the language model's extra text.

What it does not do: it makes no sound and writes no file.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from demo import grammar, voices
from demo.speech import Line

EXTRA_TEXT_SENTENCES = 20_000


@dataclass(frozen=True)
class Share:
    """How much one split of a corpus says: utterances and speakers."""

    utterances: int
    speakers: int


@dataclass(frozen=True)
class CorpusPlan:
    """One corpus: its importer, who speaks (variants by split), how much by split, the noise in dB.

    `own_pool` is set for layouts without official splits: all their sentences come from their own pool.
    """

    importer: str
    variants: dict[str, tuple[str, ...]]
    shares: dict[str, Share]
    snr_db: tuple[float, float]
    own_pool: bool = False


@dataclass(frozen=True)
class CastLine:
    """One utterance to be: the split it is meant for and what to speak."""

    split: str
    line: Line


_SMALL = {"train": Share(200, 10), "dev": Share(32, 4), "test": Share(40, 4)}
PLANS = (
    CorpusPlan(
        "librispeech",
        voices.READERS,
        {"train": Share(1360, 34), "dev": Share(150, 6), "test": Share(240, 6)},
        (4.0, 15.0),
    ),
    CorpusPlan("tedlium", voices.OTHERS, _SMALL, (10.0, 25.0)),
    CorpusPlan("fisher", voices.OTHERS, _SMALL, (12.0, 25.0), own_pool=True),
    CorpusPlan("switchboard", voices.OTHERS, _SMALL, (12.0, 25.0), own_pool=True),
    CorpusPlan("common_voice", voices.OTHERS, _SMALL, (8.0, 22.0)),
    CorpusPlan("donated", voices.OTHERS, _SMALL, (12.0, 25.0), own_pool=True),
)


def lines_of(plan: CorpusPlan, seed: int) -> list[CastLine]:
    """All utterances of one corpus, grouped by split, speakers taking turns."""
    key = f"{seed}/{plan.importer}"
    order = [(split, share) for split, share in plan.shares.items()]
    texts = _texts(plan, key)
    cast: list[CastLine] = []
    for split, share in order:
        people = voices.speakers(plan.variants[split], share.speakers, f"{plan.importer}-{split}", key)
        for number in range(share.utterances):
            voice = people[number % len(people)]
            cast.append(
                CastLine(split, Line(texts[split][number], voice, plan.snr_db, f"{key}/{split}/{number}"))
            )
    return cast


def _texts(plan: CorpusPlan, key: str) -> dict[str, list[str]]:
    if not plan.own_pool:
        return {
            split: grammar.sentences(share.utterances, split, key) for split, share in plan.shares.items()
        }
    total = sum(share.utterances for share in plan.shares.values())
    rest = grammar.sentences(total, plan.importer, key)
    texts = {}
    for split, share in plan.shares.items():
        texts[split], rest = rest[: share.utterances], rest[share.utterances :]
    return texts


def extra_text(seed: int) -> list[str]:
    """Sentences for the language model, as drawn: frequent ones come more than once; none of dev or test."""
    rng = random.Random(f"{seed}/extra")
    drawn: list[str] = []
    while len(drawn) < EXTRA_TEXT_SENTENCES:
        sentence = grammar.sentence(rng)
        if grammar.pool_of(sentence) == "train":
            drawn.append(sentence)
    return drawn

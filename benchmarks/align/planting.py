"""A long recording and its text, made of known utterances, with planted faults of twelve kinds; everything is known.

Seeded. Makes sound and text and the truth about them; aligns nothing and judges nothing (`judging.py` does).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from training.network.features import Float

RATE_HZ = 16000
PARAGRAPH = 8  # utterances
_FOREIGN_S = 20.0
_GAP_S = (0.3, 1.2)


@dataclass(frozen=True, eq=False)
class Utterance:
    """Known sound: samples at 16 kHz, and its words with times in seconds.

    Attributes:
        able: for every word, whether the network bears it in this very sentence by itself.
    """

    samples: Float
    words: tuple[tuple[str, float, float], ...]
    able: tuple[bool, ...]


@dataclass
class Spoken:
    """A word in the sound; `token` is its place in the text, None where it is not written."""

    word: str
    start_s: float
    end_s: float
    able: bool
    token: int | None = None


@dataclass
class Fault:
    """What was planted: words of the text that are not spoken, of the sound that are not written, foreign sound."""

    kind: str
    tokens: list[int] = field(default_factory=list)
    spoken: list[int] = field(default_factory=list)
    stretch_s: tuple[float, float] | None = None


@dataclass(eq=False)
class Item:
    """Something in its turn: sound, text, or both. `written[k]` is the sound's word behind written word k."""

    utterance: Utterance | None
    texts: list[tuple[str, int | None]]
    kind: str = ""
    foreign: Float | None = None


@dataclass(frozen=True)
class Planted:
    """A recording with its text and the truth."""

    samples: Float
    tokens: tuple[str, ...]
    spoken: tuple[Spoken, ...]
    faults: tuple[Fault, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Faults by kind."""
        return dict(sorted(Counter(one.kind for one in self.faults).items()))


Plant = Callable[[list[list[Item]], "Maker"], None]


class Maker:
    """Chance and material for the planters."""

    def __init__(self, seed: int, spare: Sequence[Utterance], vocabulary: Sequence[str]) -> None:
        self.random = random.Random(seed)
        self.noise = np.random.default_rng(seed)
        self.spare = list(spare)
        self.vocabulary = list(vocabulary)

    def sentence(self, paragraphs: list[list[Item]]) -> tuple[list[Item], int]:
        """A paragraph and a place in it whose item nobody has touched yet."""
        free = [
            (one, place)
            for one in paragraphs
            for place, item in enumerate(one)
            if not item.kind and item.utterance
        ]
        return self.random.choice(free)

    def unspoken_text(self) -> list[tuple[str, int | None]]:
        """A sentence that is in no sound."""
        return [(word, None) for word, _, _ in self.spare[self.random.randrange(len(self.spare))].words]


def plain(utterance: Utterance) -> Item:
    """An utterance with its text."""
    return Item(utterance, [(word, number) for number, (word, _, _) in enumerate(utterance.words)])


def _touch(paragraphs: list[list[Item]], maker: Maker, kind: str) -> Item:
    paragraph, place = maker.sentence(paragraphs)
    paragraph[place].kind = kind
    return paragraph[place]


def _word_removed(paragraphs: list[list[Item]], maker: Maker) -> None:
    item = _touch(paragraphs, maker, "word_removed")
    del item.texts[maker.random.randrange(len(item.texts))]


def _word_invented(paragraphs: list[list[Item]], maker: Maker) -> None:
    item = _touch(paragraphs, maker, "word_invented")
    item.texts.insert(
        maker.random.randrange(len(item.texts) + 1), (maker.random.choice(maker.vocabulary), None)
    )


def _word_replaced(paragraphs: list[list[Item]], maker: Maker) -> None:
    item = _touch(paragraphs, maker, "word_replaced")
    place = maker.random.randrange(len(item.texts))
    others = [word for word in maker.vocabulary if word != item.texts[place][0]]
    item.texts[place] = (maker.random.choice(others), None)


def _sentence_removed(paragraphs: list[list[Item]], maker: Maker) -> None:
    _touch(paragraphs, maker, "sentence_removed").texts.clear()


def _sentence_invented(paragraphs: list[list[Item]], maker: Maker) -> None:
    paragraph, place = maker.sentence(paragraphs)
    paragraph.insert(place, Item(None, maker.unspoken_text(), "sentence_invented"))


def _paragraph_moved(paragraphs: list[list[Item]], maker: Maker) -> None:
    """Sound stays; the text of a paragraph stands elsewhere: marked here, moved when the text is written."""
    paragraph, _ = maker.sentence(paragraphs)
    for item in paragraph:
        item.kind = item.kind or "paragraph_moved"


def _paragraph_repeated(paragraphs: list[list[Item]], maker: Maker) -> None:
    paragraph, _ = maker.sentence(paragraphs)
    again = [Item(None, [(word, None) for word, _ in item.texts], "paragraph_repeated") for item in paragraph]
    paragraphs.insert(paragraphs.index(paragraph) + 1, again)


def _spoken_twice(paragraphs: list[list[Item]], maker: Maker) -> None:
    paragraph, place = maker.sentence(paragraphs)
    paragraph.insert(place + 1, Item(paragraph[place].utterance, [], "spoken_twice"))


def _sentence_cut(paragraphs: list[list[Item]], maker: Maker) -> None:
    item = _touch(paragraphs, maker, "sentence_cut")
    item.utterance, item.texts = None, [(word, None) for word, _ in item.texts]


def _cut_inside(paragraphs: list[list[Item]], maker: Maker) -> None:
    item = _touch(paragraphs, maker, "cut_inside")
    whole = item.utterance
    if whole is None or len(whole.words) < 3:
        return
    kept = len(whole.words) // 2
    stop_s = (whole.words[kept - 1][2] + whole.words[kept][1]) / 2
    item.utterance = replace(
        whole,
        samples=whole.samples[: int(stop_s * RATE_HZ)],
        words=whole.words[:kept],
        able=whole.able[:kept],
    )
    item.texts = [
        (word, number if number is not None and number < kept else None) for word, number in item.texts
    ]


def _noise(paragraphs: list[list[Item]], maker: Maker) -> None:
    sound = maker.noise.normal(0, 0.05, int(_FOREIGN_S * RATE_HZ)).astype(np.float32)
    maker.random.choice(paragraphs).append(Item(None, [], "noise", sound))


def _music(paragraphs: list[list[Item]], maker: Maker) -> None:
    times = np.arange(int(_FOREIGN_S * RATE_HZ)) / RATE_HZ
    sound = np.zeros(len(times))
    for beat in range(int(_FOREIGN_S * 2)):
        inside = (times >= beat / 2) & (times < beat / 2 + 0.5)
        fade = np.exp(-4 * (times[inside] - beat / 2))
        for step in maker.random.sample((0, 3, 4, 5, 7, 9, 12), 3):
            sound[inside] += 0.08 * fade * np.sin(2 * np.pi * 220 * 2 ** (step / 12) * times[inside])
    maker.random.choice(paragraphs).append(Item(None, [], "music", sound.astype(np.float32)))


KINDS: dict[str, Plant] = {
    "word_removed": _word_removed,
    "word_invented": _word_invented,
    "word_replaced": _word_replaced,
    "sentence_removed": _sentence_removed,
    "sentence_invented": _sentence_invented,
    "paragraph_moved": _paragraph_moved,
    "paragraph_repeated": _paragraph_repeated,
    "spoken_twice": _spoken_twice,
    "sentence_cut": _sentence_cut,
    "cut_inside": _cut_inside,
    "noise": _noise,
    "music": _music,
}


def scatter(paragraphs: list[list[Item]], maker: Maker, share: float) -> None:
    """Remove this share of all words from the text, and invent as many."""
    for item in (item for paragraph in paragraphs for item in paragraph):
        kept = [one for one in item.texts if maker.random.random() >= share]
        texts: list[tuple[str, int | None]] = []
        for one in kept:
            texts += [(maker.random.choice(maker.vocabulary), None)] if maker.random.random() < share else []
            texts.append(one)
        if texts != item.texts:
            item.texts, item.kind = texts, item.kind or "words_scattered"


@dataclass(frozen=True)
class Plan:
    """What to plant: faults by kind, and a share of words that is removed and as many invented."""

    faults: dict[str, int]
    seed: int
    scattered: float = 0.0


def plant(utterances: Sequence[Utterance], spare: Sequence[Utterance], plan: Plan) -> Planted:
    """Join utterances in paragraphs and plant faults.

    Args:
        spare: utterances that are not spoken, for invented sentences.
    """
    faults, seed = plan.faults, plan.seed
    vocabulary = sorted({word for one in utterances for word, _, _ in one.words})
    maker = Maker(seed, spare, vocabulary)
    items = [plain(one) for one in utterances]
    paragraphs = [items[start : start + PARAGRAPH] for start in range(0, len(items), PARAGRAPH)]
    order = [kind for kind, count in faults.items() for _ in range(count)]
    maker.random.shuffle(order)
    for kind in sorted(order, key=lambda kind: kind.startswith("paragraph"), reverse=True):
        KINDS[kind](paragraphs, maker)
    if plan.scattered:
        scatter(paragraphs, maker, plan.scattered)
    return _written(paragraphs, maker)


def _written(paragraphs: list[list[Item]], maker: Maker) -> Planted:
    """The sound in its order, the text in its own."""
    sound: list[Float] = []
    spoken: list[Spoken] = []
    faults: list[Fault] = []
    homes: dict[int, int] = {}  # item -> its first spoken word
    at_s = 0.0

    def add(samples: Float) -> None:
        nonlocal at_s
        sound.append(samples)
        at_s += len(samples) / RATE_HZ

    for item in (item for paragraph in paragraphs for item in paragraph):
        add(maker.noise.normal(0, 0.002, int(maker.random.uniform(*_GAP_S) * RATE_HZ)).astype(np.float32))
        homes[id(item)] = len(spoken)
        begun_s = at_s
        if item.utterance is not None:
            spoken += [
                Spoken(word, at_s + start_s, at_s + end_s, able)
                for (word, start_s, end_s), able in zip(
                    item.utterance.words, item.utterance.able, strict=True
                )
            ]
            add(item.utterance.samples)
        if item.foreign is not None:
            add(item.foreign)
            faults.append(Fault(item.kind, stretch_s=(begun_s, at_s)))
    add(np.zeros(RATE_HZ, np.float32))
    tokens = _text(paragraphs, (spoken, homes, faults))
    return Planted(np.concatenate(sound), tuple(tokens), tuple(spoken), tuple(faults))


def _text(paragraphs: list[list[Item]], truth: tuple[list[Spoken], dict[int, int], list[Fault]]) -> list[str]:
    """The written words; tells spoken words where they are written, and faults what they concern."""
    spoken, homes, faults = truth
    moved = [one for one in paragraphs if any(item.kind == "paragraph_moved" for item in one)]
    stay = [one for one in paragraphs if not any(one is other for other in moved)]
    for number, one in enumerate(moved):
        stay.insert((7 * number + len(stay) // 2) % (len(stay) + 1), one)
    tokens: list[str] = []
    for paragraph in stay:
        whole: dict[str, Fault] = {}  # of kinds that concern a paragraph
        for item in paragraph:
            first, begun = homes[id(item)], len(tokens)
            unwritten = set(range(first, first + (len(item.utterance.words) if item.utterance else 0)))
            unspoken: list[int] = []
            for word, place in item.texts:
                if place is None:
                    unspoken.append(len(tokens))
                else:
                    spoken[first + place].token = len(tokens)
                    unwritten.discard(first + place)
                tokens.append(word)
            if item.kind.startswith("paragraph"):
                fault = whole.setdefault(item.kind, Fault(item.kind))
                fault.tokens += unspoken if unspoken else range(begun, len(tokens))
            elif item.kind and item.foreign is None:
                faults.append(Fault(item.kind, unspoken, sorted(unwritten)))
        faults += whole.values()
    return tokens

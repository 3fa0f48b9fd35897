"""Near copies by fingerprint: what a comparison of all with all finds, in a bounded number of comparisons."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from corpora.audio.fingerprint import NEAR_BITS, as_words, fingerprint
from corpora.quality import near_copies as module
from corpora.quality.leakage import Traces, compare, tell
from corpora.quality.near_copies import Sounds, near_copies, near_pairs
from tests.corpora.quality.test_leakage import RATE_HZ, speech

Words = npt.NDArray[np.uint64]


def random_prints(chance: np.random.Generator, rows: int) -> Words:
    return chance.integers(0, 2**64, (rows, 2), dtype=np.uint64)


def begin_with(prints: Words, piece: int) -> Words:
    """The same sound, or silence (0), in the first eighth of each."""
    prints[:, 0] = prints[:, 0] & np.uint64(0xFFFFFFFFFFFF0000) | np.uint64(piece)
    return prints


def flipped(prints: Words, bits: int, chance: np.random.Generator, within: slice = slice(16, 128)) -> Words:
    """Each with so many other bits."""
    changed = prints.copy()
    for row in changed:
        for bit in chance.permutation(np.arange(128)[within])[:bits]:
            row[bit // 64] ^= np.uint64(1) << np.uint64(bit % 64)
    return changed


def among_all(learnt: Sounds, asked: Sounds) -> tuple[list[bool], list[bool]]:
    """Says the same, says something else: every sound beside every other, as the rule is written."""
    same, other = [], []
    for at in range(len(asked.text)):
        differ = np.bitwise_count(learnt.prints ^ asked.prints[at]).sum(axis=1).astype(int)
        mine, theirs = pieces(asked.prints[at : at + 1]), pieces(learnt.prints)
        sound = ((mine != 0) | (theirs != 0)).sum(axis=1)
        near = (8 * differ <= NEAR_BITS * sound) & ((mine == theirs) & (mine != 0)).any(axis=1)
        length = np.float64(asked.seconds[at])
        near &= (learnt.seconds >= length * 0.97) & (learnt.seconds <= length * 1.03)
        same.append(bool((near & (learnt.text == asked.text[at])).any()))
        other.append(bool((near & (learnt.text != asked.text[at])).any()))
    return same, other


def pieces(prints: Words) -> npt.NDArray[np.uint64]:
    parts = [
        (prints[:, word] >> np.uint64(shift)) & np.uint64(0xFFFF)
        for word in (0, 1)
        for shift in (0, 16, 32, 48)
    ]
    return np.stack(parts, axis=1)


def test_other_recordings_are_far_apart_and_pairs_are_found_without_comparing_all() -> None:
    prints = np.array([as_words(fingerprint(speech(seed), RATE_HZ)) for seed in range(40)], dtype=np.uint64)
    found = near_pairs(prints, prints)
    assert found.first.tolist() == found.second.tolist() == list(range(40))
    found = near_pairs(prints, prints ^ np.array([[1 << 5, 1 << 40]], dtype=np.uint64))
    assert found.first.tolist() == found.second.tolist() == list(range(40))
    assert found.compared < 40 * 20 and not found.unfinished.any()


@pytest.mark.parametrize("seed", range(4))
def test_found_is_what_a_comparison_of_all_finds(seed: int) -> None:
    chance = np.random.default_rng(seed)
    origin = begin_with(random_prints(chance, 40), 0 if seed % 2 else 0xBEEF)
    prints = np.concatenate(
        [flipped(origin, bits, chance, slice(0, 128)) for bits in (0, 0, 3, 12, 18, 24, 30)]
    )
    prints[chance.random(len(prints)) < 0.2, 1] = 0  # half of it silence
    seconds = chance.uniform(1.0, 1.1, len(prints)).astype(np.float32)
    sounds = Sounds(prints, seconds, chance.integers(0, 4, len(prints), dtype=np.uint64))
    half = Sounds(prints[::2], seconds[::2], sounds.text[::2])
    found = near_copies(half, sounds)
    same, other = among_all(half, sounds)
    assert (found.same.tolist(), found.other.tolist()) == (same, other)
    assert 0 < sum(same) < len(same) and 0 < sum(other) < len(other) and not found.unfinished.any()


def test_silence_is_no_likeness() -> None:
    """Sounds in an eighth of a silent recording differ in a few bits of 128, and in half of those that are sound."""
    chance = np.random.default_rng(3)
    prints = np.zeros((60, 2), np.uint64)
    prints[:, 1] = chance.integers(1, 1 << 16, 60, dtype=np.uint64)
    found = near_pairs(prints, prints)
    assert found.first.tolist() == found.second.tolist() == list(range(60))


@pytest.mark.parametrize("piece", [0, 0xBEEF])
def test_a_piece_that_thousands_share_costs_comparisons_in_proportion_to_the_sounds(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one length, too: all with all would be 9 million comparisons for 3,000 and 36 million for 6,000."""
    monkeypatch.setattr(module, "_MOST", 100)
    compared = []
    for rows in (3_000, 6_000):
        chance = np.random.default_rng(rows)
        prints = begin_with(random_prints(chance, rows), piece)
        copies = flipped(prints[:50], 13, chance)
        both = np.concatenate(
            [random_prints(chance, 20), begin_with(random_prints(chance, rows), piece), copies]
        )
        seconds = np.full(rows, 4.0, np.float32), np.full(len(both), 4.0, np.float32)
        found = near_pairs(prints, both, seconds)
        exactly = {at: rows + 20 + at for at in range(50)}
        pairs = dict(zip(found.first.tolist(), found.second.tolist(), strict=True))
        assert pairs == ({at: to for at, to in exactly.items() if at in pairs} if piece == 0 else exactly)
        assert found.unfinished.tolist() == [False] * 20 + [piece != 0] * (rows + 50)
        compared.append(found.compared / len(both))
    assert max(compared) < 60, "of 3,000 and 6,000 for each"


def test_thousands_of_one_sound_are_compared_once() -> None:
    chance = np.random.default_rng(5)
    one = random_prints(chance, 1)
    rows = 20_000
    prints = np.repeat(one, rows, axis=0)
    seconds = chance.uniform(2.0, 2.02, rows).astype(np.float32)
    text = np.arange(rows, dtype=np.uint64)
    text[-1] = text[7]
    found = near_copies(
        Sounds(prints[:-2], seconds[:-2], text[:-2]),
        Sounds(flipped(prints[-2:], 9, chance), seconds[-2:], text[-2:]),
    )
    assert found.same.tolist() == [False, True] and found.other.tolist() == [True, True]
    assert found.compared < 100 and not found.unfinished.any()


def test_a_click_before_every_sound_of_a_corpus_is_told(caplog: pytest.LogCaptureFixture) -> None:
    """20,000 rows beside 10,000 of one length: what could not be compared with all is counted, and the copy is found."""
    chance = np.random.default_rng(2)
    rows, held = 30_000, 10_000
    made = {key: np.arange(1, rows + 1, dtype=np.uint64) for key in ("speaker", "text", "audio")}
    prints = begin_with(random_prints(chance, rows), 0xBEEF)
    prints[-1], made["text"][-1] = flipped(prints[:1], 13, chance)[0], made["text"][0]
    corpus = Traces(
        "clicks", (np.arange(rows) >= rows - held).astype(np.uint8), **made, words=np.full(rows, 3, np.uint16),
        prints=prints, seconds=np.full(rows, 1.0, np.float32),
    )  # fmt: skip
    found = compare(corpus, corpus, 5)
    assert (found["near_copies"], found["not_compared_with_all"]) == (1, held - 1)
    tell([found])
    assert "9999 sounds of dev and test of clicks share a piece of sound with thousands" in caplog.text


def test_silence_before_every_sound_does_not_lay_each_beside_each() -> None:
    chance = np.random.default_rng(2)
    rows, held = 130_000, 30_000
    made = {key: np.arange(1, rows + 1, dtype=np.uint64) for key in ("speaker", "text", "audio")}
    seconds = np.where(chance.random(rows) < 0.5, 0.25, np.exp(chance.uniform(0.0, 3.6, rows)))
    prints = begin_with(random_prints(chance, rows), 0)
    seconds[[0, 1, 2]], seconds[[-1, -2, -3]] = (2.0, 2.0, 0.25), (2.04, 2.2, 0.25)
    prints[[-1, -2, -3]] = prints[[0, 1, 2]]
    made["text"][[-1, -2, -3]] = made["text"][[0, 1, 2]]
    corpus = Traces(
        "padded", (np.arange(rows) >= rows - held).astype(np.uint8), **made, words=np.full(rows, 3, np.uint16),
        prints=prints, seconds=seconds.astype(np.float32),
    )  # fmt: skip
    found = compare(corpus, corpus, 5)
    assert found["near_copies"] == 1 and "not_compared_with_all" not in found

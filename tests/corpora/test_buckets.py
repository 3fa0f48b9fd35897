"""Leaves by the hash of keys: one more thing touches its own leaf, and order or number of others nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.buckets import leaves
from corpora.importer import bucketed

KEYS = st.sets(st.text("abcdef/0123", min_size=1, max_size=8), min_size=1, max_size=200)


def cut(keys: list[str], limit: float) -> dict[str, list[str]]:
    return dict(leaves(keys, lambda key: key, lambda key: 1.0 + len(key), limit))


@settings(max_examples=60, deadline=None)
@given(KEYS, st.floats(5, 100))
def test_every_thing_is_in_one_leaf_that_is_not_too_heavy(keys: set[str], limit: float) -> None:
    found = cut(sorted(keys), limit)
    assert sorted(key for leaf in found.values() for key in leaf) == sorted(keys)
    assert found == cut(sorted(keys, reverse=True), limit)
    for leaf in found.values():
        assert leaf == sorted(leaf)
        assert len(leaf) == 1 or sum(1.0 + len(key) for key in leaf) <= limit


@settings(max_examples=60, deadline=None)
@given(KEYS, st.text("xyz", min_size=1, max_size=8), st.floats(5, 100))
def test_one_more_thing_moves_only_its_own_leaf(keys: set[str], new: str, limit: float) -> None:
    before, after = cut(sorted(keys), limit), cut(sorted(keys | {new}), limit)
    gone = {bits: leaf for bits, leaf in before.items() if after.get(bits) != leaf}
    assert len(gone) <= 1
    for bits in gone:
        assert all(other.startswith(bits) for other, leaf in after.items() if before.get(other) != leaf)


def test_buckets_are_not_fuller_than_asked() -> None:
    found = bucketed([f"file-{n}" for n in range(1000)], lambda name: name, 64)
    assert max(len(items) for items in found.values()) <= 64
    assert len(found) < 40
    assert all(name.startswith("b") for name in found)

"""The benchmark's word lists: the text's own words first, then invented ones, the same ones every time."""

from __future__ import annotations

from pathlib import Path

from benchmarks.lexicon_trie.words import grow, words_of


def test_words_are_the_text_s_own_and_then_invented(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("The mill turns; the mill's wheel turned.\nMilling the meal.\n")
    own = words_of([tmp_path / "text.txt"])
    assert own[0] == "the" and "mill's" in own
    assert grow(own, 3) == sorted(own[:3])
    grown = grow(own, 40)
    assert grown == grow(own, 40) == sorted(set(grown)) and len(grown) == 40
    assert set(own) <= set(grown)

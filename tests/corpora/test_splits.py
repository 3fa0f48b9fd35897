"""Splits: official ones kept, others speaker-disjoint, deterministic, not empty from three speakers up."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.errors import UsageError
from corpora.importer import CorpusFacts
from corpora.splits import assign, leakage, shared_speakers


def index(rows: list[tuple[str, str, str, float]], flags: tuple[str, ...] = ()) -> pd.DataFrame:
    """Rows of (speaker, recording, official split or "", seconds)."""
    return pd.DataFrame(
        [
            {"utterance_id": f"u{n}", "speaker_id": s, "recording_id": r, "split": sp, "duration_s": d,
             "flags": list(flags), "text": f"text {n}"}
            for n, (s, r, sp, d) in enumerate(rows)
        ]
    )  # fmt: skip


def facts(**more: object) -> CorpusFacts:
    return CorpusFacts("c", "CC0-1.0", split_rule=str(more.pop("split_rule", "speaker")), **more)  # type: ignore[arg-type]


def split_of(table: pd.DataFrame, known: CorpusFacts) -> dict[str, set[str]]:
    table = table.assign(split=assign(table, known).splits)
    assert not shared_speakers(table) or known.split_rule == "utterance"
    return {str(s): set(g["speaker_id"]) for s, g in table.groupby("split")}


def test_official_splits_are_kept() -> None:
    table = index([("a", "1", "test", 1.0), ("b", "2", "train", 1.0)])
    found = assign(table, facts())
    assert list(found.splits) == ["test", "train"]
    assert found.rule == "official"


@pytest.mark.parametrize("speakers", [3, 4, 6, 10, 40])
def test_dev_and_test_hold_speakers_of_their_own(speakers: int) -> None:
    table = index([(f"s{n}", f"r{n}-{k}", "", 5.0) for n in range(speakers) for k in range(4)])
    found = split_of(table, facts())
    assert set(found) == {"train", "dev", "test"}
    assert len(found["train"]) >= max(1, speakers * 0.6 - 1)


def test_six_speakers_give_four_one_one() -> None:
    table = index([(f"s{n}", f"r{n}-{k}", "", 0.4 + n * 0.03) for n in range(6) for k in range(5)])
    assert {k: len(v) for k, v in split_of(table, facts()).items()} == {"train": 4, "dev": 1, "test": 1}


@pytest.mark.parametrize(("speakers", "splits"), [(1, {"train"}), (2, {"train", "test"})])
def test_few_speakers(speakers: int, splits: set[str]) -> None:
    table = index([(f"s{n}", f"r{n}", "", 5.0) for n in range(speakers)])
    assert set(split_of(table, facts())) == splits


def test_the_order_of_rows_changes_nothing() -> None:
    table = index([(f"s{n % 9}", f"r{n}", "", 1.0 + n % 3) for n in range(60)])
    turned = table.iloc[::-1]
    assert assign(table, facts()).splits.to_dict() == assign(turned, facts()).splits.to_dict()


def test_two_sides_of_a_call_stay_together() -> None:
    table = index([(f"s{2 * n + side}", f"call{n}", "", 5.0) for n in range(12) for side in (0, 1)])
    table = table.assign(split=assign(table, facts()).splits)
    assert (table.groupby("recording_id")["split"].nunique() == 1).all()
    assert set(table["split"]) == {"train", "dev", "test"}


def test_speakers_who_are_all_linked_are_split_singly() -> None:
    rows = [(f"s{n}", f"call{n}", "", 5.0) for n in range(8)] + [
        (f"s{n + 1}", f"call{n}", "", 5.0) for n in range(7)
    ]
    assert set(split_of(index(rows), facts())) == {"train", "dev", "test"}


@pytest.mark.parametrize("flag", ["train_only", "speaker_unknown"])
def test_what_may_not_be_tested_on_stays_in_train(flag: str) -> None:
    table = index([(f"s{n}", f"r{n}", "", 5.0) for n in range(6)], (flag,))
    assert set(split_of(table, facts())) == {"train"}


def test_speakers_by_hand() -> None:
    table = index([(f"s{n}", f"r{n}", "", 5.0) for n in range(4)])
    found = split_of(table, facts(dev_speakers=("s1",), test_speakers=("s2",)))
    assert found == {"train": {"s0", "s3"}, "dev": {"s1"}, "test": {"s2"}}
    with pytest.raises(UsageError, match="s9"):
        assign(table, facts(dev_speakers=("s9",)))


def test_by_utterance_keeps_a_sentence_in_one_split() -> None:
    table = index([("one", f"r{n}", "", 1.0) for n in range(100)])
    table["text"] = [f"sentence {n // 2}" for n in range(100)]
    found = assign(table, facts(split_rule="utterance"))
    table["split"] = found.splits
    assert found.rule == "utterance"
    assert table.groupby("text")["split"].nunique().max() == 1
    assert table["split"].value_counts().to_dict() == {"train": 80, "dev": 10, "test": 10}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 15), st.floats(0.2, 900.0)), min_size=1, max_size=60
    )
)
def test_any_corpus_is_split_without_sharing_speakers(rows: list[tuple[int, int, float]]) -> None:
    table = index([(f"s{s}", f"r{r}", "", d) for s, r, d in rows])
    found = split_of(table, facts())
    assert "train" in found
    if table["speaker_id"].nunique() >= 3:
        assert {"dev", "test"} <= set(found)


def test_leakage_counts_long_and_short_sentences() -> None:
    table = index(
        [("a", "1", "train", 1.0), ("a", "1", "train", 1.0), ("b", "2", "test", 1.0), ("b", "2", "test", 1.0)]
    )
    table["text"] = ["one two three four five", "yes", "one two three four five", "yes"]
    assert leakage(table, 5) == {"min_words": 5, "dev": 0, "dev_any": 0, "test": 1, "test_any": 2}

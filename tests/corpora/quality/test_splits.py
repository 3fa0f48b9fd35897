"""Splits: official ones kept, others speaker-disjoint, deterministic, not empty from three speakers up."""

from __future__ import annotations

import random

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from corpora.importer import CorpusFacts
from corpora.quality.splits import assign, earlier_speakers, listed_speakers, shared_speakers
from store.errors import UsageError


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
    table = table[table["split"] != ""]
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


def test_a_chain_of_calls_loses_the_calls_that_bridge() -> None:
    rows = [(f"s{n}", f"call{n}", "", 5.0) for n in range(8)] + [
        (f"s{n + 1}", f"call{n}", "", 5.0) for n in range(7)
    ]
    table = index(rows)
    found = assign(table, facts())
    assert set(split_of(table, facts())) == {"train", "dev", "test"}
    left_out = set(table.loc[found.splits == "", "recording_id"])
    assert len(left_out) == found.told["recordings_left_out"] == 2  # one beside each end of the chain
    assert found.told["hours_left_out"] == pytest.approx(20 / 3600, abs=1e-6)


def calls(seed: int, people: int, number: int, first: int = 0) -> list[tuple[str, str, str, float]]:
    """Rows of two-sided calls between people who call again and again, as on a telephone platform."""
    chance = random.Random(seed)
    rows = []
    for call in range(first, first + number):
        length_s = chance.uniform(200.0, 600.0)
        rows += [(f"pin{pin}", f"call{call}", "", length_s) for pin in chance.sample(range(people), 2)]
    return rows


def assert_disjoint(table: pd.DataFrame, splits: pd.Series) -> None:
    kept = table.assign(split=splits)[splits != ""]
    assert not shared_speakers(kept)
    assert kept.groupby("recording_id")["split"].nunique().max() == 1
    assert set(kept["split"]) == {"train", "dev", "test"}


def test_when_all_speakers_are_linked_a_small_set_is_cut_out_and_the_loss_told() -> None:
    table = index(calls(1, 400, 500))
    found = assign(table, facts())
    assert_disjoint(table, found.splits)
    hours = table["duration_s"].sum() / 3600
    for split in ("dev", "test"):
        assert 0.5 * 0.1 * hours * 0.5 < table.loc[found.splits == split, "duration_s"].sum() / 3600 < 10.1
    assert found.told["salt"] == "speechmill split/c"
    out = table[found.splits == ""]
    assert found.told["hours_left_out"] == pytest.approx(out["duration_s"].sum() / 3600, abs=1e-5)
    assert 0 < found.told["hours_left_out"] < hours / 3
    again = assign(table.sample(frac=1.0, random_state=5), facts())
    assert again.splits.sort_index().equals(found.splits)
    assert assign(table, CorpusFacts("another name", "CC0-1.0")).splits.tolist() != found.splits.tolist()


def test_somebody_who_talks_to_everybody_costs_only_one_side_of_a_call() -> None:
    rows = [(who, f"visit{n}", "", 30.0) for n in range(20) for who in ("interviewer", f"guest{n}")]
    table = index(rows)
    found = assign(table, facts())
    kept = table.assign(split=found.splits)[found.splits != ""]
    assert not shared_speakers(kept)
    assert set(kept["split"]) == {"train", "dev", "test"}
    assert (table.loc[found.splits == "", "speaker_id"] == "interviewer").all()
    assert kept.groupby("recording_id")["split"].nunique().max() == 1


def test_a_speaker_never_changes_split_while_a_corpus_grows() -> None:
    rows: list[tuple[str, str, str, float]] = []
    earlier: dict[str, str] = {}
    for version, (people, number) in enumerate([(60, 40), (400, 400), (420, 300), (900, 700)]):
        rows += calls(version, people, number, first=1000 * version)
        table = index(rows)
        found = assign(table, facts(), earlier)
        assert_disjoint(table, found.splits)
        assert {name: found.speakers[name] for name in earlier} == earlier
        again = assign(table, facts(), dict(found.speakers))
        assert again.splits.equals(found.splits), "the same input on top of its own version"
        assert again.told == found.told, "and the same manifest"
        earlier = earlier_speakers({"speaker_splits": listed_speakers(found)})
        assert earlier == dict(found.speakers)


def test_growth_through_one_dev_speaker_does_not_flood_dev() -> None:
    first = index([(f"s{n}", f"r{n}", "", 60.0) for n in range(10)])
    earlier = dict(assign(first, facts()).speakers)
    (dev,) = [name for name, split in earlier.items() if split == "dev"]
    rows = [(f"s{n}", f"r{n}", "", 60.0) for n in range(10)]
    rows += [(who, f"new{n}", "", 60.0) for n in range(20) for who in (f"n{n}", f"n{n + 1}")]
    rows += [(who, "bridge", "", 60.0) for who in (dev, "n0")]
    table = index(rows)
    found = assign(table, facts(), earlier)
    assert found.speakers[dev] == "dev"
    assert table.loc[found.splits == "dev", "duration_s"].sum() <= 0.2 * table["duration_s"].sum()
    assert set(found.splits[table["recording_id"] == "bridge"]) == {""}


def test_a_person_in_an_official_split_keeps_it_everywhere() -> None:
    rows = [("a", "1", "test", 60.0), ("a", "2", "", 60.0)] + [(f"s{n}", f"r{n}", "", 60.0) for n in range(9)]
    table = index(rows)
    found = assign(table, facts())
    assert list(found.splits[table["speaker_id"] == "a"]) == ["test", "test"]
    assert found.rule == "official, then speaker"


def test_unknown_speakers_are_not_remembered() -> None:
    table = index([(f"call{n}-A", f"r{n}", "", 5.0) for n in range(6)], ("speaker_unknown",))
    assert assign(table, facts()).speakers == {}


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


def official_without_dev() -> pd.DataFrame:
    rows = [(f"t{n}", f"r{n}", "train", 10.0) for n in range(20)]
    return index([*rows, *((f"x{n}", f"s{n}", "test", 10.0) for n in range(5))])


def test_a_share_of_official_train_becomes_dev_by_whole_speakers() -> None:
    table = official_without_dev()
    found = split_of(table, facts(dev_share=0.1))
    assert (len(found["dev"]), len(found["train"])) == (2, 18)
    assert found["test"] == {f"x{n}" for n in range(5)}
    assert assign(table, facts(dev_share=0.1)).rule == "official, dev of train's speakers"
    assert split_of(table.sample(frac=1, random_state=3), facts(dev_share=0.1)) == found


def test_the_dev_of_train_stays_while_a_corpus_grows() -> None:
    table = official_without_dev()
    first = assign(table, facts(dev_share=0.1))
    more = pd.concat(
        [table, index([(f"n{n}", f"q{n}", "train", 10.0) for n in range(20)])], ignore_index=True
    )
    earlier = earlier_speakers({"speaker_splits": listed_speakers(first)})
    found = assign(more, facts(dev_share=0.1), earlier)
    for speaker, split in earlier.items():
        assert found.speakers[speaker] == split
    assert sum(split == "dev" for split in found.speakers.values()) == 4


@pytest.mark.parametrize("flag", ["train_only", "speaker_unknown"])
def test_no_dev_is_made_of_those_who_may_only_be_learnt(flag: str) -> None:
    table = index([(f"t{n}", f"r{n}", "train", 10.0) for n in range(8)], flags=(flag,))
    assert set(assign(table, facts(dev_share=0.25)).splits) == {"train"}


def test_a_share_for_dev_beside_a_dev_split_is_refused() -> None:
    table = index([("a", "1", "dev", 1.0), ("b", "2", "train", 1.0), ("c", "3", "train", 1.0)])
    with pytest.raises(UsageError, match="has a dev split of its own"):
        assign(table, facts(dev_share=0.1))


def test_a_share_for_dev_without_official_splits_is_refused() -> None:
    with pytest.raises(UsageError, match="2 of 2 rows have no official split"):
        assign(index([("a", "1", "", 1.0), ("b", "2", "", 1.0)]), facts(dev_share=0.1))


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

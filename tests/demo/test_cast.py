"""Who speaks: voices disjoint between splits, everything decided by the seed."""

from __future__ import annotations

import pytest

from demo import cast, voices


def variants(plan: cast.CorpusPlan, split: str) -> set[str]:
    return {one.line.voice.variant for one in cast.lines_of(plan, 1) if one.split == split}


@pytest.mark.parametrize("plan", cast.PLANS, ids=lambda plan: plan.importer)
def test_voices_of_the_splits_are_disjoint(plan: cast.CorpusPlan) -> None:
    train, dev, test = (variants(plan, split) for split in ("train", "dev", "test"))
    assert train and dev and test
    assert not train & dev and not train & test and not dev & test


def test_readers_of_the_test_are_heard_in_no_training_split_of_any_corpus() -> None:
    readers = next(plan for plan in cast.PLANS if plan.importer == "librispeech")
    heard = set().union(*(variants(plan, "train") for plan in cast.PLANS))
    assert not (variants(readers, "test") | variants(readers, "dev")) & heard


def test_dev_readers_are_of_the_families_of_the_test() -> None:
    def families(split: str) -> set[str]:
        return {name.rstrip("0123456789") for name in voices.READERS[split]}

    assert families("dev") == families("test") == families("train")


def test_the_seed_alone_decides() -> None:
    plan = cast.PLANS[0]
    assert cast.lines_of(plan, 1) == cast.lines_of(plan, 1)
    assert cast.lines_of(plan, 1) != cast.lines_of(plan, 2)


def test_sizes_are_those_of_the_plan_and_speakers_have_one_gender() -> None:
    for plan in cast.PLANS:
        lines = cast.lines_of(plan, 3)
        assert len(lines) == sum(share.utterances for share in plan.shares.values())
        genders: dict[str, set[str]] = {}
        for one in lines:
            genders.setdefault(one.line.voice.speaker, set()).add(one.line.voice.gender)
        assert all(len(found) == 1 for found in genders.values())

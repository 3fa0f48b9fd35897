"""Doubt: what fits and what does not, by figures; ranks; shares that no run heard; the table beside the corpus."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import native
from corpora.browsing.columns import DOUBTS, HEARD
from corpora.text.normaliser import default_alphabet
from store.errors import UsageError
from store.opening import open_store
from store.store import Store
from training import __main__ as cli
from training.doubt.doubt import DoubtRequest, doubt
from training.doubt.fit import IMPOSSIBLE, fit_of
from training.doubt.ranking import Figures, doubts
from training.errors import ConfigError
from training.network.config import DataConfig, LoopConfig, identity
from training.network.features import Float
from training.network.feed.folds import in_share, is_share
from training.network.keys import Place, build
from training.runs import feed_reader


def outputs(text: str, sure: float = 0.9) -> Float:
    """Log-probabilities of a network that hears a text: three frames a letter, the last a blank."""
    alphabet = default_alphabet()
    labels = alphabet.encode(text)
    rows = np.full((3 * len(labels), len(alphabet)), np.log((1 - sure) / len(alphabet)), np.float32)
    for place, label in enumerate(labels):
        rows[3 * place : 3 * place + 2, label] = np.log(sure)
        rows[3 * place + 2, alphabet.blank] = np.log(sure)
    return rows


def heard(log_probs: Float) -> str:
    return str(
        native.greedy(log_probs[None], np.array([len(log_probs)], np.int32), default_alphabet())[0].text
    )


SAID = "the miller sold a boat in the morning"


def test_the_text_that_is_said_fits() -> None:
    rows = outputs(SAID)
    fit = fit_of(rows, SAID, heard(rows), default_alphabet())
    assert (fit.heard, fit.cer, fit.missing, fit.added) == (SAID, 0.0, 0, 0)
    assert fit.fit == pytest.approx(0, abs=1e-4) and fit.worst == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize(
    ("written", "missing", "added"),
    [
        ("the miller sold a lamp in the morning", 1, 1),
        ("the miller sold in the morning", 2, 0),
        ("the miller sold a whole boat in the morning", 0, 1),
        ("the miller sold", 5, 0),
        ("in the morning the miller sold a boat", 3, 3),
    ],
)
def test_a_wrong_word_is_seen_where_it_is(written: str, missing: int, added: int) -> None:
    rows = outputs(SAID)
    fit = fit_of(rows, written, heard(rows), default_alphabet())
    assert (fit.missing, fit.added) == (missing, added) or written.startswith("in the")
    assert fit.fit < -0.3 and fit.worst < fit.fit and fit.odd < -1
    assert fit.cer > 0


def test_a_text_that_is_too_long_for_its_sound_cannot_fit() -> None:
    rows = outputs("boat")
    assert fit_of(rows, SAID, "boat", default_alphabet()).fit == IMPOSSIBLE


def test_ranks_put_what_is_unusual_first_and_know_whom_the_network_understands_badly() -> None:
    generator = np.random.default_rng(1)
    rows = 200
    fit = generator.gamma(2, 0.1, rows)
    speakers = ["clear"] * 100 + ["mumbles"] * 100
    fit[100:] += 2.0
    fit[[3, 150]] += 3.0
    found = doubts(Figures(fit, fit / 10, np.full(rows, 14.0), speakers))
    assert set(np.argsort(-found)[:2]) == {3, 150} and found.min() >= 0 and found.max() <= 1
    assert np.median(found[100:]) < found[3] / 3
    alike = np.zeros(5)
    flat = doubts(Figures(alike, alike, np.full(5, 14.0), ["a"] * 5))
    assert not flat.any()


def test_shares_are_told_by_sound_and_cover_everything_once() -> None:
    sounds = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(300)]
    masks = [in_share(sounds, f"{number}/3") for number in (1, 2, 3)]
    assert (np.sum(masks, axis=0) == 1).all() and all(80 < mask.sum() < 120 for mask in masks)
    assert [is_share(text) for text in ("", "1/3", "3/3", "4/3", "0/3", "1/1", "1/101", "a/b")] == [
        True, True, True, False, False, False, False, False,
    ]  # fmt: skip
    with pytest.raises(ConfigError, match="share"):
        build(DataConfig, {"leave_out": "3/2"}, Place("file", "leave_out = '3/2'"))


def test_a_share_that_is_left_out_is_another_run_and_no_share_is_the_same_as_ever(
    tone_store: Store, tones: Any
) -> None:
    config = tones.config()
    shares = [replace(config, data=DataConfig(corpora=("tones",), leave_out=f"{n}/2")) for n in (1, 2)]
    assert len({identity(one) for one in (config, *shares)}) == 3
    tables = [feed_reader(one, tone_store)[0].table for one in shares]
    names = [set(table.utterance_ids(np.arange(len(table)))) for table in tables]
    assert not names[0] & names[1] and len(names[0] | names[1]) == 40
    assert any("left out" in line for line in tables[0].left_out.lines())


@pytest.fixture(scope="module")
def doubted(tones: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, dict[str, Any]]]:
    store = open_store(tmp_path_factory.mktemp("doubted"))
    tones.publish(store, "tones", {"train": tones.clips(24, 1), "dev": tones.clips(4, 2)})
    config = tones.config(loop=LoopConfig(steps=2, batch_size=8, threads=1))
    yield store, doubt(DoubtRequest("tones", folds=2, config=config), store)


def test_every_training_row_is_judged_by_a_run_that_did_not_hear_it(
    doubted: tuple[Store, dict[str, Any]],
) -> None:
    store, found = doubted
    assert found["rows"] == 24 and len(set(found["runs"])) == 2 and not found["heard_by_model"]
    for number, run in enumerate(found["runs"], start=1):
        assert f'leave_out = "{number}/2"' in (store.runs_dir / run / "config.toml").read_text()
    table = pq.read_table(found["path"])
    assert set(table.column_names) == {"utterance_id", *DOUBTS, HEARD, "text"}
    assert not any(table[name].null_count for name in DOUBTS)
    before = Path(found["path"]).read_bytes()
    named = doubt(DoubtRequest("tones", model=found["runs"][0]), store)
    assert named["heard_by_model"] and named["rows"] == 24
    assert Path(found["path"]).read_bytes() != before


def test_the_command_and_what_it_refuses(
    doubted: tuple[Store, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    store, found = doubted
    line = ["doubt", "--corpus", "tones", "--store", str(store.root)]
    assert cli.main([*line, "--model", found["runs"][1]]) == 0
    assert "heard by" in capsys.readouterr().out
    assert cli.main([*line, "--model", "x", "--config", "y.toml"]) == 2
    with pytest.raises(UsageError, match="folds"):
        doubt(DoubtRequest("tones", folds=1), store)

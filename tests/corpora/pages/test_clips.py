"""Rows to hear: of every flag some, always the same, and never more sound than the page has room for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.pages import clips
from corpora.pages.clips import SOUNDS_BYTES, TEXT_SHOWN, clipped, clips_of
from native.flac import encode
from store.corpus import Corpus

RATE_HZ = 16_000


def a_corpus(folder: Path, seconds: list[float], flags: list[list[str]]) -> tuple[Corpus, pd.DataFrame]:
    """Noise, which no codec makes small, of these lengths; row groups of three rows."""
    chance = np.random.default_rng(1)
    sounds = [encode(chance.normal(0, 9000, int(one * RATE_HZ)).astype(np.int16), RATE_HZ) for one in seconds]
    names = [f"u{number}" for number in range(len(seconds))]
    shard = folder / "part.parquet"
    table = {
        "audio": [{"bytes": sound, "path": name} for sound, name in zip(sounds, names, strict=True)],
        "text_raw": [name.upper() for name in names],
        "source_path": names,
    }
    pq.write_table(pa.table(table), shard, row_group_size=3)
    corpus = Corpus("made", "v", folder)
    corpus.__dict__["shard_paths"] = lambda split=None: [shard]
    columns: dict[str, Any] = {
        "utterance_id": names, "speaker_id": "s", "split": "train", "duration_s": seconds, "text": names,
        "flags": [np.array(one, dtype=object) for one in flags], "shard": 0, "row": range(len(seconds)),
    }  # fmt: skip
    return corpus, pd.DataFrame(columns)


def test_every_flag_is_heard_and_each_row_comes_with_its_own_sound(tmp_path: Path) -> None:
    flags = [["noisy"], [], ["noisy", "clipped"], ["end_trimmed"], [], ["noisy"], ["unheard_of"]]
    corpus, table = a_corpus(tmp_path, [0.5, 0.4, 0.3, 0.2, 0.2, 0.6, 0.1], flags)
    flagged, accepted = clips_of(corpus, table)
    assert [one["id"] for one in flagged if "noisy" in one["flags"]] == ["u2", "u0"], "the shorter ones"
    assert {one["id"] for one in flagged} == {"u0", "u2", "u3"}
    assert all(one["raw"] == one["id"].upper() and one["sound"] for one in [*flagged, *accepted])
    assert len(accepted) == clips.ACCEPTED_SHOWN
    assert clips_of(corpus, table) == (flagged, accepted)


def test_sounds_that_do_not_fit_are_left_out_and_the_rows_stay(tmp_path: Path) -> None:
    corpus, table = a_corpus(tmp_path, [14.0] * 8, [["noisy"]] * 8)
    flagged, accepted = clips_of(corpus, table)
    lengths = [len(one["sound"]) for one in [*flagged, *accepted]]
    assert len(lengths) == 8 and 0 < sum(lengths) <= SOUNDS_BYTES and 0 in lengths


def test_nothing_longer_than_a_page_plays_is_chosen(tmp_path: Path) -> None:
    corpus, table = a_corpus(tmp_path, [16.0, 0.2], [[], []])
    assert [one["id"] for one in clips_of(corpus, table)[1]] == ["u1"]


@pytest.mark.parametrize(("length", "whole"), [(TEXT_SHOWN, True), (TEXT_SHOWN + 1, False)])
def test_long_texts_are_cut_and_say_so(length: int, whole: bool) -> None:
    shown = clipped("x" * length)
    assert (shown == "x" * length) is whole and (whole or f"({length} letters)" in shown)

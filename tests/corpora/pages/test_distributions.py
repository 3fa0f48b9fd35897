"""How figures are spread: nothing is counted twice or lost, and the table says what the chart shows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from corpora.pages.distributions import FEWEST_BINS, MOST_BINS, charts_of, histogram, letters_of
from store.pages.charts import Chart

MEASURES = ("chars_per_s", "snr_db", "peak_dbfs", "silence_ratio", "bandwidth_hz")
VERSION = {
    "version": "abcdef0123",
    "published": "2026-11-30T12:00:00+00:00",
    "utterances": 3,
    "refused_share": 0.25,
}


def a_table(rows: int) -> pd.DataFrame:
    chance = np.random.default_rng(1)
    columns = {name: chance.normal(-3, 1, rows) for name in MEASURES}
    return pd.DataFrame(
        {
            **columns,
            "duration_s": chance.gamma(4, 2, rows) + 0.1,
            "split": np.where(np.arange(rows) % 10 == 0, "test", "train"),
            "speaker_id": [f"s{number % 7}" for number in range(rows)],
            "text": ["ab a"] * rows,
        }
    )


def by_title(charts: list[Chart]) -> dict[str, Chart]:
    return {one.title: one for one in charts}


@pytest.mark.parametrize("rows", [1, 10, 5000])
def test_every_row_is_counted_once_on_both_axes(rows: int) -> None:
    charts = by_title(charts_of(a_table(rows), [], {}))
    duration = charts["Duration"]
    for bins in (duration.bins, duration.log_bins):
        assert bins is not None
        assert sum(map(sum, bins.counts.values())) == rows
        assert FEWEST_BINS <= len(bins.edges) - 1 <= MOST_BINS
        assert all(len(one) == len(bins.edges) - 1 for one in bins.counts.values())
        assert list(bins.edges) == sorted(set(bins.edges))
    assert charts["Peak level"].log_bins is None, "a level below 0 has no logarithm"
    assert list(charts["Peak level"].bins.counts) == (["train", "test"] if rows > 1 else ["test"])  # type: ignore[union-attr]


def test_the_table_beneath_says_the_quantiles_and_counts() -> None:
    values = np.arange(1.0, 102.0)
    chart = histogram("Duration", "s", "rows", {"train": values, "test": values[:1]})
    assert tuple(chart.head) == ("s", "all", "train", "test")
    rows = {row[0]: row[1:] for row in chart.rows}
    assert rows["median"] == ("50.5", "51.0", "1.0") and rows["most"][1] == "101"
    counts = [row for row in chart.rows if " to " in row[0]]
    assert sum(int(row[1]) for row in counts) == 102 and sum(int(row[3]) for row in counts) == 1
    assert chart.says == "median 50.5; 98 % between 1.0 and 100.0"


def test_what_is_no_number_is_left_out_and_nothing_at_all_is_said() -> None:
    holes = histogram("SNR", "dB", "rows", {"train": np.array([1.0, np.nan, np.inf])})
    assert holes.bins is not None and sum(holes.bins.counts["train"]) == 1
    empty = histogram("SNR", "dB", "rows", {"train": np.array([np.nan])})
    assert empty.bins is None and empty.says == "no value"
    constant = histogram("SNR", "dB", "rows", {"train": np.zeros(5)})
    assert constant.bins is not None and sum(constant.bins.counts["train"]) == 5


def test_letters_speakers_refusals_and_versions_have_their_charts() -> None:
    versions = [{**VERSION, "hours": 1.0}, {**VERSION, "version": "fedcba", "hours": 2.5}]
    charts = by_title(charts_of(a_table(70), versions, {"too_short": 1, "bad_chars": 1200}))
    assert charts["Letters"].names == ["a", "␣", "b"] and charts["Letters"].bars == {"all": [140, 70, 70]}
    assert charts["Refused, by check"].rows[0] == ("bad_chars", "1,200")
    assert sum(charts["Speech by speaker"].bins.counts["all"]) == 7  # type: ignore[union-attr]
    hours = charts["Hours, oldest version left"]
    assert hours.bars == {"all": [1.0, 2.5]} and hours.names[0] != hours.names[1]
    assert hours.rows[1][1:] == ("2.50", "3", "25.0\u00a0%")
    assert letters_of(pd.Series([], dtype=str)) == []
    assert charts_of(a_table(0), versions[:1], {"too_short": 1}) == []

"""The sweep: every setting measured once, interrupted and continued, a choice with its command, a safe page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from lm import sweep as sweeping
from lm.build import build
from lm.errors import LanguageModelUsageError
from lm.pages.curve import curve, front
from lm.pages.report import render_sweep, write_report
from lm.request import BuildRequest
from lm.sweep import Grid, choices, sweep, write_sweep
from store.opening import open_store

TEXTS = [f"the {noun} {verb} the {other}" for noun in ("cat", "dog", "hen", "ox")
         for verb in ("saw", "met", "heard") for other in ("cat", "dog", "mill")]  # fmt: skip
GRID = Grid(orders=(2, 3), prunings=((), (0, 0, 1)), structures=(("probing", None), ("trie", 8)))


@pytest.fixture
def request_for_store(store_root: Path, write_corpus: Callable[..., Path]) -> BuildRequest:
    write_corpus("small", {"train": TEXTS, "dev": ["the mill saw the ox", "a <b>hen</b> heard"]})
    return BuildRequest(publish="default", store=store_root)


def test_every_setting_once_and_a_curve_in_both_pages(
    request_for_store: BuildRequest, store_root: Path
) -> None:
    result = sweep(request_for_store, GRID)
    settings = [(row["order_asked"], row["prune"], row["binary"]) for row in result["rows"]]
    assert settings == [(2, [], "probing"), (2, [], "trie"), (3, [], "probing"), (3, [], "trie"),
                        (3, [0, 0, 1], "probing"), (3, [0, 0, 1], "trie")]  # fmt: skip
    built = build(BuildRequest(publish="default", order=3, store=store_root))
    assert result["rows"][2]["perplexity"] == built["perplexity"]
    assert result["rows"][2]["bytes"] == built["files"]["lm.binary"]["bytes"]
    assert [row["choice"] for row in result["choices"]] == ["best", "balanced", "small"]
    assert result["choices"][0]["perplexity"] == min(row["perplexity"] for row in result["rows"])
    store = open_store(store_root)
    page, data = write_sweep(store, result)
    assert json.loads(data.read_text()) == result
    assert page.read_text().count("<circle") == len(result["rows"])
    report = write_report(store, "default").read_text()
    assert "<circle" in report and result["choices"][2]["command"].replace("'", "&#39;") in report
    assert "&lt;b&gt;hen&lt;/b&gt;" in report and "<b>hen" not in report
    assert not list((store_root / "staging" / "language_models").iterdir())


def test_an_interrupted_sweep_goes_on(
    request_for_store: BuildRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    estimated: list[int] = []
    estimate = sweeping.kenlm.estimate

    def counting(text: Path, arpa: Path, longest: int, options: sweeping.kenlm.EstimateOptions) -> object:
        if options.order == 3 and not estimated.count(3) and len(estimated) == 1:
            estimated.append(0)
            raise KeyboardInterrupt
        estimated.append(options.order)
        return estimate(text, arpa, longest, options)

    monkeypatch.setattr(sweeping.kenlm, "estimate", counting)
    with pytest.raises(KeyboardInterrupt):
        sweep(request_for_store, GRID)
    interrupted = sweep(request_for_store, GRID)
    assert estimated == [2, 0, 3, 3]
    assert interrupted == sweep(request_for_store, GRID)


def test_nothing_to_measure_on_is_said(store_root: Path, write_corpus: Callable[..., Path]) -> None:
    write_corpus("small", {"train": TEXTS})
    with pytest.raises(LanguageModelUsageError, match="has dev transcripts"):
        sweep(BuildRequest(publish="default", store=store_root), GRID)


def row(order: int, size: int, perplexity: float, **more: object) -> dict[str, object]:
    base = {"order": order, "bytes": size, "perplexity": perplexity, "prune": [], "binary": "probing"}
    return {**base, "quantise": None, "ngrams": [1], "perplexity_without_oov": perplexity, **more}


def test_the_choices_trade_size_against_perplexity() -> None:
    rows = [
        row(5, 900, 100.0),
        row(4, 500, 101.9),
        row(3, 300, 109.0, binary="trie", quantise=8),
        row(2, 99, 140.0),
    ]
    request = BuildRequest(corpora=("a", "b"), text=(Path("my text.txt"),))
    best, balanced, small = choices(rows, "general", request)
    assert [one["order"] for one in (best, balanced, small)] == [5, 4, 3]
    assert small["command"] == (
        "make lm NAME=general ORDER=3 BINARY=trie QUANTISE=8 TEXT='my text.txt' CORPORA='a b'"
    )
    alone = choices(rows, "x", BuildRequest(corpora=(), text=(Path("a.txt"),)))[0]["command"]
    assert alone == "python -m lm build --publish x --order 5 --text a.txt --corpora"


def test_the_front_and_the_page_of_one_model() -> None:
    rows = [row(2, 100, 9.0), row(3, 200, 9.5), row(3, 300, 7.0)]
    assert [one["bytes"] for one in front(rows)] == [100, 300]
    assert len(curve(rows[:1])["dots"]) == 1
    page = render_sweep({"name": "<x>", "inputs_hash": "0" * 64, "rows": rows, "choices": []})
    assert "&lt;x&gt;" in page and "<x>" not in page


def test_the_grid_leaves_out_what_says_the_same() -> None:
    grid = Grid(orders=(2, 3), prunings=((), (0, 0), (0, 0, 1)))
    assert list(grid.estimates()) == [(2, ()), (3, ()), (3, (0, 0, 1))]

"""A rate of characters is called CER wherever it is shown, a rate of words WER."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scoring.wer import rate_name, unit_of
from store.store import Store
from store.writing import write_json_atomic
from tests.training.release.handmade_models import SAID, evaluation, package
from training.__main__ import main
from training.evaluation.figures import Heard, figures_of, pooled
from training.pages.evaluation import render_evaluation
from training.pages.report import render_index
from training.pages.surface_plot import surface_svg
from training.pages.terminal import evaluation_lines, total_line

TEXTS = {"characters": ["今天天气好", "我们去公园"], "words": ["good day to you", "we went out"]}
HEARD = {"characters": ["今天天气号", "我们去公园"], "words": ["good day for you", "we went out"]}
TUNING = {
    "wer": 0.2,
    "split": "dev",
    "alpha": 1.0,
    "beta": 0.5,
    "mode": "m",
    "beam_width": 8,
    "utterances": 2,
}


def evaluated(unit: str, corpus: str = "talks") -> dict[str, Any]:
    heard = Heard(TEXTS[unit], ["ann", "bob"], ["f", "m"], [1.0, 2.0], [30.0, None], {"greedy": HEARD[unit]})
    return {
        **figures_of(heard), "id": f"{corpus}-{unit}", "corpus": corpus, "corpus_version": "v1", "split": "test",
        "subset": "", "run": "r1", "language_model": None, "decoder": None, "path": "p", "contamination": [],
        "rtf": {"acoustic": 0.01, "corrector": 0.0, "decoder": 0.0},
    }  # fmt: skip


def stored(store: Store, evaluation: dict[str, Any]) -> None:
    folder = store.evaluations_dir / evaluation["id"]
    folder.mkdir(parents=True)
    unit = evaluation["unit"]
    rows = [
        {
            "utterance_id": f"u{n}", "speaker_id": "ann", "reference": said, "greedy": heard, "greedy_edits": n,
            "words": 5, "duration_s": 1.0, "snr_db": None,
        }
        for n, (said, heard) in enumerate(zip(TEXTS[unit], HEARD[unit], strict=True))
    ]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "utterances.parquet")
    write_json_atomic(folder / "evaluation.json", evaluation)


def plain(page: str) -> str:
    return re.sub(r"<[^>]+>", " ", re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL))


def test_the_unit_is_that_of_the_texts() -> None:
    assert [unit_of(TEXTS[unit]) for unit in ("characters", "words")] == ["characters", "words"]
    assert [rate_name(unit) for unit in ("characters", "words", None)] == ["CER", "WER", "WER"]


@pytest.mark.parametrize("unit", ["characters", "words"])
def test_the_page_and_the_lines_name_the_rate(unit: str, tmp_path: Path) -> None:
    store, evaluation = Store(tmp_path), evaluated(unit)
    stored(store, evaluation)
    page, lines = plain(render_evaluation(store, evaluation)), "\n".join(evaluation_lines(evaluation))
    index = plain(render_index(store, [evaluation]))
    if unit == "characters":
        assert "Character error rate: all edits / all characters" in page and "10 characters," in page
        assert "a character taken for another" in page
        assert " CER " in page and "WER" not in page and "ord error rate" not in page + index
        assert "greedy    CER  10.00%" in lines and "WER" not in lines
    else:
        assert "Word error rate: all edits / all words" in page and "a word taken for another" in page
        assert " WER " in page and " CER " in page
        assert "greedy    WER  14.29%" in lines and ", CER " in lines


def test_several_corpora_have_one_name_only_where_they_count_the_same() -> None:
    both = [evaluated("characters"), evaluated("words", "other")]
    assert ": CER greedy 10.00%" in total_line(pooled([both[0], evaluated("characters", "third")]))
    assert ": WER greedy 14.29%" in total_line(pooled([both[1], evaluated("words", "third")]))
    assert ": words here, characters there greedy " in total_line(pooled(both))


def test_the_list_of_models_names_each_rate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(tmp_path)
    for name, unit in (("one", "characters"), ("two", "words")):
        evaluation(store, name, "run", SAID, unit=unit, corpus=name)
    package(store, "m1", "run", ["one", "two"])
    assert main(["models", "--store", str(tmp_path)]) == 0
    assert "one CER 0.00%, two WER 0.00%" in capsys.readouterr().out


@pytest.mark.parametrize(("unit", "name"), [("characters", "CER"), ("words", "WER"), (None, "WER")])
def test_the_picture_of_the_weights_names_the_rate(
    unit: str | None, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import matplotlib

    monkeypatch.setitem(matplotlib.rcParams, "svg.fonttype", "none")
    points = [{**TUNING, "alpha": a, "beta": b} for a in (0.0, 1.0) for b in (0.0, 1.0)]
    drawn = surface_svg({**TUNING, "surface": points, "unit": unit})
    assert f"{name} on dev: 20.00\u00a0% at alpha" in plain(drawn) and f"{name}, %" in plain(drawn)

"""A run in the store from training to report, in process: contracts, ids, tuning, hostile text."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from scoring.wer import aligned
from store.opening import open_store
from store.store import Store
from store.writing import read_json
from training import __main__ as cli
from training.decoding.tune import TuneRequest, tune_decoder
from training.decoding.weights import weights_for
from training.errors import DataError, RunNotFoundError
from training.evaluation.compare import compare_evaluations, compare_with_previous
from training.evaluation.evaluate import EvaluationRequest, evaluate, find_evaluation
from training.network.config import config_text
from training.pages.evaluation import render_evaluation
from training.pages.report import write_reports
from training.runs import run_id_for
from training.settings import evaluations_of, read_retrain, retrain_is_due, tunings_of

HOSTILE = "<script>alert('x')</script>"


@pytest.fixture(scope="module", autouse=True)
def root_logger_as_before() -> Iterator[None]:
    """The commands set up logging on a standard error that is gone after their test."""
    before = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = before


@pytest.fixture(scope="module")
def language_model(tone_store: Store, root: Path) -> str:
    """The folder of a bigram over the training transcripts."""
    if not (root / "build" / "kenlm" / "bin" / "lmplz").exists():
        pytest.skip("KenLM's programs are not built")
    from lm.build import build
    from lm.request import BuildRequest

    build(BuildRequest(publish="default", order=2, store=tone_store.root))
    return str(tone_store.language_model("default"))


@pytest.fixture(scope="module")
def run(tone_store: Store, tones: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run trained by the command, which names the store's [retrain] configuration too."""
    path = tone_store.root / "training.toml"
    path.write_text(config_text(tones.config()))
    tone_store.settings_path.write_text('[retrain]\nconfig = "training.toml"\n')
    assert cli.main(["run", "--config", str(path), "--store", str(tone_store.root), "--json"]) == 0
    return run_id_for(tones.config(), tone_store)


def call(capsys: pytest.CaptureFixture[str], store: Store, arguments: Sequence[str]) -> Any:
    """Run a command with --json and return what it printed."""
    capsys.readouterr()
    status = cli.main([*arguments, "--store", str(store.root), "--json"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    return json.loads(printed.out)


def test_a_finished_run_is_recognised(
    capsys: pytest.CaptureFixture[str], tone_store: Store, run: str, tones: Any
) -> None:
    printed = call(capsys, tone_store, ["run", "--config", str(tone_store.root / "training.toml")])
    assert printed["run"] == run
    folder = Path(printed["path"])
    assert {path.name for path in folder.iterdir()} >= {
        "config.toml", "inputs.json", "alphabet.txt", "state.json", "log.txt", "checkpoints",
    }  # fmt: skip
    state = call(capsys, tone_store, ["status", run])
    assert {"run", "state", "step", "epoch", "dev_wer", "eta_s"} <= set(state)
    assert state["state"] == "finished"
    assert "dev greedy WER" in (folder / "log.txt").read_text()
    assert run_id_for(tones.config(seed=2), tone_store) != run


def test_the_chain_of_retrain_tunes_then_measures(
    capsys: pytest.CaptureFixture[str], tone_store: Store, run: str, language_model: str
) -> None:
    assert retrain_is_due(tone_store)
    (tuning,) = tunings_of(run, tone_store)
    chosen = tune_decoder(TuneRequest(**tuning), tone_store)
    assert {point["wer"] for point in chosen["surface"]} >= {chosen["wer"]}
    assert chosen["wer"] == min(point["wer"] for point in chosen["surface"])
    again = tune_decoder(TuneRequest(**tuning), tone_store)
    assert again == chosen
    run_dir = tone_store.runs_dir / run
    assert weights_for(run_dir, chosen["lm_hash"]).alpha == chosen["alpha"]
    assert (run_dir / f"decoder-{chosen['lm_hash'][:16]}.json").exists()

    (entry,) = evaluations_of(run, tone_store)
    first = evaluate(EvaluationRequest(**entry), tone_store)
    assert not retrain_is_due(tone_store)
    arguments = ["--model", run[:7], "--corpus", "tones", "--lm", language_model]
    printed = call(capsys, tone_store, ["evaluate", *arguments])
    assert printed["id"] == first["id"], "timings changed the id"
    for decoder in ("greedy", "corrected", "lm"):
        assert {"wer", "wer_mean_per_utterance", "cer", "wer_interval"} <= set(printed[decoder])
        low, high = printed[decoder]["wer_interval"]
        assert 0 <= low <= printed[decoder]["wer"] <= high
    assert printed["utterances"] == 9
    assert set(printed["rtf"]) == {"acoustic", "greedy", "corrector", "decoder"}
    assert printed["rtf"]["acoustic"] > 0 and printed["rtf"]["decoder"] > 0
    assert printed["interval_by"] == "speaker"
    assert printed["decoder"]["alpha"] == chosen["alpha"]
    rows = pq.read_table(tone_store.evaluations_dir / first["id"] / "utterances.parquet").to_pylist()
    assert len(rows) == 9
    assert sum(row["lm_edits"] for row in rows) / sum(row["words"] for row in rows) == pytest.approx(
        printed["lm"]["wer"]
    )
    assert all(set(row["lm"].split()) <= {"abba", "cad", "bee", "face", "deaf", "fade"} for row in rows)
    check_utterances(rows, tone_store)
    check_groups(printed)
    part = call(capsys, tone_store, ["evaluate", *arguments[:4], "--subset", "test-clean"])
    assert part["lm"] is None
    assert part["greedy"]["wer"] == printed["greedy"]["wer"]
    stored = find_evaluation(EvaluationRequest(model=run, corpus="tones", subset="test-clean"), tone_store)
    assert stored is not None and stored["id"] == part["id"]


def check_utterances(rows: list[dict[str, Any]], store: Store) -> None:
    """The table has every decoder's edits by kind, and where the utterance comes from."""
    for row in rows:
        for decoder in ("greedy", "corrected", "lm"):
            kinds = [row[f"{decoder}_{kind}"] for kind in ("substitutions", "deletions", "insertions")]
            assert sum(kinds) == row[f"{decoder}_edits"]
            assert row[f"{decoder}_character_edits"] >= 0
        assert row["lm_confidence"] is None if not row["lm"] else 0 <= row["lm_confidence"] <= 1
        assert (row["corpus"], row["source_path"], row["measures"]["snr_db"]) == ("tones", "invented", 30.0)


def check_groups(printed: dict[str, Any]) -> None:
    """Every table of groups has all utterances, and the decoders are compared."""
    for table in (
        printed["speakers"].values(),
        printed["genders"].values(),
        printed["durations"],
        printed["snrs"],
    ):
        assert sum(group["utterances"] for group in table) == 9
        assert sum(group["words"] for group in table) == printed["words"]
        total = sum(group["lm"] * group["words"] for group in table) / printed["words"]
        assert total == pytest.approx(printed["lm"]["wer"])
    assert [group["from"] for group in printed["snrs"]] == [30.0]
    pairs = [(one["before"], one["after"]) for one in printed["comparisons"]]
    assert pairs == [("greedy", "corrected"), ("greedy", "lm"), ("corrected", "lm")]
    assert printed["comparisons"][1]["difference"] == pytest.approx(
        printed["lm"]["wer"] - printed["greedy"]["wer"]
    )
    assert set(printed["confusions"]) == {"greedy", "lm"}


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"alpha": 1.0}, r"alpha 1\.0 is for the beam search .* none is named"),
        ({"beta": 0.0, "mode": "fast"}, r"beta 0\.0, mode fast is for"),
        ({"language_model": "x", "beam_width": 0}, "beam width 0 must be at least 1"),
        ({"language_model": "x", "alpha": float("nan")}, "alpha nan is no finite number"),
    ],
)
def test_settings_of_the_decoder_are_never_passed_over(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(DataError, match=words):
        evaluate(EvaluationRequest(model="run", corpus="tones", **settings))


def test_a_language_model_may_be_named_as_published(
    capsys: pytest.CaptureFixture[str], tone_store: Store
) -> None:
    arguments = ["evaluate", "--model", "run", "--corpus", "tones", "--store", str(tone_store.root)]
    assert cli.main([*arguments, "--lm", "nobody"]) == 2
    assert "nobody is not published" in capsys.readouterr().err


def test_an_evaluation_is_compared_with_another(
    capsys: pytest.CaptureFixture[str], tone_store: Store, run: str, language_model: str
) -> None:
    arguments = ["evaluate", "--model", run, "--corpus", "tones", "--lm", language_model, "--beta", "1.0"]
    before = call(capsys, tone_store, [*arguments, "--alpha", "0"])
    after = call(capsys, tone_store, [*arguments, "--alpha", "1.5", "--against", before["id"][:10]])
    compared = after["against"]
    assert (compared["evaluation"], compared["against"]) == (after["id"], before["id"])
    assert compared["decoders"]["greedy"]["difference"] == 0.0
    assert compared["decoders"]["greedy"]["p_bootstrap"] == 1.0
    found = compared["decoders"]["lm"]
    assert found["difference"] == pytest.approx(after["lm"]["wer"] - before["lm"]["wer"])
    assert (tone_store.evaluations_dir / after["id"] / f"against-{before['id']}.json").exists()
    page = render_evaluation(
        tone_store, read_json(tone_store.evaluations_dir / after["id"] / "evaluation.json")
    )
    assert f'href="{before["id"]}.html"' in page
    shown = cli.main(
        [*arguments, "--alpha", "1.5", "--against", before["id"], "--store", str(tone_store.root)]
    )
    assert shown == 0
    assert "matched pairs" in capsys.readouterr().out
    assert compare_with_previous(before, tone_store)["against"] == after["id"]
    assert compare_with_previous({**before, "corpus_version": "other"}, tone_store) is None
    both = call(capsys, tone_store, [*arguments[:4], "tones", "tones"])
    assert [one["corpus"] for one in both["evaluations"]] == ["tones", "tones"]
    with pytest.raises(DataError, match="there is none"):
        compare_evaluations(after["id"], "none", tone_store)
    path = tone_store.evaluations_dir / before["id"] / "utterances.parquet"
    table = pq.read_table(path)
    place = table.schema.get_field_index("reference")
    pq.write_table(table.set_column(place, "reference", [["other"] * table.num_rows]), path)
    with pytest.raises(DataError, match="measure both on the same version"):
        compare_evaluations(after["id"], before["id"], tone_store)
    pq.write_table(table, path)


def test_what_cannot_be_measured_is_a_sentence(tone_store: Store, run: str) -> None:
    with pytest.raises(DataError, match="no utterance in split 'test' with subset 'other'"):
        evaluate(EvaluationRequest(model=run, corpus="tones", subset="other"), tone_store)
    with pytest.raises(RunNotFoundError, match="there is none"):
        evaluate(EvaluationRequest(model="0000", corpus="tones"), tone_store)
    with pytest.raises(DataError, match="no corpus"):
        run_id_for(read_retrain(tone_store).config, open_store(tone_store.root / "nothing"))


def test_reports_are_self_contained_and_escape_what_corpora_say(tone_store: Store, run: str) -> None:
    result = evaluate(EvaluationRequest(model=run, corpus="tones"), tone_store)
    index = write_reports(tone_store).read_text(encoding="utf-8")
    assert f"evaluations/{result['id']}.html" in index
    page = (tone_store.reports_dir / "evaluations" / f"{result['id']}.html").read_text(encoding="utf-8")
    assert page.count("data:audio/flac;base64,") == 9
    path = tone_store.evaluations_dir / result["id"] / "utterances.parquet"
    drawn = tone_store.reports_dir / "evaluations" / f"{result['id']}.html"
    stamp = drawn.stat().st_mtime_ns
    write_reports(tone_store)
    assert drawn.stat().st_mtime_ns == stamp, "nothing changed, nothing is drawn again"
    drawn.write_text("cut sho")
    write_reports(tone_store)
    assert drawn.read_text(encoding="utf-8") == page
    table = pq.read_table(path)
    hostile = table.set_column(table.schema.get_field_index("greedy"), "greedy", [[HOSTILE] * table.num_rows])
    pq.write_table(hostile, path)
    evaluation = read_json(path.parent / "evaluation.json")
    evaluation["speakers"] = {HOSTILE: evaluation["speakers"]["test-speaker0"]}
    text = render_evaluation(tone_store, evaluation)
    pq.write_table(table, path)
    assert HOSTILE not in text and "&lt;script&gt;" in text
    assert '<b aria-hidden="true">≠</b>' in text, "differences are marked by more than colour"
    earlier = {
        key: value for key, value in evaluation.items() if key not in ("corrected", "snrs", "comparisons")
    }
    assert "Worst utterances" in render_evaluation(tone_store, earlier), "of a format without these figures"
    for page in (index, text):
        assert "<script" not in page
        assert 'src="http' not in page and "url(" not in page and 'href="http' not in page


def test_words_are_aligned_for_reading() -> None:
    assert aligned("a b c", "a x c d") == [
        ("equal", "a", "a"),
        ("replace", "b", "x"),
        ("equal", "c", "c"),
        ("added", "", "d"),
    ]
    assert aligned("a b", "b") == [("missed", "a", ""), ("equal", "b", "b")]

"""Several networks judge texts: exact likelihoods against brute force, weights, and the command on files of outputs."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import native
from store.opening import open_store
from store.writing import read_json
from training import __main__ as cli
from training.decoding.rescore import Candidates, Speller, log_likelihoods, pick_weights
from training.errors import DataError
from training.evaluation.evaluate import evaluations
from training.pages.evaluation import completed, render_evaluation

SAID = [("ab", [1]), ("ab", [1, 2]), ("b", [2, 2]), ("b", [2])]


@pytest.fixture(autouse=True)
def root_logger_as_before() -> Iterator[None]:
    before = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = before


def spoken(labels: list[str], said: list[tuple[str, list[int]]]) -> Speller:
    alphabet = native.Alphabet(labels)
    scorer: Any = SimpleNamespace(alphabet=alphabet, pronunciations=lambda: said)
    return Speller(alphabet, scorer)


def brute_force(log_probs: np.ndarray, spelling: list[int]) -> float:
    """ln P of a spelling: every way through the frames that comes to it is looked at."""
    blank, total = log_probs.shape[1] - 1, -np.inf
    for path in itertools.product(range(blank + 1), repeat=len(log_probs)):
        if [label for label, _ in itertools.groupby(path) if label != blank] == spelling:
            total = np.logaddexp(total, sum(log_probs[frame, label] for frame, label in enumerate(path)))
    return float(total)


def random_logs(seed: int, frames: int, width: int) -> np.ndarray:
    logits = 2 * np.random.default_rng(seed).standard_normal((frames, width))
    return (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)).astype(np.float32)


def spellings_of(text: str) -> list[list[int]]:
    """Every way to say every word, blanks between."""
    ways = [[labels for word, labels in SAID if word == one] for one in text.split()]
    return [[label for labels in chosen for label in (0, *labels)][1:] for chosen in itertools.product(*ways)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_likelihoods_are_those_of_all_ways_through_the_frames(seed: int, frames: int) -> None:
    texts = ["", "ab", "b", "ab b", "b ab", "b b", "nobody"]
    log_probs = random_logs(seed, frames, 4)
    found = log_likelihoods(log_probs, texts, spoken([" ", "x", "y"], SAID))
    for text, value in zip(texts, found, strict=True):
        each = [brute_force(log_probs.astype(np.float64), one) for one in spellings_of(text)]
        expected = np.logaddexp.reduce(each or [-np.inf])
        assert value == pytest.approx(expected, abs=1e-6) or (value < -1e29 and expected == -np.inf)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_a_network_of_letters_writes_the_text_itself(seed: int) -> None:
    log_probs, letters = random_logs(seed, 5, 4), native.Alphabet([" ", "a", "b"])
    sounds: Any = SimpleNamespace(alphabet=native.Alphabet([" ", "x"]), pronunciations=lambda: [("ab", [1])])
    speller = Speller(letters, sounds)
    texts = ["ab", "aa", "b a", "a"]
    found = log_likelihoods(log_probs, texts, speller)
    expected = [brute_force(log_probs.astype(np.float64), letters.encode(text)) for text in texts]
    assert found == pytest.approx(expected, abs=1e-6)
    alone = [log_likelihoods(log_probs, [text], speller)[0] for text in texts]
    assert found == pytest.approx(alone, abs=1e-9), "beginnings that texts share change nothing"
    with pytest.raises(DataError, match="cannot write 'ac'"):
        log_likelihoods(log_probs, ["ac"], speller)


def test_weights_are_picked_where_the_fewest_words_are_wrong() -> None:
    one = Candidates(
        ("a b", "a", "b b"),
        np.array([-5.0, -4.0, -9.0]),
        np.array([-4.0, -6.0, -1.0]),
        np.array([-3.0, -2.0, -3.0]),
        np.array([2.0, 1.0, 2.0]),
    )
    silent = Candidates((), np.array([]), np.array([]), np.array([]), np.array([]))
    alpha, beta, wrong = pick_weights([one, silent], ["a b", "c"], share=0.0)
    assert one.texts[one.best(0.0, alpha, beta)] == "a b" and wrong == 1
    assert one.texts[one.best(0.0, 0.0, 0.0)] == "a", "the first network alone"
    assert one.texts[one.best(0.5, 0.0, 0.0)] == "a b" and one.texts[one.best(1.0, 0.0, 0.0)] == "b b"
    with pytest.raises(DataError, match="no text was proposed"):
        pick_weights([silent], ["c"], 0.5)


WORDS = ("bad", "bed", "bud", "cab", "cub")


def write_outputs(folder: Path, seed: int) -> Path:
    """Outputs for forty words by a network that mishears vowels."""
    from corpora.text.normaliser import default_alphabet

    folder.mkdir()
    labels, draws = default_alphabet().labels, np.random.default_rng(seed)
    arrays, lines = {}, ["id\tsplit\tspeaker\ttext"]
    for number in range(40):
        text = WORDS[number % len(WORDS)]
        logits = np.zeros((2 * len(text), len(labels) + 1))
        for place, letter in enumerate(text):
            logits[2 * place, labels.index(letter)] = 6.0
            logits[2 * place + 1, -1] = 6.0
        logits[2, [labels.index(one) for one in "aeu"]] += 7.0 * draws.standard_normal(3)
        logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        arrays[f"u{number}"] = logs.astype(np.float32)
        lines.append(f"u{number}\t{'dev' if number < 15 else 'test'}\ts{number % 4}\t{text}")
    np.savez(folder / "out.npz", **arrays)
    named = [f"{place}\t{label}" for place, label in enumerate([*labels, "<blank>"])]
    (folder / "labels.tsv").write_text("\n".join(named) + "\n")
    (folder / "refs.tsv").write_text("\n".join(lines) + "\n")
    return folder / "out.npz"


@pytest.fixture
def language_model(tmp_path: Path, root: Path) -> Path:
    if not (root / "build" / "kenlm" / "bin" / "lmplz").exists():
        pytest.skip("KenLM's programs are not built")
    from lm.build import build
    from lm.request import BuildRequest

    (tmp_path / "text.txt").write_text("".join(f"{word}\n" for word in WORDS for _ in range(3)))
    text = (tmp_path / "text.txt",)
    build(BuildRequest(out=tmp_path / "lm", text=text, corpora=(), order=2, store=tmp_path / "store"))
    return tmp_path / "lm"


def test_several_networks_together_are_better_than_each(
    tmp_path: Path, language_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other, third = (write_outputs(tmp_path / name, seed) for seed, name in enumerate("abc", start=1))
    common = ["--lm", str(language_model), "--store", str(tmp_path / "store"), "--json"]

    def call(*arguments: str) -> Any:
        capsys.readouterr()
        status = cli.main([*arguments, *common])
        printed = capsys.readouterr()
        assert status == 0, printed.err
        return json.loads(printed.out)

    alone = [call("evaluate", "--log-probs", str(path))["lm"]["wer"] for path in (first, other, third)]
    found = call("rescore", "--log-probs", str(first), "--others", str(other), str(third))
    rescored = found["rescored"]
    assert rescored["alone_wer"] == alone[0] and min(alone) > 0.2
    assert found["lm"]["wer"] < min(alone)
    assert (
        len(set(rescored["networks"])) == 3
        and rescored["networks"][0] == found["run"]
        and rescored["share"] == pytest.approx(2 / 3, abs=1e-4)
    )
    assert rescored["picked_on"]["utterances"] == 15 and found["contamination"] == []
    kept = read_json(Path(found["path"]) / "evaluation.json")
    assert kept["rescored"] == rescored and kept["lm"] == found["lm"]
    store = open_store(tmp_path / "store")
    page = render_evaluation(store, completed(kept))
    assert "Judged together: of 100 candidates" in page and all(name in page for name in rescored["networks"])
    assert found["id"] not in {one["id"] for one in evaluations(store)}, "it is no figure of the run alone"
    assert found["id"] in {one["id"] for one in evaluations(store, rescored=True)}
    again = call("rescore", "--log-probs", str(first), "--others", str(other), str(third))
    assert again["id"] == found["id"] != call("evaluate", "--log-probs", str(first))["id"]
    deaf = call("rescore", "--log-probs", str(first), "--others", str(other), "--share", "0")
    assert deaf["lm"]["wer"] > found["lm"]["wer"], "the others have nothing to say"
    told = call("rescore", "--log-probs", str(first), "--others", str(other), "--tune-split", "test")
    assert told["contamination"] == ["the weights were picked on the split 'test' that is measured"]


def test_who_cannot_judge_is_said(
    tmp_path: Path, language_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, other = write_outputs(tmp_path / "a", 1), write_outputs(tmp_path / "b", 2)
    arrays = dict(np.load(other))
    del arrays["u20"]
    np.savez(other, **arrays)
    refs = (other.parent / "refs.tsv").read_text().splitlines()
    kept = [line for line in refs if not line.startswith("u20\t")]
    (other.parent / "refs.tsv").write_text("\n".join(kept) + "\n")
    common = ["--log-probs", str(first), "--lm", str(language_model), "--store", str(tmp_path / "store")]
    for arguments, said in (
        (["--others", str(other)], "has not heard 1 of 25 utterances, 'u20' the first"),
        ([], "no other network is named"),
        (["--others", str(other), "--share", "1.5"], "share 1.5 of the other networks must lie"),
        (["--others", str(other), "--candidates", "1"], "1 candidates leave nothing"),
        (["--others", "0123"], "the first network is a file of outputs"),
    ):
        assert cli.main(["rescore", *common, *arguments]) != 0
        printed = capsys.readouterr().err
        assert said in printed and "Traceback" not in printed, printed

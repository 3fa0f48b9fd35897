"""Mixtures of models: known probabilities, contexts that sum to one, weights found by maximisation."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lm import kenlm
from lm.build import BuildRequest, build, inputs_hash
from lm.errors import LanguageModelUsageError, ResourceError, ToolFailedError
from lm.inspection import verify
from lm.mixing.interpolation import interpolate, tune_weights
from native import LanguageModel

ONE = "the cat sat on the mat\nthe dog sat on the log\na cat saw the dog\nthe dog ran\na mat lay there\n"
TWO = "the ship sailed on the sea\na ship sank in the sea\nthe sea lay there\nthe cat ran to the ship\n"


def model(folder: Path, name: str, text: str, order: int) -> Path:
    source = folder / f"{name}.txt"
    source.write_text(text)
    longest = max(len(line.split()) for line in text.splitlines())
    arpa = folder / f"{name}.arpa"
    kenlm.estimate(source, arpa, longest, kenlm.EstimateOptions(order))
    return arpa


def scores(arpa: Path, sentence: str) -> list[float]:
    """log10 of every word and the end; -inf for words outside the vocabulary."""
    scored = LanguageModel.load(arpa).score_sentence(sentence)
    return [-np.inf if unknown else log10 for _, log10, unknown in scored]


def test_known_answer_of_two_unigram_and_bigram_models(tmp_path: Path) -> None:
    (tmp_path / "a.arpa").write_text(
        "\\data\\\nngram 1=4\nngram 2=1\n\n\\1-grams:\n-0.60206\t<unk>\t0\n0\t<s>\t-0.30103\n"
        "-0.60206\t</s>\t0\n-0.30103\tyes\t0\n\n\\2-grams:\n-0.30103\t<s> yes\n\n\\end\\\n"
    )
    (tmp_path / "b.arpa").write_text(
        "\\data\\\nngram 1=4\n\n\\1-grams:\n-0.60206\t<unk>\n0\t<s>\n-0.30103\t</s>\n-0.60206\tno\n\n\\end\\\n"
    )
    assert interpolate([tmp_path / "a.arpa", tmp_path / "b.arpa"], [0.5, 0.5], tmp_path / "m") == [5, 1]
    lines = dict(
        (fields[1], [float(number) for number in fields[:1] + fields[2:]])
        for fields in (line.split("\t") for line in (tmp_path / "m").read_text().splitlines())
        if len(fields) > 1
    )
    probabilities = {word: 10 ** numbers[0] for word, numbers in lines.items()}
    # 0.5 · 0.5 + 0.5 · 0;  0.5 · 0 + 0.5 · 0.25;  0.5 · 0.25 + 0.5 · 0.5;  0.5 · 0.25 + 0.5 · 0.25
    expected = {"yes": 0.25, "no": 0.125, "</s>": 0.375, "<unk>": 0.25, "<s> yes": 0.25}
    assert {word: probabilities[word] for word in expected} == pytest.approx(expected, rel=1e-5)
    # the context <s> lists `yes`: 1 - 0.25 is left, 1 - 0.25 one order below
    assert 10 ** lines["<s>"][1] == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("weights", [(0.3, 0.7), (1.0, 0.0)])
def test_every_context_sums_to_one_and_listed_ngrams_are_mixed(
    tmp_path: Path, weights: tuple[float, float]
) -> None:
    arpas = [model(tmp_path, "one", ONE, 3), model(tmp_path, "two", TWO, 3)]
    counts = interpolate(arpas, weights, tmp_path / "mixed.arpa")
    assert counts == kenlm.arpa_counts(tmp_path / "mixed.arpa")
    mixed = LanguageModel.load(tmp_path / "mixed.arpa")
    words = [*kenlm.arpa_words(tmp_path / "mixed.arpa"), "never-heard-of"]
    for context in ["", "the", "on the", "the cat", "sailed on", "never-heard-of", "ran to"]:
        at = len(context.split())
        listed = [10 ** mixed.score_sentence(f"{context} {word}".strip())[at][1] for word in words]
        ended = 10 ** mixed.score_sentence(context)[at][1]
        assert sum(listed) + ended == pytest.approx(1.0, abs=2e-5), context
    for sentence in ("the cat sat on the mat", "the ship sailed on the sea"):
        parts = [scores(arpa, sentence) for arpa in arpas]
        own = 0 if "cat" in sentence else 1  # its trigrams are listed, so mixed exactly
        assert np.isfinite(parts[own]).all()
        if weights[own] > 0:
            together = [
                np.log10(sum(w * 10**score for w, score in zip(weights, both, strict=True)))
                for both in zip(*parts, strict=True)
            ]
            assert scores(tmp_path / "mixed.arpa", sentence) == pytest.approx(together, abs=1e-4)


def test_models_of_different_orders_can_be_mixed(tmp_path: Path) -> None:
    arpas = [model(tmp_path, "one", ONE, 4), model(tmp_path, "two", TWO, 2)]
    assert len(interpolate(arpas, (0.5, 0.5), tmp_path / "mixed.arpa")) == 4
    kenlm.to_binary(tmp_path / "mixed.arpa", tmp_path / "mixed.binary", kenlm.BinaryOptions())
    assert LanguageModel.load(tmp_path / "mixed.binary").order == 4


def test_weights_reach_the_best_mixture_and_are_the_same_every_time() -> None:
    random = np.random.default_rng(1)
    log10 = np.log10(random.uniform(0.001, 0.5, size=(2000, 2)))
    log10[:40, 0] = log10[40:60, 1] = -np.inf
    found = tune_weights(log10)
    assert sum(found.weights) == pytest.approx(1.0) and found.tokens == 2000
    grid = [np.log10(10.0**log10 @ (w, 1 - w)).mean() for w in np.linspace(0.01, 0.99, 99)]
    best = np.linspace(0.01, 0.99, 99)[int(np.argmax(grid))]
    assert found.weights[0] == pytest.approx(best, abs=0.011)
    assert found.alone == (None, None)
    assert tune_weights(log10) == found


def test_tokens_that_no_component_knows_are_passed_over() -> None:
    found = tune_weights(np.array([[-1.0, -2.0], [-np.inf, -np.inf], [-1.0, -2.0]]))
    assert (found.tokens, found.skipped) == (2, 1)
    assert found.weights == pytest.approx((1.0, 0.0), abs=1e-4)
    assert found.perplexity == pytest.approx(10.0, rel=1e-3)
    assert tune_weights(np.full((2, 3), -np.inf)).weights == pytest.approx((1 / 3,) * 3)


def test_a_file_that_is_no_arpa_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ToolFailedError, match="no ARPA file"):
        interpolate([tmp_path / "x", tmp_path / "x"], (0.5, 0.5), tmp_path / "out")


@pytest.fixture
def request_for_two(tmp_path: Path, store_root: Path, write_corpus: Callable[..., Path]) -> BuildRequest:
    """Transcripts about animals, a text about ships, dev with more of the first."""
    dev = ["the dog sat on the mat", "a cat ran", "the ship sank"]
    write_corpus("animals", {"train": ONE.splitlines(), "dev": dev})
    (tmp_path / "ships.txt").write_text(TWO)
    return BuildRequest(
        publish="mixed", text=(tmp_path / "ships.txt",), order=3, store=store_root, interpolate=True
    )


def test_a_build_mixes_its_sources_and_is_no_worse_than_either(request_for_two: BuildRequest) -> None:
    result = build(request_for_two)
    names = [one["name"] for one in result["interpolation"]["components"]]
    weights = [one["weight"] for one in result["interpolation"]["components"]]
    assert names == ["transcripts", "text ships.txt"]
    assert sum(weights) == pytest.approx(1.0) and weights[0] > weights[1] > 0
    alone = [
        build(replace(request_for_two, publish="a", text=(), interpolate=False)),
        build(replace(request_for_two, publish="b", corpora=(), interpolate=False)),
    ]
    assert result["perplexity"] <= min(one["perplexity"] for one in alone)
    assert result["oov_rate"] == 0 and all(one["oov_rate"] > 0 for one in alone)
    assert result["sentences"]["kept"] == sum(one["sentences"]["kept"] for one in alone)
    assert verify(Path(result["path"]))["version"] == result["version"]


def test_weights_follow_the_sentences_of_a_file(request_for_two: BuildRequest, tmp_path: Path) -> None:
    dev = tmp_path / "dev.txt"
    dev.write_text("The ship sank!\n" + TWO.splitlines()[0] + "\n")
    by_corpora, by_file = build(request_for_two), build(replace(request_for_two, publish="f", dev=dev))
    weights = [one["weight"] for one in by_file["interpolation"]["components"]]
    assert weights[1] > weights[0] and by_file["inputs"]["dev_text"]["name"] == "dev.txt"
    assert by_file["interpolation"]["tuned_on"] == "dev.txt"
    left_out = [result["sentences"]["left_out"] for result in (by_corpora, by_file)]
    assert left_out[1] > left_out[0], "a sentence that weights are tuned on is not learnt from"


def test_weights_follow_the_corpora_that_are_named(
    request_for_two: BuildRequest, write_corpus: Callable[..., Path]
) -> None:
    write_corpus(
        "harbour", {"train": ["a mat lay there"], "dev": ["a ship sailed", "the ship sank in the sea"]}
    )
    write_corpus("without", {"train": ONE.splitlines()})

    def built(*names: str) -> tuple[float, dict[str, Any]]:
        result = build(replace(request_for_two, publish="m", corpora=names or None))
        return result["interpolation"]["components"][0]["weight"], result

    of_all, whole = built()
    of_one, named = built("animals")
    of_other, silent = built("without")
    assert of_one > max(of_all, of_other)
    assert named["inputs"]["tuned_on"] == ["animals"] and "tuned_on" not in whole["inputs"]
    assert "tuned_on" not in silent["inputs"], "no dev of its own: that of all others"
    assert set(named["dev"]["corpora"]) == {"animals", "harbour"}, "all are measured"


def test_a_file_for_the_weights_that_is_of_no_use_is_said(
    request_for_two: BuildRequest, tmp_path: Path
) -> None:
    wanted = replace(request_for_two, dev=tmp_path / "none.txt")
    with pytest.raises(LanguageModelUsageError, match=r"none\.txt does not exist"):
        build(wanted)
    (tmp_path / "none.txt").write_text("λόγος\n")
    with pytest.raises(
        LanguageModelUsageError, match=r"none\.txt holds no sentence in the alphabet's letters"
    ):
        build(wanted)
    with pytest.raises(LanguageModelUsageError, match="give both"):
        build(replace(wanted, interpolate=False))


def test_a_mixture_is_the_same_to_the_byte(request_for_two: BuildRequest, tmp_path: Path) -> None:
    folders = [tmp_path / "x", tmp_path / "y"]
    for folder, workers in zip(folders, (1, 3), strict=True):
        build(replace(request_for_two, publish=None, out=folder, workers=workers))
    for one, other in itertools.pairwise(folders):
        assert (one / "lm.arpa").read_bytes() == (other / "lm.arpa").read_bytes()
        assert (one / "manifest.json").read_bytes() == (other / "manifest.json").read_bytes()


def test_what_cannot_be_mixed_is_said(
    request_for_two: BuildRequest, tmp_path: Path, write_corpus: Callable[..., Path]
) -> None:
    with pytest.raises(LanguageModelUsageError, match="needs two sources"):
        build(replace(request_for_two, text=()))
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    two = (tmp_path / "ships.txt", tmp_path / "ships.txt")
    with pytest.raises(LanguageModelUsageError, match="no corpus in the store has any"):
        build(replace(request_for_two, text=two, store=lonely))


def test_too_little_memory_for_the_mixture_is_said(
    request_for_two: BuildRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lm.mixing.mixture._BYTES_PER_NGRAM", 1 << 50)
    with pytest.raises(ResourceError, match=r"mixing 2 models of \d+ n-grams needs about \d+ MiB of memory"):
        build(request_for_two)


def test_what_belongs_together_is_part_of_the_inputs(request_for_two: BuildRequest, tmp_path: Path) -> None:
    (tmp_path / "both").mkdir()
    for name in ("a.txt", "b.txt"):
        (tmp_path / "both" / name).write_text(TWO)
    folder = replace(request_for_two, text=(tmp_path / "both",))
    files = replace(request_for_two, text=(tmp_path / "both" / "a.txt", tmp_path / "both" / "b.txt"))
    assert inputs_hash(folder) != inputs_hash(files)
    alike = (replace(folder, interpolate=False), replace(files, interpolate=False))
    assert inputs_hash(alike[0]) == inputs_hash(alike[1])

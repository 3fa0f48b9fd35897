"""KenLM's programs on small text, hopeless settings and missing tools."""

from __future__ import annotations

from pathlib import Path

import pytest

import native
from lm import kenlm
from lm.errors import LanguageModelUsageError, ResourceError, ToolFailedError, ToolMissingError

FIVE = "the cat sat on the mat\nthe dog sat on the log\na cat saw the dog\nthe dog ran\na mat lay there\n"


def estimate(folder: Path, text: str, order: int, prune: tuple[int, ...] = ()) -> kenlm.Estimate:
    source = folder / "text.txt"
    source.write_text(text)
    longest = max(len(line.split()) for line in text.splitlines())
    return kenlm.estimate(source, folder / "lm.arpa", longest, kenlm.EstimateOptions(order, prune))


def test_five_sentences_make_a_five_gram_with_fallback_discounts(tmp_path: Path) -> None:
    result = estimate(tmp_path, FIVE, 5)
    assert (result.order, result.discount_fallback, len(result.ngrams)) == (5, True, 5)
    assert any("too small" in decision for decision in result.decisions)
    assert "cat" in list(kenlm.arpa_words(tmp_path / "lm.arpa"))
    assert not set(kenlm.SPECIAL_WORDS) & set(kenlm.arpa_words(tmp_path / "lm.arpa"))


def test_single_words_lower_the_order_to_what_can_occur(tmp_path: Path) -> None:
    result = estimate(tmp_path, "six\nseven\nsix\noh\n", 5)
    assert result.order == 3
    assert result.decisions[0] == "order lowered from 5 to 3: the longest sentence has 1 word"
    kenlm.to_binary(tmp_path / "lm.arpa", tmp_path / "lm.binary", kenlm.BinaryOptions())
    assert (tmp_path / "lm.binary").stat().st_size > 0


def test_pruning_everything_of_an_order_lowers_it(tmp_path: Path) -> None:
    result = estimate(tmp_path, FIVE, 3, (0, 0, 9))
    assert result.order == 2
    assert any("no longer n-grams" in decision for decision in result.decisions)


@pytest.mark.parametrize("options", [("probing", None), ("trie", None), ("trie", 8)])
def test_every_structure_can_be_written(tmp_path: Path, options: tuple[str, int | None]) -> None:
    estimate(tmp_path, FIVE, 3)
    sizes = []
    for name in ("one", "two"):
        kenlm.to_binary(tmp_path / "lm.arpa", tmp_path / name, kenlm.BinaryOptions(*options))
        sizes.append((tmp_path / name).read_bytes())
    assert sizes[0] == sizes[1]


@pytest.mark.parametrize(
    ("order", "prune", "words"),
    [
        (1, (), "outside 2 to 6"),
        (7, (), "outside 2 to 6"),
        (2, (0, 0, 1), "3 thresholds"),
        (3, (0, 2, 1), "not fall"),
    ],
)
def test_impossible_orders_and_prunings_are_refused(order: int, prune: tuple[int, ...], words: str) -> None:
    with pytest.raises(LanguageModelUsageError, match=words):
        kenlm.check_order(order, prune)


def test_quantising_needs_the_trie_structure() -> None:
    with pytest.raises(LanguageModelUsageError, match="needs --binary trie"):
        kenlm.BinaryOptions("probing", 8).arguments()


def test_a_missing_program_is_named_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEECHMILL_ROOT", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissingError, match=r"lmplz is neither in .* `make setup` builds it"):
        kenlm.find_tools()


@pytest.mark.parametrize(
    ("script", "kind", "words"),
    [
        ("echo 'write failed: No space left on device' >&2; exit 1", ResourceError, "out of disk"),
        ("kill -9 $$", ResourceError, "out of memory"),
        ("echo 'Unexpected trouble' >&2; exit 3", ToolFailedError, "status 3: Unexpected trouble"),
    ],
)
def test_a_program_that_stops_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, kind: type[Exception], words: str
) -> None:
    folder = tmp_path / "build" / "kenlm" / "bin"
    folder.mkdir(parents=True)
    for name in ("lmplz", "build_binary"):
        (folder / name).write_text(f"#!/bin/sh\n{script}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("SPEECHMILL_ROOT", str(tmp_path))
    with pytest.raises(kind, match=words):
        estimate(tmp_path, FIVE, 3)


def test_a_file_that_is_no_arpa_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lm.arpa"
    path.write_text("version https://git-lfs.github.com/spec/v1\n")
    with pytest.raises(ToolFailedError, match="no ARPA file"):
        kenlm.arpa_counts(path)


def test_too_little_memory_for_the_sort_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kenlm, "default_memory_bytes", lambda: 1 << 20)
    with pytest.raises(ResourceError, match=r"lmplz ran out of memory \(\d+ MiB free now\)"):
        estimate(tmp_path, FIVE, 3)


def test_known_answer_of_a_public_model(real_data: Path) -> None:
    arpa = real_data / "logits" / "flashlight_text" / "lm.arpa"
    if not arpa.is_file():
        pytest.skip("no flashlight model here")
    scored = native.LanguageModel.load(arpa).score_sentence("the cat sat on the mat")
    assert sum(log10 for _, log10, _ in scored) == pytest.approx(-19.5123, abs=1e-4)

"""speechmill-decode answers like `native.decode`, reads what numpy writes, and says in a sentence what it cannot."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

import native

PROGRAM = Path(__file__).resolve().parents[2] / "build/native/speechmill-decode"
Float = npt.NDArray[np.float32]


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(PROGRAM), *map(str, arguments)], check=False, capture_output=True, text=True, timeout=120
    )


def lines(*arguments: object) -> list[str]:
    done = run(*arguments)
    assert done.returncode == 0 and done.stderr == "", done
    return done.stdout.splitlines()


@pytest.fixture
def batch() -> Float:
    return np.log(np.random.default_rng(5).dirichlet(np.ones(4), (3, 12))).astype(np.float32)


@pytest.mark.parametrize("mode", ["exact", "default", "fast"])
def test_a_batch_is_decoded_like_in_python(
    mode: str, batch: Float, tmp_path: Path, tiny_model: Path, tiny_alphabet: native.Alphabet
) -> None:
    lengths = [12, 7, 0]
    path = tmp_path / "x.npy"
    np.save(path, batch)
    np.save(tmp_path / "lengths.npy", np.array(lengths))
    scorer = native.Scorer.load(tiny_model, alpha=0.8, beta=0.4)
    expected = native.decode(batch, lengths, tiny_alphabet, scorer, beam_width=30, n_best=3, mode=mode)
    said = ("--alpha=0.8", "--beta", 0.4, "--beam-width", 30, "--mode", mode, "--threads", 2)
    flags = ("--lm", tiny_model, "--lengths", tmp_path / "lengths.npy", *said)
    assert lines(*flags, path) == [found[0].text for found in expected]
    ranked = lines(*flags, "--n-best", 3, path)
    assert [line.split("\t")[3] for line in ranked] == [one.text for found in expected for one in found]
    answers = [json.loads(line) for line in lines(*flags, "--n-best", 3, "--json", path)]
    assert [answer["utterance"] for answer in answers] == [f"{path}[{i}]" for i in range(3)]
    for answer, found in zip(answers, expected, strict=True):
        for told, one in zip(answer["hypotheses"], found, strict=True):
            assert told["text"] == one.text
            numbers = [np.float32(told[name]) for name in ("score", "acoustic", "lm")]
            assert numbers == [one.score, one.acoustic, one.lm]
            times = [(word["word"], word["start_frame"], word["end_frame"]) for word in told["words"]]
            assert times == [(word.word, word.start_frame, word.end_frame) for word in one.words]


def test_a_file_that_cannot_be_read_stops_none_behind_it(
    batch: Float, tmp_path: Path, tiny_model: Path
) -> None:
    np.save(tmp_path / "one.npy", batch[0])
    (tmp_path / "bad.npy").write_bytes(b"no array")
    np.save(tmp_path / "two.npy", batch[1].astype(np.float64))
    done = run("--lm", tiny_model, tmp_path / "one.npy", tmp_path / "bad.npy", tmp_path / "two.npy")
    scorer = native.Scorer.load(tiny_model)
    expected = [native.decode(batch[i : i + 1], [12], scorer.alphabet, scorer)[0][0].text for i in (0, 1)]
    assert done.stdout.splitlines() == expected and done.returncode == 1
    assert done.stderr.count("\n") == 1 and "bad.npy: not a .npy file" in done.stderr


def test_an_alphabet_alone_and_logits(batch: Float, tmp_path: Path, tiny_alphabet: native.Alphabet) -> None:
    tiny_alphabet.save(tmp_path / "alphabet.txt")
    np.save(tmp_path / "x.npy", batch + 3.0)
    expected = [found[0].text for found in native.decode(batch, [12] * 3, tiny_alphabet)]
    assert lines("--alphabet", tmp_path / "alphabet.txt", "--logits", tmp_path / "x.npy") == expected
    first = native.Alphabet([" ", "a", "b"], blank=0)
    np.save(tmp_path / "y.npy", batch)
    expected = [found[0].text for found in native.decode(batch, [12] * 3, first)]
    assert lines("--alphabet", tmp_path / "alphabet.txt", "--blank", 0, tmp_path / "y.npy") == expected


def test_an_open_vocabulary_writes_words_the_lexicon_lacks(tmp_path: Path, tiny_model: Path) -> None:
    sure = np.full((5, 4), -9.0, np.float32)
    sure[np.arange(5), [2, 1, 2, 1, 2]] = -0.001
    np.save(tmp_path / "x.npy", sure)
    assert lines("--lm", tiny_model, tmp_path / "x.npy") != ["babab"]
    flags = ("--lm", tiny_model, "--open-vocabulary", "--oov-penalty", -1)
    assert lines(*flags, tmp_path / "x.npy") == ["babab"]
    answer = json.loads(lines(*flags, "--json", tmp_path / "x.npy")[0])["hypotheses"][0]
    parts = answer["acoustic"] + answer["lm_score"] + answer["word_score"] + answer["oov_score"]
    assert answer["oov_score"] == pytest.approx(-1.0 - 0.5 * 1.4 * 5) and answer["score"] == pytest.approx(
        parts, abs=1e-4
    )
    flat = json.loads(lines(*flags, "--oov-letter-penalty", 0, "--json", tmp_path / "x.npy")[0])[
        "hypotheses"
    ][0]
    assert (flat["text"], flat["oov_score"]) == ("babab", -1.0)


@pytest.mark.parametrize("dtype", ["<f2", "<f4", "<f8"])
def test_numpys_types_are_read(
    dtype: str, batch: Float, tmp_path: Path, tiny_alphabet: native.Alphabet
) -> None:
    tiny_alphabet.save(tmp_path / "alphabet.txt")
    values = batch.astype(dtype)
    np.save(tmp_path / "x.npy", values)
    expected = [f[0].text for f in native.decode(values.astype(np.float32), [12] * 3, tiny_alphabet)]
    assert lines("--alphabet", tmp_path / "alphabet.txt", tmp_path / "x.npy") == expected


def test_what_cannot_be_decoded_is_said_in_one_sentence(
    batch: Float, tmp_path: Path, tiny_model: Path
) -> None:
    def broken(name: str, array: npt.NDArray[np.generic]) -> Path:
        np.save(tmp_path / name, array)
        return tmp_path / name

    nan = batch.copy()
    nan[1, 2, 3] = np.nan
    np.savez(tmp_path / "archive.npz", log_probs=batch)
    for path, sentence in (
        (tmp_path / "nowhere.npy", "cannot be opened"),
        (broken("nan.npy", nan), "utterance 1: log_probs at frame 2, label 3 is NaN"),
        (broken("four.npy", batch[None]), "shape [1, 3, 12, 4] is neither"),
        (broken("labels.npy", batch[..., :3].copy()), "log_probs have 3 labels, the alphabet has 4"),
        (broken("text.npy", np.array(["a"])), "cannot be read; save float32"),
        (broken("order.npy", np.asfortranarray(batch[0])), "column-major"),
        (broken("big.npy", batch.astype(">f4")), "little-endian"),
        (tmp_path / "archive.npz", "save each array by numpy.save"),
    ):
        done = run("--lm", tiny_model, path)
        assert done.returncode == 1 and done.stdout == "", (path, done)
        assert done.stderr.startswith("speechmill-decode: ") and done.stderr.count("\n") == 1, done.stderr
        assert sentence in done.stderr and path.name in done.stderr, done.stderr


@pytest.mark.parametrize("wrong", [[12, 13, 1], [0.97, 2, 3], [-1, 2, 3], [1, 2]])
def test_lengths_that_are_not_the_batchs_are_refused(
    wrong: list[float], batch: Float, tmp_path: Path, tiny_model: Path
) -> None:
    np.save(tmp_path / "x.npy", batch)
    np.save(tmp_path / "lengths.npy", np.array(wrong))
    done = run("--lm", tiny_model, "--lengths", tmp_path / "lengths.npy", tmp_path / "x.npy")
    assert done.returncode == 1 and done.stdout == "" and "lengths.npy: " in done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "no file is named"),
        (["x.npy"], "name a language model"),
        (["--lm"], "--lm needs a value"),
        (["--lm", "d", "--lengths", "l.npy", "x.npy", "y.npy"], "--lengths belongs to one file, not to 2"),
        (["--lm", "d", "--frobnicate", "x.npy"], "unknown option --frobnicate"),
        (["--lm", "d", "--alpha", "much", "x.npy"], "--alpha much is not a number"),
        (["--lm", "d", "--alpha", "-1", "x.npy"], "alpha -1 is not a number from 0 on"),
        (["--lm", "d", "--beam-width=0", "x.npy"], "beam_width 0 is not a whole number"),
        (["--lm", "d", "--mode", "slow", "x.npy"], "there are exact, default and fast"),
    ],
)
def test_a_command_line_that_cannot_be_meant_ends_with_two(arguments: list[str], sentence: str) -> None:
    done = run(*arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert sentence in done.stderr and "--help" in done.stderr


def test_help_goes_to_standard_output() -> None:
    done = run("--help")
    assert done.returncode == 0 and "usage: speechmill-decode" in done.stdout and done.stderr == ""


def test_a_model_that_is_missing_is_named(tmp_path: Path, batch: Float) -> None:
    np.save(tmp_path / "x.npy", batch)
    done = run("--lm", tmp_path / "none", tmp_path / "x.npy")
    assert done.returncode == 1 and str(tmp_path / "none") in done.stderr

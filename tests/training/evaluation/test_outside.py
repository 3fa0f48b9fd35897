"""Sets without sound: a folder of features, a file of outputs; and what speaks against a figure."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.store import Store
from store.writing import write_json_atomic
from training import __main__ as cli
from training.errors import ConfigError, DataError
from training.evaluation.contamination import contamination
from training.evaluation.outside import LogProbsFile
from training.network.config import AugmentConfig, LoopConfig, config_text
from training.network.features import mfcc
from training.network.feed.feature_folder import FeatureFolder
from training.runs import train_in_store


@pytest.fixture(autouse=True)
def root_logger_as_before() -> Iterator[None]:
    before = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = before


def write_folder(folder: Path, tones: Any) -> Path:
    """Half-frames of 13 values every 10 ms, made of the tones' 26 every 20 ms."""
    folder.mkdir()
    (folder / "features.toml").write_text("hop_s = 0.01\nstack = 2\n")
    lines = ["id\tsplit\tspeaker\ttext"]
    for split, count, seed in (("train", 14, 1), ("dev", 3, 2), ("test", 4, 3)):
        for clip in tones.clips(count, seed, prefix=split):
            values = mfcc(clip.sound(), clip.rate_hz, tones.config().features)
            np.save(folder / f"{clip.utterance_id}.npy", values.reshape(-1, 13))
            lines.append(f"{clip.utterance_id}\t{split}\t{clip.speaker_id}\t{clip.text}")
    (folder / "transcripts.tsv").write_text("\n".join(lines) + "\n")
    return folder


def call(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    capsys.readouterr()
    status = cli.main([*arguments, "--json"])
    printed = capsys.readouterr()
    assert status == 0, printed.err
    return json.loads(printed.out)


def test_a_folder_of_features_is_trained_on_and_measured(
    tones: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, store = write_folder(tmp_path / "set", tones), str(tmp_path / "store")
    config = tmp_path / "c.toml"
    config.write_text(config_text(tones.config(loop=LoopConfig(epochs=2, batch_size=8, threads=1))))
    run = call(capsys, "run", "--config", str(config), "--features", str(folder), "--store", store)
    assert run["steps"] == 4 and run["dev_wer"] is not None
    again = call(capsys, "run", "--config", str(config), "--features", str(folder), "--store", store)
    assert again["run"] == run["run"]
    measured = ["evaluate", "--model", run["run"], "--features", str(folder), "--store", store]
    found = call(capsys, *measured)
    assert found["utterances"] == 4 and found["corpus"] == "set" and found["greedy"]
    assert found["contamination"] == []
    assert str(tmp_path) not in json.dumps({key: value for key, value in found.items() if key != "path"})
    (told,) = call(capsys, *measured, "--split", "train")["contamination"]
    assert "learnt from the split 'train' of set" in told


def test_a_network_judges_with_itself_having_heard_the_same_in_another_way(
    tones: Any, tmp_path: Path, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not (root / "build" / "kenlm" / "bin" / "lmplz").exists():
        pytest.skip("KenLM's programs are not built")
    from lm.build import build
    from lm.request import BuildRequest

    folder, store = write_folder(tmp_path / "set", tones), str(tmp_path / "store")
    again = Path(shutil.copytree(folder, tmp_path / "again"))
    for path in again.glob("test*.npy"):
        np.save(path, 0.9 * np.load(path))
    texts = [row["text"] for row in FeatureFolder.open(folder).rows if row["split"] == "train"]
    (tmp_path / "text.txt").write_text("".join(f"{text}\n" for text in texts))
    text = (tmp_path / "text.txt",)
    build(BuildRequest(out=tmp_path / "lm", text=text, corpora=(), order=2, store=Path(store)))
    config = tmp_path / "c.toml"
    config.write_text(config_text(tones.config(loop=LoopConfig(epochs=2, batch_size=8, threads=1))))
    run = call(capsys, "run", "--config", str(config), "--features", str(folder), "--store", store)["run"]
    first = [
        "rescore",
        "--model",
        run,
        "--features",
        str(folder),
        "--lm",
        str(tmp_path / "lm"),
        "--store",
        store,
    ]
    found = call(capsys, *first, "--others", f"{run}:{again}", "--candidates", "20")
    assert found["rescored"]["networks"] == [run, f"{run}:again"] and found["utterances"] == 4
    rows = (again / "transcripts.tsv").read_text().splitlines()
    (again / "transcripts.tsv").write_text("\n".join(rows[:-1]) + "\n")
    assert cli.main([*first, "--others", f"{run}:{again}"]) != 0
    assert f"{run}:again has not heard 1 of 4 utterances, 'test003' the first" in capsys.readouterr().err


def spoil(folder: Path, value: float) -> None:
    values = np.load(folder / "train001.npy")
    values[2, 5] = value
    np.save(folder / "train001.npy", values)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda folder: (folder / "features.toml").write_text("hop = 1"), "unknown key 'hop'"),
        (lambda folder: (folder / "features.toml").write_text("hop_s = 7.0"), "seconds between"),
        (lambda folder: (folder / "transcripts.tsv").write_text("a\tb\n"), "header must be"),
        (lambda folder: (folder / "train000.npy").unlink(), r"train000\.npy: cannot be read"),
        (
            lambda folder: np.save(folder / "train001.npy", np.full((8, 13), np.nan, np.float32)),
            r"train001\.npy: frame 0, coefficient 0: nan is no feature; they are finite",
        ),
        (lambda folder: spoil(folder, 3e38), r"train001\.npy: frame 2, coefficient 5: 3e\+38 is no feature"),
        (lambda folder: spoil(folder, -np.inf), r"coefficient 5: -inf is no feature"),
        (lambda folder: spoil(folder, -2e9), r"-2e\+09 is no feature; .* bytes in another order"),
        (
            lambda folder: spoil(folder, -1e6),
            r"train001\.npy: frame 2, coefficient 5: a magnitude of 1e\+06, where half .* below [0-9.]+: bytes",
        ),
        (lambda folder: spoil(folder, 20_000.0), r"frame 2, coefficient 5: a magnitude of 20000, where half"),
        (
            lambda folder: np.save(folder / "train001.npy", np.load(folder / "train001.npy").byteswap()),
            r"train001\.npy: frame \d+, coefficient \d+: .* bytes in another order",
        ),
        (lambda folder: np.savez((folder / "train001.npy").open("wb"), a=np.ones(3)), "several arrays"),
        (lambda folder: np.save(folder / "train001.npy", np.ones((8, 12), np.float32)), "24 values a frame"),
    ],
)
def test_a_folder_that_is_not_what_it_should_be_is_a_sentence(
    tones: Any, tmp_path: Path, damage: Any, said: str
) -> None:
    folder = write_folder(tmp_path / "set", tones)
    damage(folder)
    with pytest.raises(DataError, match=said):
        list(FeatureFolder.open(folder).chosen("train"))
        FeatureFolder.open(folder).configured(tones.config())


def test_loud_quiet_and_rare_features_are_taken(tones: Any, tmp_path: Path) -> None:
    """A voice 50 dB louder than the others in magnitudes, and a mark that hardly any frame has."""
    folder = write_folder(tmp_path / "set", tones)
    for path in sorted(folder.glob("*.npy")):
        np.save(
            path,
            np.concatenate([np.exp(np.load(path) / 4), np.zeros((len(np.load(path)), 1), np.float32)], 1),
        )
    values = np.load(folder / "train001.npy")
    values[:, :13] *= 300
    values[2, 13] = 1
    np.save(folder / "train001.npy", values)
    assert len(list(FeatureFolder.open(folder).chosen("train"))) == 14


def test_what_needs_sound_is_refused_of_a_folder(tones: Any, tmp_path: Path) -> None:
    folder = FeatureFolder.open(write_folder(tmp_path / "set", tones))
    config = folder.configured(tones.config(augment=AugmentConfig(speeds=(0.9, 1.1))))
    with pytest.raises(ConfigError, match="need sound"):
        train_in_store(config, Store(tmp_path / "store"))


def write_outputs(folder: Path) -> Path:
    """Outputs that say "ab" and "ba", over the labels of English."""
    from corpora.text.normaliser import default_alphabet

    labels = default_alphabet().labels
    arrays = {}
    for name, text in (("one", "ab"), ("two", "ba")):
        places = [labels.index(letter) for letter in text for _ in range(3)]
        logits = np.zeros((len(places), len(labels) + 1))
        logits[np.arange(len(places)), places] = 9.0
        logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        arrays[name] = logs.astype(np.float16)
    np.savez(folder / "out.npz", **arrays)
    lines = [f"{place}\t{label}" for place, label in enumerate([*labels, "<blank>"])]
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n")
    (folder / "refs.tsv").write_text("one\tab\ntwo\tbb\n")
    return folder / "out.npz"


def test_outputs_of_another_network_are_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, store = write_outputs(tmp_path), str(tmp_path / "store")
    found = call(capsys, "evaluate", "--log-probs", str(path), "--store", store)
    assert found["utterances"] == 2 and found["greedy"]["wer"] == 0.5
    assert found["run"].startswith("outside-") and found["corpus"] == "out"
    (tmp_path / "refs.tsv").write_text("one\tab\nthree\tbb\n")
    with pytest.raises(DataError, match="'three' is not in"):
        _ = LogProbsFile.open(path).rows
    (tmp_path / "labels.tsv").write_text("0\ta\n1\tb\n2\t<blank>\n")
    with pytest.raises(DataError, match="expected"):
        LogProbsFile.open(path).features("one")
    with pytest.raises(DataError, match="no such file"):
        LogProbsFile.open(tmp_path / "nowhere.npz")


def softmax(values: Any) -> Any:
    return np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (
            lambda logs: np.where(np.arange(len(logs))[:, None] == 3, np.nan, logs),
            r"frame 3 \(1 of 6 .*is NaN: did",
        ),
        (
            lambda logs: np.where(np.arange(len(logs))[:, None] == 2, -np.inf, logs),
            "frame 2 .*every label is -inf",
        ),
        (
            lambda logs: np.where(np.arange(len(logs))[:, None] == 2, 0.0, logs),
            "frame 2 .*sum to 29 instead of 1",
        ),
        (lambda logs: np.where(logs == logs.max(), np.inf, logs), "largest value is inf"),
        (lambda logs: logs + 3, "largest value is 2.* log_softmax"),
        (lambda logs: -logs, "log_softmax"),
        (softmax, "probabilities. take their natural logs"),
        (lambda logs: logs / np.log(10), "base of ten. multiply"),
        (lambda logs: logs / np.log(2), "base of two. multiply"),
        (lambda logs: logs[:, 1:], r"expected floats \[frames, 29\], got float"),
        (lambda logs: logs.astype(int), r"expected floats .* got int"),
    ],
)
def test_outputs_that_are_no_logs_of_probabilities_say_what_they_may_be(
    tmp_path: Path, damage: Any, said: str
) -> None:
    path = write_outputs(tmp_path)
    arrays = dict(np.load(path))
    logs = np.log(softmax(arrays["two"].astype(np.float64) / 3))  # less certain
    np.savez(path, **{**arrays, "two": damage(logs)})
    outside = LogProbsFile.open(path)
    assert len(outside.features("one")) == 6
    with pytest.raises(DataError, match=f"out.npz: two: .*{said}"):
        outside.features("two")


@pytest.mark.parametrize(
    ("refs", "said"),
    [
        ("one\tab\none\tab\n", "'one' stands there twice"),
        ("one\tab\ntwo\n", r"line 2 .* expected an id and a text, got \['two'\]"),
        (
            "id\tsplit\tspeaker\ttext\none\ttset\ta\tab\n",
            "line 2 .* one of train, dev, test, a speaker and a text",
        ),
        ("id\tsplit\tspeaker\ttext\none\ttest\tab\n", "line 2 .* expected"),
    ],
)
def test_references_that_are_odd_are_refused_with_their_line(tmp_path: Path, refs: str, said: str) -> None:
    path = write_outputs(tmp_path)
    (tmp_path / "refs.tsv").write_text(refs)
    with pytest.raises(DataError, match=said):
        _ = LogProbsFile.open(path).rows


def test_a_file_of_outputs_that_is_damaged_or_another_is_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_outputs(tmp_path)
    (tmp_path / "refs.tsv").write_text("one\tab\n")
    assert len(LogProbsFile.open(path).rows) == 1
    assert "1 arrays have no reference in refs.tsv and are not measured, 'two' the first" in caplog.text
    whole = path.read_bytes()
    path.write_bytes(whole[:-40])
    with pytest.raises(DataError, match="cannot be read"):
        _ = LogProbsFile.open(path).rows
    changed = bytearray(whole)
    changed[200] ^= 1
    path.write_bytes(changed)
    with pytest.raises(DataError, match="one: cannot be read"):
        LogProbsFile.open(path).features("one")
    with path.open("wb") as stream:
        np.save(stream, np.zeros((3, 29)))
    with pytest.raises(DataError, match="this is one array"):
        _ = LogProbsFile.open(path).rows


def test_a_network_must_be_named_unless_outputs_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["evaluate", "--corpus", "x", "--store", str(tmp_path)]) == 2
    assert "--model is missing" in capsys.readouterr().err


def test_tuning_on_what_is_measured_is_told(tone_store: Store, tmp_path: Path) -> None:
    write_json_atomic(tmp_path / "decoder-abc.json", {"split": "test", "corpora": {"tones": "v1"}})
    corpus = tone_store.corpus("tones")
    (told,) = contamination(tmp_path, corpus, "test", "abc")
    assert "tuned on the split 'test' of tones" in told
    assert contamination(tmp_path, corpus, "dev", "abc") == []

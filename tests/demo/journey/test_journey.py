"""The journey's own steps: AN4's archive becomes a folder of features, a phoneme network's references sound."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.journey import an4, heard, ocean, phonemes
from demo.journey.run import Journey, Limits, OutOfTimeError, table
from demo.layouts import librispeech, tones
from store.store import Store
from training.errors import DataError
from training.evaluation.outside import LogProbsFile
from training.network.feed.feature_folder import FeatureFolder

DICTIONARY = "1\tW AH N\n1(2)\tHH W AH N\n2\tT UW\nA\tAH\nA(2)\tEY\nNO\tN OW\nYES\tY EH S\n"


def archive(path: Path, damaged: bool = False) -> Path:
    """Twenty speakers of two utterances, as Sphinx lays them out."""
    draws = np.random.default_rng(1)
    speakers = [f"f{number:02d}" for number in range(20)]
    names = [f"an{number}-{speaker}-b" for speaker in speakers for number in (1, 2)]
    lines = "".join(f"<s> YES {name[2]} NO  </s> ({name})\n" for name in names)
    paths = "".join(f"an4_clstk/{name.split('-')[1]}/{name}\n" for name in names)
    parts = {"etc/an4_train.transcription": lines.encode(), "etc/an4_train.fileids": paths.encode()}
    parts["etc/an4.dic"] = DICTIONARY.encode()
    for line in paths.splitlines():
        values = draws.standard_normal((11, 13)).astype(">f4").tobytes()
        parts[f"feat/{line}.mfc"] = (143).to_bytes(4, "big") + values[: -4 if damaged else None]
    with tarfile.open(path, "w:gz") as tar:
        for name, content in parts.items():
            entry = tarfile.TarInfo(f"an4/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def test_an4_becomes_features_of_speakers_that_no_two_splits_share(tmp_path: Path) -> None:
    folder = tmp_path / "features"
    counts = an4.write_feature_folder(archive(tmp_path / "an4.tar.gz"), folder)
    opened = FeatureFolder.open(folder)
    speakers: dict[str, set[str]] = {}
    for row in opened.rows:
        speakers.setdefault(row["split"], set()).add(row["speaker"])
    assert counts == {"train": 4, "dev": 16, "test": 20}
    assert [len(speakers[split]) for split in ("train", "dev", "test")] == [2, 8, 10]
    assert not speakers["train"] & speakers["test"] and not speakers["dev"] & speakers["test"]
    assert opened.coefficients == 26 and opened.settings["hop_s"] == 0.02
    assert len([row for row in opened.rows if row["split"] == "train"]) == 84, (
        "three tempi by seven tracts of each"
    )
    tested = next(row["speaker"] for row in opened.rows if row["split"] == "test")
    names = [row["id"] for row in opened.rows if row["speaker"] == tested]
    values = np.concatenate([np.load(folder / f"{name}.npy") for name in names])
    assert abs(values.mean(axis=0)).max() < 1e-5 and abs(values.std(axis=0) - 1).max() < 0.01
    assert abs(np.load(folder / f"{names[0]}.npy").mean(axis=0)).max() > 0.01, "by speaker, not by utterance"
    an4.write_training_text(folder, tmp_path / "text.txt")
    assert sorted((tmp_path / "text.txt").read_text().split("\n")) == [
        "",
        *["yes 1 no"] * 2,
        *["yes 2 no"] * 2,
    ]


def test_the_same_features_stand_there_with_texts_in_sounds(tmp_path: Path, monkeypatch: Any) -> None:
    source, folder, sounds = archive(tmp_path / "an4.tar.gz"), tmp_path / "features", tmp_path / "sounds"
    an4.write_feature_folder(source, folder)
    for _ in range(2):  # a second call finds its links there
        said = an4.write_sounds_folder(source, folder, sounds)
    assert said == {
        "1": ["W", "AH", "N"], "2": ["T", "UW"], "a": ["EY"], "no": ["N", "OW"], "yes": ["Y", "EH", "S"],
    }  # fmt: skip
    names = ["AH", "EH", "EY", "N", "OW", "S", "T", "UW", "W", "Y"]
    assert (sounds / "alphabet.txt").read_text() == " \n" + "".join(f"{one}\n" for one in "abcdefghij")
    letter = dict(zip(names, "abcdefghij", strict=True))
    spelled = {word: "".join(letter[one] for one in ways) for word, ways in said.items()}
    lines = (sounds / "pronunciations.txt").read_text().splitlines()
    assert lines == [f"{word} {' '.join(spelled[word])}" for word in sorted(said)]
    written, spoken = FeatureFolder.open(folder), FeatureFolder.open(sounds)
    assert [(row["id"], row["split"], row["speaker"]) for row in spoken.rows] == [
        (row["id"], row["split"], row["speaker"]) for row in written.rows
    ]
    for before, after in zip(written.rows, spoken.rows, strict=True):
        assert after["text"] == " ".join(spelled[word] for word in before["text"].split())
    first = written.rows[0]["id"]
    assert np.array_equal(spoken.features(first), written.features(first))
    many = "YES\t" + " ".join(f"S{number}" for number in range(40)) + "\n"
    monkeypatch.setitem(globals(), "DICTIONARY", many)
    with pytest.raises(DataError, match=r"etc/an4.dic has 41 sounds; at most 39"):
        an4.write_sounds_folder(archive(tmp_path / "many.tar.gz"), folder, sounds)
    monkeypatch.setitem(globals(), "DICTIONARY", "YES\tY EH S\n\nNO\n")
    with pytest.raises(DataError, match=r"etc/an4.dic has no '[12]', which is said in an[12]-f"):
        an4.write_sounds_folder(archive(tmp_path / "short.tar.gz"), folder, sounds)


def test_features_that_are_cut_short_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"feat/an4_clstk/f00/an1-f00-b.mfc"):
        an4.write_feature_folder(archive(tmp_path / "an4.tar.gz", damaged=True), tmp_path / "features")


def test_another_tempo_draws_frames_between_frames() -> None:
    values = np.arange(10, dtype=np.float32)[:, None]
    assert an4.at_tempo(values, 1.5)[:, 0].tolist() == [0.0, 1.5, 3.0, 4.5, 6.0, 7.5]
    assert len(an4.at_tempo(values, 0.5)) == 18


def test_a_longer_tract_moves_a_peak_of_the_spectrum() -> None:
    places = (np.arange(40) + 0.5) / 40
    waves = np.cos(np.pi * places[:, None] * np.arange(13))
    peak = np.exp(-(((places - 0.5) / 0.12) ** 2))  # in the middle of the mel axis
    cepstra = np.linalg.lstsq(waves, peak, rcond=None)[0][None].astype(np.float32)

    def top(factor: float) -> float:
        return float(places[np.argmax(waves @ an4.by_tract(cepstra, factor)[0])])

    assert top(1.0) == pytest.approx(0.5, abs=0.03)
    assert top(1.12) < top(1.0) < top(0.88), "read at higher places, the peak stands lower"
    assert an4.by_tract(np.ones((2, 13), np.float32) * [[5.0] + [0.0] * 12], 1.12).tolist() == pytest.approx(
        np.array([[5.0] + [0.0] * 12] * 2), abs=1e-5
    ), "loudness stays"


def ocean_folder(folder: Path) -> Path:
    """Two speakers a part, one a child, two utterances each."""
    for part, speakers in (("train", "ab"), ("test", "cd")):
        (folder / part).mkdir(parents=True)
        names = [(f"{speaker}{number}", speaker) for speaker in speakers for number in (1, 2)]
        (folder / part / "text").write_text("".join(f"{name}\tWE CALL IT BEAR\n" for name, _ in names))
        (folder / part / "utt2spk").write_text("".join(f"{name}\t{speaker}\n" for name, speaker in names))
        (folder / part / "spk2age").write_text(
            "".join(f"{s}\t{8 + 20 * n}\n" for n, s in enumerate(speakers))
        )
    return folder


def test_learners_are_told_by_age(tmp_path: Path) -> None:
    years = ocean.ages(ocean_folder(tmp_path / "ocean"))
    assert years == {"a": 8, "b": 28, "c": 8, "d": 28}
    rows = {
        "reference": ["we call it bear", "it", "we call it bear"],
        "speaker_id": ["c", "c", "d"],
        "greedy": ["we call", "it", "we call it bear"],
        "corrected": [None, None, None],
        "lm": ["we call it", "it", "we call it bare"],
    }
    columns = {name: pa.array(values, pa.string()) for name, values in rows.items()}
    pq.write_table(pa.table(columns), tmp_path / "utterances.parquet")
    found = ocean.by_age(tmp_path, years)
    assert (found["children"]["speakers"], found["children"]["words"]) == (1, 5)
    assert (found["children"]["greedy"]["wer"], found["adults"]["greedy"]["wer"]) == (2 / 5, 0.0)
    assert (found["children"]["lm"]["wer"], found["adults"]["lm"]["wer"]) == (1 / 5, 1 / 4)
    assert "corrected" not in found["adults"]
    lines = table({"ocean": {"rates": {}, "utterances": 3, "words": 9, "by_age": found}})
    assert lines[1].split()[:3] == ["children,", "5", "words:"]
    with pytest.raises(DataError, match="no age is known of speaker c"):
        ocean.by_age(tmp_path, {"d": 28})


def test_a_published_corpus_becomes_evened_features_with_its_training_utterances_at_three_speeds(
    tmp_path: Path,
) -> None:
    store = Store(tmp_path / "store")
    source = librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=1)).path
    refresh(RefreshRequest(importer="librispeech", sources=(source,), store=store.root, workers=1))
    corpus = store.corpus("librispeech")
    counts = ocean.write_feature_folder(corpus, tmp_path / "features")
    assert counts == {split: facts["utterances"] for split, facts in corpus.manifest["splits"].items()}
    folder = FeatureFolder.open(tmp_path / "features")
    names = [row["id"] for row in folder.rows]
    assert len(names) == 3 * counts["train"] + counts["dev"] + counts["test"]
    slow, plain, quick = (folder.features(names[0].removesuffix("-90") + end) for end in ("-90", "", "-110"))
    assert plain.mean(axis=0) == pytest.approx(0, abs=1e-4) and plain.std(axis=0) == pytest.approx(
        1, abs=0.05
    )
    assert len(slow) / len(plain) == pytest.approx(1 / 0.9, abs=0.03)
    assert len(quick) / len(plain) == pytest.approx(1 / 1.1, abs=0.03)


def test_the_outputs_of_a_fixed_network_get_the_corpus_splits(tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.mkdir()
    (given / "labels.tsv").write_text("0\t \n1\tn\n2\t<blank>\n")
    np.savez(given / "log_probs.npz", c1=np.zeros((2, 3), np.float16))
    folder = ocean_folder(tmp_path / "ocean")
    counts = ocean.prepare_outputs(given, folder, {"a": "train", "b": "dev", "c": "test"}, tmp_path / "work")
    assert counts == {"dev": 2, "test": 2}
    assert (tmp_path / "work" / "refs.tsv").read_text().splitlines() == [
        "id\tsplit\tspeaker\ttext",
        *(f"b{n}\tdev\tb\twe call it bear" for n in (1, 2)),
        *(f"c{n}\ttest\tc\twe call it bear" for n in (1, 2)),
    ]
    assert (tmp_path / "work" / "alphabet.txt").read_text() == " \nn\n"
    (folder / "train" / "spk2age").write_text("a\tten\n")
    with pytest.raises(DataError, match="the age of a is 'ten'; expected years"):
        ocean.ages(folder)


def test_a_phoneme_network_gets_its_references_and_alphabet(tmp_path: Path) -> None:
    given, work = tmp_path / "given", tmp_path / "work"
    given.mkdir()
    (given / "labels.tsv").write_text("0\t \n1\tn\n2\tu\n3\ts\n4\ti\n5\tt\n6\t<blank>\n")
    lines = [*(f"a_{number}\tshe knew it\n" for number in range(87)), "b_1\tshe knew nothing\n"]
    (given / "refs.tsv").write_text("".join(lines))
    certain = np.tile(np.log(np.full(7, 1 / 7, np.float16)), (2, 1))
    packed: dict[str, Any] = {f"a_{number}": certain for number in range(87)}
    np.savez(given / "log_probs.npz", **packed, b_1=certain)
    assert phonemes.prepare(given, work) == {"dev": 85, "test": 2, "other": 1}
    references = (work / "refs.tsv").read_text().splitlines()
    assert references[1] == "a_0\tdev\ta\tshe knew it" and references[-1] == "a_86\ttest\ta\tshe knew it"
    opened = LogProbsFile.open(work / "log_probs.npz")
    assert {*opened.splits} == {"dev", "test"} and len(opened.rows) == 87, (
        "the commands read what was written"
    )
    assert (work / "alphabet.txt").read_text() == " \nn\nu\ns\ni\nt\n", "in the order of the outputs"


def test_words_of_one_sound_are_equal_as_they_sound(tmp_path: Path) -> None:
    rows = {
        "reference": ["she knew it", "new it"],
        "speaker_id": ["a", "a"],
        "greedy": ["she nu sit", "new it"],
        "corrected": [None, None],
        "lm": ["she new it", "it"],
    }
    columns = {name: pa.array(values, pa.string()) for name, values in rows.items()}
    pq.write_table(pa.table(columns), tmp_path / "utterances.parquet")
    found = phonemes.as_they_sound(
        tmp_path, {"new": ["nu"], "knew": ["nu", "knu"], "she": ["si"], "it": ["it"]}
    )
    assert {name: rate["wer"] for name, rate in found.items()} == {"greedy": 1 / 5, "lm": 1 / 5}
    assert all(low <= found[name]["wer"] <= high for name in found for low, high in [found[name]["interval"]])
    one = {"rates": found, "as_they_sound": found, "utterances": 2, "words": 5}
    assert (
        table({"phonemes": one})[1].split()
        == table({"phonemes": one})[0].replace("phonemes   2 utterances, 5 words:", "as they sound:").split()
    )


def test_a_part_without_its_data_says_so_and_a_training_stops_in_time(
    tmp_path: Path, monkeypatch: Any
) -> None:
    journey = Journey(
        tmp_path, Store(tmp_path / "store"), tmp_path / "work", limits=Limits(("an4", "ocean"), 0.001)
    )
    journey.go()
    assert "an4_features_train.tar.gz is not there" in table(journey.found)[0]
    assert "OCEAN=DIR" in table(journey.found)[1]
    (tmp_path / "slow.py").write_text("import time; time.sleep(60)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(OutOfTimeError):
        journey.command("slow", stoppable=True)


def test_a_network_that_learns_from_outputs_is_taught_in_sounds_and_measured_in_words(tmp_path: Path) -> None:
    given, draws = tmp_path / "given", np.random.default_rng(2)
    given.mkdir()
    layer = {name: draws.standard_normal((20, 3)) for name in ("a1", "a2", "b1", "c1")}
    output = draws.standard_normal((3, 9))  # more tokens than cells
    logits = {name: values @ output for name, values in layer.items()}
    logs = {
        name: values - np.logaddexp.reduce(values, axis=1, keepdims=True) for name, values in logits.items()
    }
    np.savez(given / "tokens.npz", **{name: values.astype(np.float16) for name, values in logs.items()})
    folder = ocean_folder(tmp_path / "ocean")
    outputs = heard.Outputs(folder, {"a": "train", "b": "dev", "c": "test"}, given)
    (folder / "train" / "text").write_text("a1 WE CALL\na2 WE SING\nb1 IT BEAR\nb2 WE\n")
    lexicon = {"we": ["ér"], "call": ["tdu", "tau"], "it": ["qä"], "bear": ["gká"]}
    components = heard.components_of(outputs)
    counts = heard.write_sounds_folder(outputs, components, lexicon, tmp_path / "sounds")
    assert counts == {"train": 1, "dev": 1, "unheard": 0, "unpronounced": 1}, (
        "d stands nowhere, b2 has no outputs"
    )
    taught = FeatureFolder.open(tmp_path / "sounds")
    assert [(row["id"], row["split"], row["text"]) for row in taught.rows] == [
        ("a1", "train", "ér tdu"),
        ("b1", "dev", "qä gká"),
    ]
    assert taught.settings["hop_s"] == 0.02
    assert taught.coefficients == 3, "as many as the layer has cells: the rest is rounding"
    mine = np.load(tmp_path / "sounds" / "a1.npy")
    again, _, _, _ = np.linalg.lstsq(np.c_[mine, np.ones(20)], layer["a1"], rcond=None)
    assert np.c_[mine, np.ones(20)] @ again == pytest.approx(layer["a1"], abs=0.02), (
        "the layer itself, turned and moved"
    )
    assert np.abs(mine.std(axis=0) - 1).max() < 0.05
    counts = heard.write_words_folders(outputs, components, {"100": tmp_path / "words"})
    assert counts == {"dev": 1, "test": 1, "unheard": 2}
    measured = FeatureFolder.open(tmp_path / "words")
    assert [(row["id"], row["text"]) for row in measured.rows] == [
        ("b1", "it bear"),
        ("c1", "we call it bear"),
    ]
    assert np.array_equal(measured.features("b1"), taught.features("b1"))
    with pytest.raises(DataError, match=r"tokens.npz holds no outputs for the training speakers"):
        heard.components_of(heard.Outputs(folder, {"c": "test"}, given))


def test_every_hearing_is_learnt_from_and_measured_apart(tmp_path: Path) -> None:
    given, draws = tmp_path / "given", np.random.default_rng(3)
    given.mkdir()
    for name, frames in (("tokens", 20), ("tokens-120", 17), ("tokens-85", 24)):
        heard_of = {one: draws.standard_normal((frames, 4)) for one in ("a1", "b1", "c1")}
        np.savez(
            given / f"{name}.npz", **heard_of, **({"a2": draws.random((3, 4))} if name == "tokens" else {})
        )
    outputs = heard.Outputs(ocean_folder(tmp_path / "ocean"), {"a": "train", "b": "dev", "c": "test"}, given)
    assert list(outputs.hearings()) == ["100", "85", "120"]
    found = {one.utterance_id: one for one in outputs.utterances()}
    assert [name for name in found if found[name].logs] == ["a1", "b1", "c1"], "a2 not at every speed"
    assert {speed: len(logs) for speed, logs in found["a1"].logs.items()} == {"100": 20, "85": 24, "120": 17}
    components, lexicon = (
        heard.components_of(outputs),
        {word: ["ér"] for word in ("we", "call", "it", "bear")},
    )
    counts = heard.write_sounds_folder(outputs, components, lexicon, tmp_path / "sounds")
    assert counts == {"train": 1, "dev": 1, "unheard": 1, "unpronounced": 0}
    taught = FeatureFolder.open(tmp_path / "sounds")
    assert [row["id"] for row in taught.rows] == ["a1", "a1-85", "a1-120", "b1"]
    assert len(taught.features("a1-85")) == 24
    folders = {speed: tmp_path / f"words-{speed}" for speed in outputs.hearings()}
    assert heard.write_words_folders(outputs, components, folders) == {"dev": 1, "test": 1, "unheard": 2}
    measured = {speed: FeatureFolder.open(folder) for speed, folder in folders.items()}
    assert len({json.dumps([row["id"] for row in one.rows]) for one in measured.values()}) == 1
    assert [len(measured[speed].features("b1")) for speed in ("100", "85", "120")] == [20, 24, 17]

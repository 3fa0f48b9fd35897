"""Exports of a published corpus: what each form holds, same bytes, licences, repair."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import soundfile
import yaml

from corpora import __main__ as command_line
from corpora.donations.licences import kept_back, may_pass_on
from corpora.exports import FORMS, ExportRequest, export
from corpora.exports._files import file_name
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, switchboard, tones
from store.corpus import Corpus
from store.errors import UsageError
from store.opening import open_store
from store.store import Store
from store.versions import link_current
from tests.corpora.handmade import handmade


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A free corpus at 16 kHz and one at 8 kHz under an agreement."""
    root, places = tmp_path_factory.mktemp("store"), tmp_path_factory.mktemp("source")
    for name, layout, first in (("librispeech", librispeech, 0), ("switchboard", switchboard, 6)):
        path = layout.write(places / name, tones.utterances(speakers_per_split=2, each=2, first=first)).path
        refresh(RefreshRequest(name, (path,), store=root))
    return open_store(root)


def texts(corpus: Corpus, split: str) -> dict[str, str]:
    rows = [
        row for batch in corpus.batches(split, columns=["utterance_id", "text"]) for row in batch.to_pylist()
    ]
    return {row["utterance_id"]: row["text"] for row in rows}


def tree(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def sound(path: Path) -> tuple[Any, int]:
    samples, rate = soundfile.read(path, dtype="int16")
    return samples.tolist(), rate


def stored_sound(corpus: Corpus, split: str) -> dict[str, tuple[Any, int]]:
    rows = [row for batch in corpus.batches(split) for row in batch.to_pylist()]
    read = {
        row["utterance_id"]: soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16") for row in rows
    }
    return {name: (samples.tolist(), rate) for name, (samples, rate) in read.items()}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_bytes_and_repairs(store: Store, tmp_path: Path, form: str) -> None:
    request = ExportRequest(store.corpus("librispeech"), form, tmp_path / "one")
    told = export(request)
    assert told["status"] == "written"
    assert told["utterances"] == store.corpus("librispeech").manifest["utterances"]
    assert export(request)["status"] == "unchanged"
    export(ExportRequest(store.corpus("librispeech"), form, tmp_path / "two"))
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    (tmp_path / "one" / "export.json").write_text("{}")  # an export of another version
    assert export(request)["status"] == "written"
    assert tree(tmp_path / "one") == tree(tmp_path / "two")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_deepspeech_gets_csv_and_16_khz_wav(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("switchboard")
    export(ExportRequest(corpus, "deepspeech", tmp_path / "out", ("train",), for_own_use=True))
    with (tmp_path / "out" / "train.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert sorted(row["transcript"] for row in rows) == sorted(texts(corpus, "train").values())
    for row in rows:
        path = tmp_path / "out" / row["wav_filename"]
        assert path.stat().st_size == int(row["wav_filesize"])
        assert sound(path)[1] == 16_000
    letters = (tmp_path / "out" / "alphabet.txt").read_text().split("\n")
    assert letters[0] == " " and set("".join(row["transcript"] for row in rows)) <= set(letters)


def test_nemo_names_every_sound_relative_to_the_manifest(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("librispeech")
    export(ExportRequest(corpus, "nemo", tmp_path / "out"))
    stored = stored_sound(corpus, "test")
    lines = [json.loads(line) for line in (tmp_path / "out" / "test.jsonl").read_text("utf-8").splitlines()]
    assert {line["utterance_id"]: line["text"] for line in lines} == texts(corpus, "test")
    for line in lines:
        samples, rate = sound(tmp_path / "out" / line["audio_filepath"])
        assert (samples, rate) == stored[line["utterance_id"]]
        assert line["duration"] == pytest.approx(len(samples) / rate, abs=1e-6)


def test_nemo_tars_hold_what_their_manifest_names(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("librispeech")
    export(ExportRequest(corpus, "nemo_tarred", tmp_path / "out"))
    place, stored = tmp_path / "out" / "test", stored_sound(corpus, "test")
    lines = [json.loads(line) for line in (place / "tarred_audio_manifest.json").read_text().splitlines()]
    assert {line["utterance_id"]: line["text"] for line in lines} == texts(corpus, "test")
    with tarfile.open(place / "audio_0.tar") as packed:
        assert packed.getnames() == [line["audio_filepath"] for line in lines]
        assert {entry.mtime for entry in packed.getmembers()} == {0}
        for line in lines:
            found = soundfile.read(packed.extractfile(line["audio_filepath"]), dtype="int16")
            assert (found[0].tolist(), found[1]) == stored[line["utterance_id"]]
            assert line["duration"] == len(found[0]) / found[1] and line["shard_id"] == 0


def test_samples_of_a_webdataset_are_sound_text_and_facts(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("librispeech")
    export(ExportRequest(corpus, "webdataset", tmp_path / "out", ("dev",)))
    card = (tmp_path / "out" / "README.md").read_text()
    assert "- split: validation\n    path: dev-*.tar" in card
    stored = stored_sound(corpus, "dev")
    with tarfile.open(tmp_path / "out" / "dev-000000.tar") as packed:
        data = {entry.name: packed.extractfile(entry).read() for entry in packed.getmembers()}  # type: ignore[union-attr]
    stems = list(dict.fromkeys(name.partition(".")[0] for name in data))
    assert [*data] == [f"{stem}.{kind}" for stem in stems for kind in ("flac", "txt", "json")]
    told = {stem: json.loads(data[f"{stem}.json"]) for stem in stems}
    names = {stem: told[stem]["utterance_id"] for stem in stems}
    assert {names[stem]: data[f"{stem}.txt"].decode() for stem in stems} == texts(corpus, "dev")
    for stem in stems:
        found, rate = soundfile.read(io.BytesIO(data[f"{stem}.flac"]), dtype="int16")
        assert (found.tolist(), rate) == stored[names[stem]]
        assert (told[stem]["licence"], told[stem]["sampling_rate"]) == ("CC-BY-4.0", rate)


def test_lhotse_manifests_fit_together(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("librispeech")
    export(ExportRequest(corpus, "lhotse", tmp_path / "out", ("dev",)))

    def lines(kind: str) -> list[dict[str, Any]]:
        text = gzip.decompress((tmp_path / "out" / f"librispeech_{kind}_dev.jsonl.gz").read_bytes()).decode()
        return [json.loads(line) for line in text.splitlines()]

    recordings = {line["id"]: line for line in lines("recordings")}
    supervisions = lines("supervisions")
    assert {line["id"]: line["text"] for line in supervisions} == texts(corpus, "dev")
    for line in supervisions:
        recording = recordings[line["recording_id"]]
        samples, rate = sound(tmp_path / "out" / recording["sources"][0]["source"])
        assert (recording["num_samples"], recording["sampling_rate"]) == (len(samples), rate)
        assert line["duration"] == recording["duration"] == len(samples) / rate
        assert line["gender"] in ("female", "male")


def test_kaldi_tables_are_sorted_and_hold_no_command(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("librispeech")
    export(ExportRequest(corpus, "kaldi", tmp_path / "out", ("train",)))
    data = tmp_path / "out" / "data" / "train"
    tables = {
        path.name: dict(line.split(" ", 1) for line in path.read_text("utf-8").splitlines())
        for path in data.iterdir()
    }
    assert set(tables) == {"wav.scp", "text", "utt2spk", "spk2utt", "utt2dur", "spk2gender"}
    assert sorted(tables["text"].values()) == sorted(texts(corpus, "train").values())
    keys = list(tables["text"])
    assert keys == sorted(keys, key=str.encode)
    assert list(tables["utt2spk"].values()) == sorted(tables["utt2spk"].values())
    assert all(key.startswith(speaker) for key, speaker in tables["utt2spk"].items())
    assert sorted(" ".join(tables["spk2utt"].values()).split()) == sorted(keys)
    for key, path in tables["wav.scp"].items():
        assert "|" not in path
        samples, rate = sound(tmp_path / "out" / path)
        assert float(tables["utt2dur"][key]) == pytest.approx(len(samples) / rate, abs=1e-4)


def test_hugging_face_gets_the_shards_and_a_card(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("librispeech")
    export(ExportRequest(corpus, "huggingface", tmp_path / "out"))
    card = (tmp_path / "out" / "README.md").read_text("utf-8")
    assert "license: cc-by-4.0" in card and "- split: validation\n    path: data/dev-*.parquet" in card
    copies = sorted((tmp_path / "out" / "data").glob("test-*.parquet"))
    assert [path.read_bytes() for path in copies] == [
        path.read_bytes() for path in corpus.shard_paths("test")
    ]
    assert (
        sum(pq.read_metadata(path).num_rows for path in copies)
        == corpus.manifest["splits"]["test"]["utterances"]
    )


def test_the_card_says_what_a_donor_wrote_and_nothing_that_he_made_up(store: Store, tmp_path: Path) -> None:
    made_up = "mine\nlicense: cc0-1.0\n---\n<script>alert(1)</script> | [a](b)"

    def change(folder: Path, manifest: dict[str, Any]) -> None:
        manifest.update(licence=made_up, licences={made_up: 1.0}, language="en\n. fr")

    there = store.corpus("librispeech")
    try:
        corpus = handmade(there, change)
        export(ExportRequest(corpus, "huggingface", tmp_path / "out", for_own_use=True))
    finally:
        link_current(there.path.parent, there.version)
    card = (tmp_path / "out" / "README.md").read_text()
    front, body = card.split("\n---\n", 1)
    read = yaml.safe_load(front.removeprefix("---\n"))
    assert (read["license"], read["license_name"], read["language"]) == (
        "other",
        made_up.lower(),
        ["en\n. fr"],
    )
    assert "<script" not in body and "[a](b)" not in body and "\n---" not in body


def test_a_corpus_under_an_agreement_is_not_passed_on_by_mistake(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("switchboard")
    with pytest.raises(
        UsageError, match="may not be passed on by LicenseRef-LDC-User-Agreement; if this copy"
    ):
        export(ExportRequest(corpus, "nemo", tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    told = export(ExportRequest(corpus, "nemo", tmp_path / "out", for_own_use=True))
    assert told["may_be_passed_on"] is False


def test_the_licences_that_let_a_copy_go() -> None:
    assert all(map(may_pass_on, ["CC0-1.0", "CC-BY-4.0", "CC-BY-SA-4.0", "CC-BY-NC-4.0"]))
    assert not any(
        map(may_pass_on, ["CC-BY-NC-ND-3.0", "LicenseRef-LDC-User-Agreement", "", "all rights reserved"])
    )
    assert kept_back({"licences": {"CC0-1.0": 1.0}, "may_redistribute": False}) == [
        "the donor (may_redistribute = false)"
    ]


def test_other_files_in_the_folder_are_never_touched(store: Store, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="holds something that is no export of ours"):
        export(ExportRequest(store.corpus("librispeech"), "nemo", tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_wrong_forms_and_splits_are_usage_errors(store: Store, tmp_path: Path) -> None:
    corpus = store.corpus("librispeech")
    with pytest.raises(UsageError, match="there is no form 'csv'; there are: deepspeech"):
        export(ExportRequest(corpus, "csv", tmp_path / "out"))
    with pytest.raises(UsageError, match="has no split eval; it has train, dev, test"):
        export(ExportRequest(corpus, "nemo", tmp_path / "out", ("eval",)))


def test_a_failed_export_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("corpora.exports.nemo.write_flac", fail)
    with pytest.raises(Exception, match="the disk is full"):
        export(ExportRequest(store.corpus("librispeech"), "nemo", tmp_path / "out"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("hostile", ["../../etc/passwd", "a/b", ".hidden", "a b\n", "é", "x" * 300])
def test_file_names_stay_in_their_folder(hostile: str) -> None:
    name = file_name(hostile, ".wav")
    assert "/" not in name and not name.startswith(".") and len(name) < 200
    assert name != file_name(hostile + "!", ".wav")


def test_names_in_tars_have_one_dot() -> None:
    assert file_name("a-1", ".flac", dots=False) == "a-1.flac"
    dotted = [file_name(name, ".flac", dots=False) for name in ("a.b", "a_b", "a.b.", ".a_b")]
    assert len(set(dotted)) == 4 and all(name.count(".") == 1 for name in dotted)


def test_the_command_exports_and_tells(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", "librispeech", "--form", "nemo", "--to", str(tmp_path / "out"), "--splits", "test"]
    assert command_line.main([*arguments, "--store", str(store.root), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["form"], told["splits"], told["status"]) == ("nemo", ["test"], "written")
    assert command_line.main(["export", "switchboard", *arguments[2:], "--store", str(store.root)]) == 2
    assert "--for-own-use" in capsys.readouterr().err

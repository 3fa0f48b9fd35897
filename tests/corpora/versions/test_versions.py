"""History, differences between versions, and donors who withdraw."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile

from corpora.__main__ import main
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.versions.history import compare_versions, history
from corpora.versions.withdrawals import SAID, withdraw, withdrawn_donors
from demo.layouts import librispeech, tones
from store.errors import UsageError
from store.opening import open_store
from store.writing import write_json_atomic


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=2, each=2)).path


def imported(tree: Path, store: Path) -> str:
    return str(refresh(RefreshRequest("librispeech", (tree,), store=store))["version"])


def test_a_difference_names_added_changed_and_withdrawn_rows_with_hours(tree: Path, tmp_path: Path) -> None:
    store = open_store(tmp_path / "store")
    first = imported(tree, store.root)
    transcripts = sorted(tree.glob("train-*/*/*/*.trans.txt"))
    reader = transcripts[0].parent
    shutil.rmtree(reader)
    spoken = transcripts[1].read_text()
    lines = spoken.splitlines()
    new_id = lines[0].split(" ")[0][:-4] + "0009"
    samples, rate_hz = soundfile.read(transcripts[1].parent / f"{lines[0].split(' ')[0]}.flac", dtype="int16")
    soundfile.write(transcripts[1].parent / f"{new_id}.flac", samples // 3, rate_hz)
    other = " ".join([lines[1].split(" ")[0], "RED", *lines[1].split(" ")[2:]])
    transcripts[1].write_text(f"{lines[0]}\n{other}\n{new_id} ONE TWO THREE\n")
    second = imported(tree, store.root)
    found = compare_versions(store.corpus("librispeech", first), store.corpus("librispeech", second))
    assert found["added"]["examples"] == [new_id]
    assert found["added"]["hours"] == round(len(samples) / rate_hz / 3600, 6)
    assert found["added"]["splits"] == {"train": 1}
    assert found["changed"]["examples"] == [lines[1].split(" ")[0]]
    assert found["changed"]["columns"] == {"text": 1, "text_raw": 1}
    assert found["withdrawn"]["utterances"] == 2
    assert found["unchanged"]["utterances"] == 12 - 2 - 1
    listed = history(store, "librispeech")
    assert [(entry["version"], entry["current"]) for entry in listed] == [(first, False), (second, True)]
    nothing = compare_versions(store.corpus("librispeech"), store.corpus("librispeech"))
    assert {nothing[kind]["utterances"] for kind in ("added", "changed", "withdrawn")} == {0}


def test_the_commands_answer_json_and_text(
    tree: Path, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    version = imported(tree, tmp_path / "store")
    place = ["--store", str(tmp_path / "store")]
    assert main(["history", "librispeech", "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out)["versions"][0]["version"] == version
    assert main(["diff", "librispeech", version, version, "--json", *place]) == 0
    assert json.loads(capsys.readouterr().out)["unchanged"] == {"utterances": 12}
    assert main(["diff", "librispeech", version, *place]) == 0
    assert "unchanged       12 utterances" in capsys.readouterr().out
    assert main(["diff", "librispeech", "0000", *place]) == 2
    assert "0000 is not published" in capsys.readouterr().err
    speaker = next((tree / "test-clean").iterdir()).name
    assert main(["withdraw", "librispeech", "--donor", speaker, *place]) == 0
    assert "leaves out 2 utterances" in capsys.readouterr().out


def test_a_withdrawn_donor_is_left_out_for_good_and_what_was_made_is_named(
    tree: Path, tmp_path: Path
) -> None:
    store = open_store(tmp_path / "store")
    first = imported(tree, store.root)
    speaker = next((tree / "train-clean-100").iterdir()).name
    model = {"inputs": {"training": [{"corpus": "librispeech", "version": first}]}}
    write_json_atomic(store.language_models_dir / "default" / "abc" / "manifest.json", model)
    other = {"inputs": {"training": [{"corpus": "other", "version": first}]}}
    write_json_atomic(store.language_models_dir / "other" / "abc" / "manifest.json", other)
    write_json_atomic(store.runs_dir / "r1" / "inputs.json", {"corpora": {"librispeech": first}})
    write_json_atomic(store.runs_dir / "r2" / "inputs.json", {"corpora": {"librispeech": "f00"}})
    write_json_atomic(store.evaluations_dir / "e1" / "evaluation.json", {"run": "r1", "corpus": "another"})
    found = withdraw(store, "librispeech", speaker)
    assert found["utterances"] == 2
    assert found["versions"] == [first]
    assert (found["language_models"], found["runs"], found["evaluations"]) == (
        ["default abc"],
        ["r1"],
        ["e1"],
    )
    for _ in range(2):
        second = imported(tree, store.root)
        manifest = store.corpus("librispeech").manifest
        assert second != first
        assert manifest["rejected"] == {"withdrawn": 2}
        assert manifest["items"]["accepted"] == 10
        texts = store.corpus("librispeech").rejections()["text_raw"].to_pylist()
        assert texts == [None, None]
        rows = [
            row for batch in store.corpus("librispeech").batches(columns=["speaker_id"]) for row in batch[0]
        ]
        assert speaker not in {row.as_py() for row in rows}
    assert withdrawn_donors(store, "librispeech") == [speaker]
    assert withdraw(store, "librispeech", speaker)["utterances"] == 0


def test_what_was_refused_of_a_withdrawn_donor_loses_its_text_too(tree: Path, tmp_path: Path) -> None:
    copy, store = tmp_path / "LibriSpeech", open_store(tmp_path / "store")
    shutil.copytree(tree, copy)
    said = {}
    for folder in sorted((copy / "train-clean-100").iterdir()):
        (path,) = folder.rglob("*.trans.txt")
        lines = path.read_text().splitlines()
        name = lines[0].split()[0]
        nowhere = f"{name[:-4]}9999"
        lines[0] = f"{name} ROOM 12 OF {folder.name}"  # refused by the rules for texts
        lines.append(f"{nowhere} NOBODY RECORDED {folder.name}")  # refused by the importer
        path.write_text("\n".join(lines) + "\n")
        said[folder.name] = {name, nowhere}
    gone, stays = sorted(said)[:2]
    imported(copy, store.root)
    assert withdraw(store, "librispeech", gone)["rejected"] == 1
    imported(copy, store.root)
    rows = {row["utterance_id"]: row for row in store.corpus("librispeech").rejections().to_pylist()}
    for name in said[gone]:
        assert (rows[name]["text_raw"], rows[name]["reason"]) == (None, SAID)
        assert rows[name]["check"] != "withdrawn"
    for name in said[stays]:
        assert stays in f"{rows[name]['text_raw']} {rows[name]['reason']}"
    left = b"".join(path.read_bytes() for path in store.corpus("librispeech").path.rglob("manifest.json"))
    assert f"OF {gone}".encode() not in left
    assert withdraw(store, "librispeech", gone)["rejected"] == 0


def test_a_donor_of_whom_everything_was_refused_can_withdraw(tree: Path, tmp_path: Path) -> None:
    copy, store = tmp_path / "LibriSpeech", open_store(tmp_path / "store")
    shutil.copytree(tree, copy)
    folder = sorted((copy / "train-clean-100").iterdir())[0]
    (path,) = folder.rglob("*.trans.txt")
    path.write_text("".join(f"{line.split()[0]} ROOM 12\n" for line in path.read_text().splitlines()))
    imported(copy, store.root)
    found = withdraw(store, "librispeech", folder.name)
    assert (found["utterances"], found["rejected"]) == (0, 2)
    imported(copy, store.root)
    texts = store.corpus("librispeech").rejections().to_pylist()
    assert [row["text_raw"] for row in texts if row["speaker_id"] == folder.name] == [None, None]


def test_an_unknown_donor_is_an_error_that_names_known_ones(tree: Path, tmp_path: Path) -> None:
    imported(tree, tmp_path / "store")
    store = open_store(tmp_path / "store")
    known = next((tree / "test-clean").iterdir()).name
    with pytest.raises(UsageError, match=known):
        withdraw(store, "librispeech", "nobody")
    assert withdrawn_donors(store, "librispeech") == []

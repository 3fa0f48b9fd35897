"""A corpus from source to published version: balance, same bytes for any workers, repair, no-op, gate."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile

from corpora.errors import BalanceError, GateRefusedError, NothingImportedError, SourceError
from corpora.refresh import groups
from corpora.refresh import plan as stage
from corpora.refresh.plan import RefreshRequest, plan_refresh
from corpora.refresh.stage import refresh, run_group, seal
from corpora.utterance import REJECTIONS_SCHEMA, SCHEMA
from demo.layouts import Defects, librispeech, tones
from store.errors import StoreError, UsageError
from store.opening import open_store
from store.writing import read_json


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("source")
    defects = Defects(truncated_audio=1, odd_token=1, missing_audio=1)
    return librispeech.write(root, tones.utterances(speakers_per_split=2, each=3), defects).path


@pytest.fixture(autouse=True)
def small_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stage, "GROUP_BYTES", 60_000)


def request(tree: Path, store: Path, **more: Any) -> RefreshRequest:
    return RefreshRequest("librispeech", (tree,), store=store, **more)


def hashes(root: Path) -> dict[str, str]:
    files = sorted(p for p in (root / "corpora").rglob("*") if p.is_file())
    return {str(p.relative_to(root)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


@pytest.fixture(scope="module")
def published(tree: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    store = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stage, "GROUP_BYTES", 60_000)
        return refresh(request(tree, store)), store


def test_the_answer_balances_and_names_every_rejection(published: tuple[dict[str, Any], Path]) -> None:
    answer, _ = published
    assert answer["published"]
    assert answer["items"]["input"] == sum(answer["items"][k] for k in ("accepted", "rejected", "ignored"))
    assert answer["rejected"] == {"audio_corrupt": 1, "audio_missing": 1, "bad_chars": 1}
    assert {split: part["utterances"] for split, part in answer["splits"].items()} == {
        "dev": 6,
        "test": 6,
        "train": 6,
    }
    assert {"corpus", "version", "path", "utterances", "hours", "ignored"} <= set(answer)


def test_shards_hold_the_contract(published: tuple[dict[str, Any], Path], tree: Path) -> None:
    corpus = open_store(published[1]).corpus("librispeech")
    for path in corpus.shard_paths():
        assert pq.read_schema(path).equals(SCHEMA)
        column = pq.ParquetFile(path).metadata.row_group(0).column(14)
        assert column.compression == "UNCOMPRESSED"
    rows = [row for batch in corpus.batches() for row in batch.to_pylist()]
    assert len(rows) == published[0]["utterances"]
    for row in rows:
        samples, rate = soundfile.read(io.BytesIO(row["audio"]["bytes"]), dtype="int16")
        assert (len(samples), rate) == (row["num_samples"], row["sample_rate_hz"])
        assert hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest() == row["audio_sha256"]
        assert row["audio"]["bytes"] == (tree / row["source_path"]).read_bytes()
        assert row["text"] == row["text_raw"].lower()
        assert (
            f"{row['utterance_id']} {row['text_raw']}"
            in (tree / row["transcript_path"]).read_text().splitlines()[row["transcript_line"] - 1]
        )
    assert corpus.rejections().schema.equals(REJECTIONS_SCHEMA)


def test_rows_can_be_read_by_split_subset_and_column(published: tuple[dict[str, Any], Path]) -> None:
    corpus = open_store(published[1]).corpus("librispeech")
    assert corpus.splits == ["train", "dev", "test"]
    batches = list(corpus.batches(split="test", subset="test-clean", columns=["text"]))
    assert sum(b.num_rows for b in batches) == 6
    assert batches[0].schema.names == ["text"]
    assert not [b for b in corpus.batches(split="test", subset="dev-clean", columns=["text"]) if b.num_rows]


def test_hugging_face_features_stand_in_the_schema() -> None:
    features = json.loads(SCHEMA.metadata[b"huggingface"])["info"]["features"]
    assert list(features) == SCHEMA.names
    assert features["audio"] == {"_type": "Audio"}


def test_workers_change_no_byte(published: tuple[dict[str, Any], Path], tree: Path, tmp_path: Path) -> None:
    assert len(read_json(plan_refresh(request(tree, tmp_path)))["groups"]) > 2
    answer = refresh(request(tree, tmp_path, workers=2))
    assert hashes(tmp_path) == hashes(published[1])
    assert answer["version"] == published[0]["version"]


def test_an_unchanged_source_is_not_opened(
    published: tuple[dict[str, Any], Path], tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(*_: object) -> None:
        raise AssertionError("opened")

    monkeypatch.setattr(stage, "open_source", forbidden)
    answer = refresh(request(tree, published[1]))
    assert (answer["status"], answer["version"]) == ("unchanged", published[0]["version"])


def test_a_run_that_dies_anywhere_is_repaired_by_the_next(
    published: tuple[dict[str, Any], Path], tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, done = groups.cut, []

    def dies(*arguments: Any) -> Any:
        done.append(1)
        if len(done) == 11:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(groups, "cut", dies)
    with pytest.raises(KeyboardInterrupt):
        refresh(request(tree, tmp_path))
    assert open_store(tmp_path).corpus_names() == []
    monkeypatch.setattr(groups, "cut", real)
    plan = plan_refresh(request(tree, tmp_path))
    reused = [run_group(plan, index)["reused"] for index in range(len(read_json(plan)["groups"]))]
    assert True in reused
    assert False in reused
    assert seal(plan)["version"] == published[0]["version"]
    assert hashes(tmp_path) == hashes(published[1])
    assert not list((tmp_path / "staging").rglob("*.parquet"))


def test_a_new_file_makes_a_new_version_and_moves_few_rows(tree: Path, tmp_path: Path) -> None:
    import shutil

    copy = tmp_path / "copy"
    shutil.copytree(tree, copy)
    first = refresh(request(copy, tmp_path / "store"))
    transcript = next(copy.glob("train-*/*/*/*.trans.txt"))
    transcript.write_text(transcript.read_text().replace("ONE", "TWO"))
    second = refresh(request(copy, tmp_path / "store"))
    assert second["version"] != first["version"]
    store = open_store(tmp_path / "store")
    before, after = (store.corpus("librispeech", a["version"]).manifest["shards"] for a in (first, second))
    changed = {s["sha256"] for s in after} - {s["sha256"] for s in before}
    assert len(changed) == 1


def test_a_lost_row_is_a_fault_of_ours(tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(groups.GroupWorker, "_reject", lambda *_, **__: None)
    with pytest.raises(BalanceError, match="does not balance") as caught:
        refresh(request(tree, tmp_path))
    assert caught.value.exit_status == 1
    assert open_store(tmp_path).corpus_names() == []


def test_a_speaker_in_two_splits_is_refused_by_the_gate(tmp_path: Path) -> None:
    items = tones.utterances(speakers_per_split=1, each=2)
    root = librispeech.write(tmp_path / "source", items).path
    train, test = root / "train-clean-100", root / "test-clean"
    reader = next(train.iterdir())
    (test / reader.name).mkdir()
    chapter = next(reader.iterdir())
    chapter.rename(test / reader.name / "9999")
    for path in (test / reader.name / "9999").iterdir():
        path.rename(path.with_name(path.name.replace(chapter.name, "9999")))
    moved = test / reader.name / "9999" / f"{reader.name}-9999.trans.txt"
    moved.write_text(moved.read_text().replace(chapter.name, "9999"))
    (train / reader.name / "5").mkdir(parents=True)
    other = next((root / "dev-clean").glob("*/*/*-0000.flac"))
    (train / reader.name / "5" / f"{reader.name}-5-0000.flac").write_bytes(louder(other))
    (train / reader.name / "5" / f"{reader.name}-5.trans.txt").write_text(f"{reader.name}-5-0000 ONE TWO\n")
    answer = refresh(request(root, tmp_path / "store"))
    assert not answer["published"]
    assert [e["name"] for e in answer["gate"]["expectations"] if not e["passed"]] == ["shared_speakers"]
    assert open_store(tmp_path / "store").corpus_names() == []
    assert (Path(answer["path"]) / "manifest.json").is_file()


def louder(path: Path) -> bytes:
    samples, rate = soundfile.read(path, dtype="int16")
    out = io.BytesIO()
    soundfile.write(out, (samples.astype(int) * 2).clip(-32768, 32767).astype(np.int16), rate, format="FLAC")
    return out.getvalue()


def test_nothing_importable_says_why(tmp_path: Path) -> None:
    root = tmp_path / "test-clean" / "19" / "198"
    root.mkdir(parents=True)
    (root / "19-198.trans.txt").write_text("19-198-0000 HELLO\n")
    with pytest.raises(NothingImportedError, match="1 audio_missing") as caught:
        refresh(request(tmp_path / "test-clean", tmp_path / "store"))
    assert caught.value.exit_status == 3


@pytest.mark.parametrize(
    ("change", "error"),
    [({"importer": "nobody"}, UsageError), ({"name": "../x"}, UsageError), ({"workers": 0}, UsageError),
     ({"donation": Path("/nowhere.toml")}, UsageError), ({"sources": (Path("/nowhere"),)}, SourceError),
     ({"sources": ()}, SourceError)],
)  # fmt: skip
def test_wrong_requests_end_before_anything_is_written(
    tree: Path, tmp_path: Path, change: dict[str, Any], error: type[Exception]
) -> None:
    values = {"importer": "librispeech", "sources": (tree,), "store": tmp_path} | change
    with pytest.raises(error) as caught:
        refresh(RefreshRequest(**values))
    assert caught.value.exit_status == 2  # type: ignore[attr-defined]
    assert not (tmp_path / "corpora").exists()


def test_a_full_disk_leaves_nothing_under_a_final_name(
    published: tuple[dict[str, Any], Path], tree: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno

    real = pq.ParquetWriter.write_table

    def full(*arguments: Any, **named: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(StoreError, match="disk is full"):
        refresh(request(tree, tmp_path))
    assert open_store(tmp_path).corpus_names() == []
    monkeypatch.setattr(pq.ParquetWriter, "write_table", real)
    assert refresh(request(tree, tmp_path))["version"] == published[0]["version"]


def test_gate_errors_have_their_status() -> None:
    assert GateRefusedError("x").exit_status == 3

"""Packed sets go in and out unchanged; guessed columns are told; what is broken is a sentence."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from corpora.errors import SourceError
from corpora.exports import ExportRequest, export
from corpora.importer import ImportOptions
from corpora.importers import _packed as packed
from corpora.importers import get_importer, importer_names
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.sources.opening import open_source
from demo.layouts import librispeech, tones
from store.corpus import Corpus
from store.opening import open_store

KEPT = [
    "utterance_id",
    "text",
    "audio_sha256",
    "speaker_id",
    "gender",
    "split",
    "subset",
    "language",
    "licence",
]


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    root = tmp_path_factory.mktemp("packed")
    source = librispeech.write(root / "libri", tones.utterances(speakers_per_split=2, each=2)).path
    refresh(RefreshRequest("librispeech", (source,), store=root / "store"))
    return open_store(root / "store").corpus("librispeech")


def rows(corpus: Corpus) -> list[dict[str, Any]]:
    found = [
        row for split in corpus.splits for b in corpus.batches(split, columns=KEPT) for row in b.to_pylist()
    ]
    return sorted(found, key=lambda row: str(row["utterance_id"]))


@pytest.mark.parametrize("form", ["huggingface", "lhotse_shar", "nemo_tarred", "webdataset"])
def test_out_and_in_and_out_again_changes_nothing(form: str, published: Corpus, tmp_path: Path) -> None:
    export(ExportRequest(published, form, tmp_path / "out", for_own_use=True))
    source = open_source([tmp_path / "out"])
    assert [name for name in importer_names() if get_importer(name).recognise(source)] == [form]
    result = refresh(RefreshRequest(form, (tmp_path / "out",), name="back", store=tmp_path / "store"))
    assert result["published"], result
    back = open_store(tmp_path / "store").corpus("back")
    assert rows(back) == rows(published)
    assert not any(back.manifest["rejected"].values())
    export(ExportRequest(back, form, tmp_path / "again", for_own_use=True))
    for first in sorted((tmp_path / "out").rglob("*.gz")):
        second = tmp_path / "again" / first.relative_to(tmp_path / "out")
        assert gzip.decompress(first.read_bytes()) == gzip.decompress(second.read_bytes())
    packed = [*(tmp_path / "out").rglob("*.tar"), *(tmp_path / "out").rglob("*manifest.json")]
    assert packed or form == "huggingface"
    for first in packed:
        assert first.read_bytes() == (tmp_path / "again" / first.relative_to(tmp_path / "out")).read_bytes()


def foreign(folder: Path, published: Corpus, **columns: str) -> Path:
    """A set as somebody else would publish it: other names of columns, no splits but train, ids missing."""
    batch = next(iter(published.batches("train", columns=["audio", "text"]))).to_pylist()
    table = {columns.get("text", "sentence"): [row["text"].upper() + "." for row in batch]}
    table["client_id"] = [f"c{number % 2}" for number in range(len(batch))]
    sounds = pa.array(
        [row["audio"] for row in batch], pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    )
    (folder / "data").mkdir(parents=True)
    pq.write_table(
        pa.table({**table, "audio": sounds}),
        folder / "data" / "train-00000-of-00001.parquet",
        row_group_size=3,
    )
    (folder / "README.md").write_text("---\nlicense: cc-by-4.0\nlanguage:\n- en\n---\n# a set\n")
    return folder


def test_a_foreign_set_by_guessed_columns(published: Corpus, tmp_path: Path) -> None:
    source = foreign(tmp_path / "set", published)
    refresh(RefreshRequest("huggingface", (source,), name="set", store=tmp_path / "store"))
    corpus = open_store(tmp_path / "store").corpus("set")
    assert (corpus.manifest["licence"], corpus.manifest["language"]) == ("CC-BY-4.0", "en")
    assert "columns: text = sentence, speaker = client_id" in corpus.manifest["notes"]
    ids = [row["utterance_id"] for row in rows(corpus)]
    assert ids[0] == "data-train-00000-of-00001-g0000-000000"


@pytest.mark.parametrize(
    "front",
    ["language: de", "language:\n- de\n- en", 'language:\n  - "de"', "pretty_name: x\nlanguage: 'de'"],
)
def test_the_card_names_the_language_in_every_form(front: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\n{front}\nlicense: cc0-1.0\n---\nlanguage: fr\n")
    facts = packed.facts_of("x", open_source([tmp_path]), ImportOptions(), [])
    assert (facts.language, facts.licence, facts.quarantine) == ("de", "CC0-1.0", "")


def test_columns_can_be_named_and_must_be_there(published: Corpus, tmp_path: Path) -> None:
    source = foreign(tmp_path / "set", published, text="what_was_said")
    with pytest.raises(SourceError, match=r"none of its columns .* is known as text: say --text-column"):
        refresh(RefreshRequest("huggingface", (source,), store=tmp_path / "store"))
    with pytest.raises(SourceError, match="has no column 'x'"):
        refresh(
            RefreshRequest("huggingface", (source,), store=tmp_path / "store", options={"text_column": "x"})
        )
    options = {"text_column": "what_was_said"}
    result = refresh(RefreshRequest("huggingface", (source,), store=tmp_path / "store", options=options))
    assert result["published"]


def test_a_set_without_a_licence_waits(published: Corpus, tmp_path: Path) -> None:
    source = foreign(tmp_path / "set", published)
    (source / "README.md").unlink()
    waits = refresh(RefreshRequest("huggingface", (source,), store=tmp_path / "store"))
    assert waits["status"] == "quarantined" and "--licence" in waits["quarantine"]
    licence = {"licence": "CC0-1.0"}
    assert refresh(RefreshRequest("huggingface", (source,), store=tmp_path / "store", options=licence))[
        "published"
    ]


def test_damage_is_counted(published: Corpus, tmp_path: Path) -> None:
    source = foreign(tmp_path / "set", published)
    (source / "data" / "test-00000-of-00001.parquet").write_bytes(b"PAR1 and nothing more")
    assert [r.check for r in open_source([source]).rejections] == ["source_unreadable"]
    export(ExportRequest(published, "lhotse_shar", tmp_path / "shar", for_own_use=True))
    cuts = sorted((tmp_path / "shar").rglob("cuts.*"))[0]
    lines = gzip.decompress(cuts.read_bytes()).decode().splitlines()
    cut = json.loads(lines[1])
    cut["supervisions"][0]["id"] = cut["id"] = "gone"
    cuts.write_bytes(gzip.compress("\n".join([lines[0], json.dumps(cut), "no json"]).encode()))
    shutil.rmtree(tmp_path / "store", ignore_errors=True)
    result = refresh(RefreshRequest("lhotse_shar", (tmp_path / "shar",), store=tmp_path / "store"))
    assert result["rejected"]["audio_missing"] == 1 and result["rejected"]["bad_line"] == 1


def samples(published: Corpus) -> list[dict[str, Any]]:
    columns = ["utterance_id", "text", "audio", "speaker_id", "audio_sha256"]
    return [row for b in published.batches("train", columns=columns) for row in b.to_pylist()]


def tar_of(path: Path, files: dict[str, bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as packed:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            packed.addfile(entry, io.BytesIO(data))


def sounds_and_texts(corpus: Corpus) -> set[tuple[str, str]]:
    columns = ["text", "audio_sha256"]
    return {
        (row["text"], row["audio_sha256"])
        for split in corpus.splits
        for batch in corpus.batches(split, columns=columns)
        for row in batch.to_pylist()
    }


def test_a_webdataset_keeps_sounds_and_texts(published: Corpus, tmp_path: Path) -> None:
    rows_in = samples(published)
    for number in range(2):
        files: dict[str, bytes] = {}
        for index, row in enumerate(rows_in[number::2]):
            files[f"{index:04d}.flac"] = row["audio"]["bytes"]
            told = {"text": row["text"], "speaker": row["speaker_id"], "licence": "CC0-1.0"}
            files[f"{index:04d}.json"] = json.dumps(told).encode()
        files["lonely.flac"] = rows_in[0]["audio"]["bytes"]
        tar_of(tmp_path / "set" / f"shard-{number:06d}.tar", files)
    assert get_importer("webdataset").recognise(open_source([tmp_path / "set"]))
    request = {"options": {"licence": "CC0-1.0"}, "store": tmp_path / "store", "name": "web"}
    result = refresh(RefreshRequest("webdataset", (tmp_path / "set",), **request))
    assert result["published"] and result["rejected"]["transcript_missing"] == 2
    wanted = {(row["text"], row["audio_sha256"]) for row in rows_in}
    assert sounds_and_texts(open_store(tmp_path / "store").corpus("web")) == wanted


def test_a_tarred_set_of_nemo_keeps_sounds_and_texts(published: Corpus, tmp_path: Path) -> None:
    rows_in = samples(published)
    lines = []
    for number in range(2):
        files = {f"{row['utterance_id']}.flac": row["audio"]["bytes"] for row in rows_in[number::2]}
        tar_of(tmp_path / "set" / f"audio_{number}.tar", files)
        for row in rows_in[number::2]:
            told = {"audio_filepath": f"{row['utterance_id']}.flac", "duration": 1.0, "text": row["text"]}
            lines.append(json.dumps({**told, "shard_id": number, "speaker": row["speaker_id"]}))
    lines += [json.dumps({"audio_filepath": "gone.flac", "text": "gone", "shard_id": 0}), "no json"]
    (tmp_path / "set" / "tarred_audio_manifest.json").write_text("\n".join(lines) + "\n")
    request = {"options": {"licence": "CC0-1.0"}, "store": tmp_path / "store", "name": "nemo"}
    result = refresh(RefreshRequest("nemo_tarred", (tmp_path / "set",), **request))
    assert result["published"]
    assert (result["rejected"]["audio_missing"], result["rejected"]["bad_line"]) == (1, 1)
    wanted = {(row["text"], row["audio_sha256"]) for row in rows_in}
    assert sounds_and_texts(open_store(tmp_path / "store").corpus("nemo")) == wanted

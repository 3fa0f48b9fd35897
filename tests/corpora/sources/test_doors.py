"""What is exchanged between plan and import is not followed."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import soundfile

from corpora.audio import films
from corpora.audio.last import open_recording
from corpora.errors import CorporaError, SourceError
from corpora.importer import AudioRef
from corpora.refresh.groups import run_group
from corpora.refresh.plan import RefreshRequest, plan_refresh
from corpora.refresh.stage import seal
from corpora.sources.opening import open_source
from corpora.sources.packed.shards import ShardFolderReader
from corpora.versions.shards import read_table
from demo.layouts import librispeech, tones
from lm.errors import TextSourceError
from lm.text.files import expand_paths, read_blocks
from store.writing import read_json


def test_a_file_that_becomes_a_link_out_after_it_was_listed_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    source = open_source([folder])
    (folder / "a.txt").unlink()
    (folder / "a.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(SourceError, match="leads out of folder"):
        source.read_bytes("a.txt")
    with pytest.raises(SourceError, match="leads out of folder"), source.local_file("a.txt"):
        pytest.fail("the block must not be entered")


def noise(path: Path, seed: int) -> None:
    """Four seconds that ffmpeg alone reads."""
    plain = path.with_suffix(".wav")
    soundfile.write(plain, np.random.default_rng(seed).normal(0, 0.1, 4 * 16_000), 16_000)
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(plain), "-c:a", "alac", str(path)], check=True)
    plain.unlink()


@pytest.mark.parametrize("moment", ["probe", "packets"])
def test_a_film_exchanged_for_a_link_while_it_is_looked_at_is_heard_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    noise(folder / "talk.m4a", 1)
    noise(tmp_path / "secret.m4a", 2)
    undisturbed = open_recording(open_source([folder]), AudioRef("talk.m4a"))
    real = getattr(films, moment)

    def exchanged(*arguments: Any) -> Any:
        (folder / "talk.m4a").unlink()
        (folder / "talk.m4a").symlink_to(tmp_path / "secret.m4a")
        return real(*arguments)

    monkeypatch.setattr(films, moment, exchanged)
    heard = open_recording(open_source([folder]), AudioRef("talk.m4a"))
    assert (folder / "talk.m4a").is_symlink()
    assert np.array_equal(
        heard.samples[0 : len(heard.samples)], undisturbed.samples[0 : len(undisturbed.samples)]
    )


def test_a_packed_shard_exchanged_for_a_link_out_is_not_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    sound = {"bytes": b"RIFF", "path": "a.wav"}
    pq.write_table(pa.table({"audio": [sound]}), folder / "train.parquet")
    reader = ShardFolderReader(folder, "folder", "")
    (name,) = [name for name in reader.listing() if name.endswith("a.wav") or name.endswith("000000.wav")]
    pq.write_table(pa.table({"audio": [sound]}), tmp_path / "secret.parquet")
    (folder / "train.parquet").unlink()
    (folder / "train.parquet").symlink_to(tmp_path / "secret.parquet")
    with pytest.raises(OSError, match="leads out of folder"):
        ShardFolderReader(folder, "folder", "").open(name)


def test_a_transcript_exchanged_between_plan_and_import_publishes_nothing_of_it(tmp_path: Path) -> None:
    source = librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=2)).path
    plan = plan_refresh(RefreshRequest("librispeech", (source,), store=tmp_path / "store"))
    text = sorted(source.rglob("*.trans.txt"))[0]
    (tmp_path / "secret.txt").write_text(text.read_text().upper())
    text.unlink()
    text.symlink_to(tmp_path / "secret.txt")
    for index in range(len(read_json(plan)["groups"])):
        run_group(plan, index)
    said = seal(plan)
    rejections = read_table(Path(said["path"]) / "rejections.parquet").to_pylist()
    assert "source_unreadable" in {row["check"] for row in rejections}


def test_a_source_that_becomes_a_link_after_it_was_planned_is_refused(tmp_path: Path) -> None:
    source = librispeech.write(tmp_path / "source", tones.utterances(speakers_per_split=1, each=2)).path
    plan = plan_refresh(RefreshRequest("librispeech", (source,), store=tmp_path / "store"))
    source.rename(tmp_path / "elsewhere")
    source.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CorporaError, match="exchanged for a link"):
        run_group(plan, 0)


def test_links_out_of_a_folder_of_texts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "passwords.txt").write_text("horse staple\n")
    texts = tmp_path / "texts"
    texts.mkdir()
    (texts / "a.txt").write_text("good words\n")
    (texts / "b.txt").symlink_to("a.txt")
    assert [file.path.name for file in expand_paths([texts])] == ["a.txt", "b.txt"]
    listed = expand_paths([texts])
    (texts / "c.txt").symlink_to(tmp_path / "passwords.txt")
    with pytest.raises(TextSourceError, match=r"c\.txt is a link that leads out"):
        expand_paths([texts])
    (texts / "a.txt").unlink()
    (texts / "a.txt").symlink_to(tmp_path / "passwords.txt")
    with pytest.raises(TextSourceError, match="leads out"):
        list(read_blocks(listed[0]))

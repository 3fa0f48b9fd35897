"""What is exchanged between plan and import is not followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.errors import CorporaError, SourceError
from corpora.refresh.groups import run_group
from corpora.refresh.plan import RefreshRequest, plan_refresh
from corpora.refresh.stage import seal
from corpora.sources.opening import open_source
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
    for read in (source.read_bytes, source.local_path):
        with pytest.raises(SourceError, match="leads out of folder"):
            read("a.txt")


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

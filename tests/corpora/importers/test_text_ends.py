"""A transcript without a usable line costs its recording, with a reason; tables that contradict themselves are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.versions.shards import read_table
from demo.layouts import fisher, librispeech, switchboard, tedlium, tones

UTTERANCES = tones.utterances(speakers_per_split=2, each=2)
TEXTS = {
    "librispeech": (librispeech, "*.trans.txt"),
    "tedlium": (tedlium, "*.stm"),
    "fisher": (fisher, "fe_03_*.txt"),
    "switchboard": (switchboard, "*-trans.text"),
}


def imported(name: str, source: Path, store: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    said = refresh(RefreshRequest(name, (source,), store=store))
    return said, read_table(Path(said["path"]) / "rejections.parquet").to_pylist()


@pytest.mark.parametrize("name", TEXTS)
def test_an_empty_transcript_is_told(name: str, tmp_path: Path) -> None:
    layout, pattern = TEXTS[name]
    source = layout.write(tmp_path / "source", UTTERANCES).path
    whole, before = imported(name, source, tmp_path / "whole")
    text = sorted(source.rglob(pattern))[0]
    text.write_bytes(b"")
    said, rejections = imported(name, source, tmp_path / "hurt")
    assert said["items"]["accepted"] < whole["items"]["accepted"]
    assert any(text.name in row["source_path"] for row in rejections)
    assert len(rejections) > len(before)


@pytest.mark.parametrize("name", TEXTS)
def test_lines_that_end_with_cr_alone_are_read(name: str, tmp_path: Path) -> None:
    layout, pattern = TEXTS[name]
    source = layout.write(tmp_path / "source", UTTERANCES).path
    whole, _ = imported(name, source, tmp_path / "whole")
    for text in source.rglob(pattern):
        text.write_bytes(text.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r"))
    said, _ = imported(name, source, tmp_path / "cr")
    assert said["items"]["accepted"] == whole["items"]["accepted"]


@pytest.mark.parametrize("name", ["librispeech", "fisher"])
def test_a_text_cut_in_its_last_line_is_refused_where_the_others_end(name: str, tmp_path: Path) -> None:
    layout, pattern = TEXTS[name]
    source = layout.write(tmp_path / "source", UTTERANCES).path
    whole, _ = imported(name, source, tmp_path / "whole")
    texts = sorted(source.rglob(pattern))
    texts[0].write_bytes(texts[0].read_bytes().rstrip()[:-4])
    said, rejections = imported(name, source, tmp_path / "hurt")
    (cut,) = [row for row in rejections if row["check"] == "text_cut"]
    assert texts[0].name in cut["source_path"]
    assert "end it if it is whole" in cut["reason"]
    assert said["items"]["accepted"] == whole["items"]["accepted"] - 1
    for text in texts:
        text.write_bytes(text.read_bytes().rstrip())
    said, rejections = imported(name, source, tmp_path / "habit")
    assert "text_cut" not in said["rejected"]


def test_a_reader_of_both_sexes_and_a_call_of_two_callers_stay_unknown(tmp_path: Path) -> None:
    books = librispeech.write(tmp_path / "books", UTTERANCES).path
    (table,) = books.rglob("SPEAKERS.TXT")
    row = next(line for line in table.read_text().splitlines() if not line.startswith(";"))
    other = row.replace("| F |", "| X |").replace("| M |", "| F |").replace("| X |", "| M |")
    table.write_text(table.read_text().rstrip("\n") + f"\n{other}\n")
    said, _ = imported("librispeech", books, tmp_path / "store")
    assert any("both sexes" in note for note in said["notes"])
    calls = fisher.write(tmp_path / "calls", UTTERANCES).path
    data = sorted(calls.rglob("*calldata*"))[0]
    lines = data.read_text().splitlines()
    fields = lines[1].split(",")
    changed = [field[::-1] if len(field) > 3 and at > 1 else field for at, field in enumerate(fields)]
    data.write_text("\n".join([*lines, ",".join(changed)]) + "\n")
    said, _ = imported("fisher", calls, tmp_path / "store")
    assert any("twice with other callers" in note for note in said["notes"])

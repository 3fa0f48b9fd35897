"""The last net: an error that nobody foresaw costs one item, is counted, shown, and never ends an import."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from corpora.importers.librispeech import LibriSpeechImporter
from corpora.refresh import groups
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.report import write_corpus_report
from corpora.versions.shards import read_table
from demo.layouts import librispeech, tones
from store.errors import StoreError
from store.opening import open_store

UTTERANCES = tones.utterances(speakers_per_split=2, each=2)


def imported(folder: Path) -> dict[str, Any]:
    source = librispeech.write(folder / "source", UTTERANCES).path
    return refresh(RefreshRequest("librispeech", (source,), store=folder / "store"))


def broken(real: Any, error: Exception, word: str) -> Any:
    def cut(recording: Any, ref: Any) -> Any:
        if word in ref.member:
            raise error
        return real(recording, ref)

    return cut


def test_a_fault_in_one_item_costs_that_item_and_is_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = imported(tmp_path / "whole")
    first = read_table(sorted(Path(whole["path"]).glob("*/part-*.parquet"))[0])["source_path"][0].as_py()
    monkeypatch.setattr(groups, "cut", broken(groups.cut, ZeroDivisionError("half a sample"), first))
    said = imported(tmp_path / "hurt")
    assert (said["rejected"], said["items"]["accepted"]) == ({"fault": 1}, whole["items"]["accepted"] - 1)
    row = read_table(Path(said["path"]) / "rejections.parquet").to_pylist()[0]
    assert "ZeroDivisionError: half a sample" in row["reason"]
    assert row["line"] == 1
    store = open_store(tmp_path / "hurt" / "store")
    page = write_corpus_report(store, store.corpus("librispeech")).read_text()
    assert '<span class="fail">fault</span>' in page


def test_a_fault_in_an_importer_costs_its_unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(self: Any, source: Any, unit: Any) -> Any:
        raise RecursionError("too deep")
        yield

    whole = imported(tmp_path / "whole")
    real = LibriSpeechImporter.read
    bad = next(iter(whole["splits"]))
    monkeypatch.setattr(
        LibriSpeechImporter,
        "read",
        lambda self, source, unit: (
            read(self, source, unit) if unit.payload["part"].startswith(bad) else real(self, source, unit)
        ),
    )
    said = imported(tmp_path / "hurt")
    assert said["rejected"]["fault"] >= 1
    assert said["items"]["accepted"] == whole["items"]["accepted"] - whole["splits"][bad]["utterances"]


@pytest.mark.parametrize("error", [StoreError("no room"), OSError(errno.ENOSPC, "no space left")])
def test_what_the_machine_lacks_refuses_no_item(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(groups, "cut", broken(groups.cut, error, ""))
    with pytest.raises((StoreError, OSError), match="no "):
        imported(tmp_path)

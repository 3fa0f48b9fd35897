"""A folder of archives: what doctor knows is imported, prose is text, the rest is listed with its reason."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from corpora.errors import SourceError
from corpora.refresh.stage import refresh
from demo import real
from demo.chain import Chain
from demo.display import Display
from demo.layouts import librispeech, tones
from demo.orchestrator import Airflow, OrchestrationError
from store.opening import open_store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    librispeech.write(data / "readers", tones.utterances(speakers_per_split=1, each=2))
    with zipfile.ZipFile(data / "holiday.zip", "w") as packed:
        packed.writestr("beach.jpg", b"picture")
    (data / "novel.txt").write_text("It was a dark night.\n")
    with zipfile.ZipFile(data / "novels.zip", "w") as packed:
        packed.writestr("one.txt", "It was a bright morning.\n")
        packed.writestr("README.md", "where it is from")
    (data / "broken.tar.gz").write_bytes(b"")
    (data / ".hidden").mkdir()
    (data / "README.md").write_text("mine")
    return data


def test_every_entry_is_imported_text_or_listed(folder: Path, tmp_path: Path) -> None:
    found = real.find_sources(folder, tmp_path / "spill")
    assert [(source.name, source.importer) for source in found.sources] == [("librispeech", "librispeech")]
    assert [path.name for path in found.texts] == ["novel.txt", "novels.zip"]
    assert len(found.unnamed) == 2
    assert any("broken.tar.gz" in sentence and "0 bytes" in sentence for sentence in found.unnamed)
    assert any("holiday.zip" in sentence and "1 jpg" in sentence for sentence in found.unnamed)


def test_a_second_source_of_the_same_name_is_told(folder: Path, tmp_path: Path) -> None:
    librispeech.write(folder / "more", tones.utterances(speakers_per_split=1, each=1))
    found = real.find_sources(folder, tmp_path / "spill")
    assert [source.name for source in found.sources] == ["librispeech"]
    assert any("is there already" in sentence for sentence in found.unnamed)


def test_known_public_sets_bring_their_description(tmp_path: Path) -> None:
    assert real._donation_of(tmp_path / "fsdd.tar.gz", tmp_path) is not None
    assert real._donation_of(tmp_path / "radio.zip", tmp_path) is None
    (tmp_path / "radio.toml").write_text("")
    assert real._donation_of(tmp_path / "radio.zip", tmp_path) == tmp_path / "radio.toml"


def test_a_folder_without_an_archive_says_what_is_there(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no folder"):
        real.find_sources(tmp_path / "nowhere", tmp_path / "spill")
    with zipfile.ZipFile(tmp_path / "holiday.zip", "w") as packed:
        packed.writestr("beach.jpg", b"picture")
    with pytest.raises(
        SourceError, match=r"nothing in .* can be imported: holiday.zip: no importer knows it"
    ):
        real.find_sources(tmp_path, tmp_path / "spill")


def imported(folder: Path, tmp_path: Path) -> tuple[Any, real.Found]:
    found = real.find_sources(folder, tmp_path / "spill")
    for source in found.sources:
        refresh(source.request)
    return open_store(), found


def test_what_has_train_and_dev_is_trained(folder: Path, tmp_path: Path, store_root: Path) -> None:
    store, found = imported(folder, tmp_path)
    asked = real.prepare(store, found, [])
    assert (asked.headline_corpus, asked.headline_model) == ("librispeech", real.GENERAL_MODEL)
    assert "novels.zip" in store.settings_path.read_text()
    assert 'corpora = ["librispeech"]' in (store.root / "training.toml").read_text()


def test_alike_failures_are_one_sentence() -> None:
    failed = {"a": "no disk\n  log: 1", "b": "no disk\n  log: 2", "c": "no text"}
    assert real.failures(failed) == ["a, b: no disk\n  log: 1", "c: no text"]


def test_where_nothing_could_be_imported_the_run_fails(
    folder: Path, store_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def go(chain: Chain, settle: Callable[[], bool]) -> None:
        chain.failed = {source.name: "no disk" for source in chain.sources}
        settle()

    monkeypatch.setattr(real, "start_airflow", lambda *_: Airflow({"url": "http://127.0.0.1:1"}))
    monkeypatch.setattr(Chain, "go", go)
    with Display() as display, pytest.raises(OrchestrationError, match="could be imported; the reasons"):
        real.run(folder, open_store(store_root), folder, display)


def test_where_nothing_can_be_trained_nothing_is_asked_for(tmp_path: Path, store_root: Path) -> None:
    data = tmp_path / "data"
    written = librispeech.write(data / "readers", tones.utterances(speakers_per_split=1, each=1)).path
    for part in ("train-clean-100", "dev-clean"):
        (written / part).rename(tmp_path / part)
    store, found = imported(data, tmp_path)
    assert real.prepare(store, found, []).headline_corpus == ""
    assert not store.settings_path.exists()


def test_the_real_data_is_found(real_data: Path, tmp_path: Path) -> None:
    found = real.find_sources(real_data, tmp_path / "spill")
    names = {source.name for source in found.sources}
    assert {"librispeech", "common_voice", "ljspeech", "fsdd", "an4"} <= names
    assert "english_novels.tar.xz" in {path.name for path in found.texts}

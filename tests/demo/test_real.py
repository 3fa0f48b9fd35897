"""Where real archives are looked for, and what is said about those that are missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.errors import SourceError
from demo import real


def test_pieces_are_found_and_missing_ones_are_named(tmp_path: Path) -> None:
    (tmp_path / "LibriSpeech").mkdir()
    (tmp_path / "fsdd.tar.gz").write_bytes(b"archive")
    sources, missing = real.find_sources(tmp_path)
    assert [(source.name, source.importer) for source in sources] == [
        ("librispeech", "librispeech"),
        ("fsdd", "donated"),
    ]
    assert sources[1].donation is not None and sources[1].donation.is_file()
    assert [sentence.split(" ")[0] for sentence in missing] == [
        "common_voice",
        "ljspeech",
        "an4",
        "english_novels.tar.xz",
    ]


def test_without_the_digits_there_is_nothing_to_do(tmp_path: Path) -> None:
    (tmp_path / "LibriSpeech").mkdir()
    with pytest.raises(SourceError, match="nothing to train on"):
        real.find_sources(tmp_path)


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is no folder"):
        real.find_sources(tmp_path / "nowhere")


def test_the_real_data_is_complete(real_data: Path) -> None:
    sources, missing = real.find_sources(real_data)
    assert len(sources) == len(real.PIECES)
    assert missing == []

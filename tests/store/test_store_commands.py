"""`python -m store`: what lies there, also where a manifest is damaged, and whether the files are there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import librispeech, tones
from store.__main__ import main
from store.opening import open_store
from store.overview import report_path


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    source = librispeech.write(folder / "source", tones.utterances(speakers_per_split=1, each=2)).path
    refresh(RefreshRequest("librispeech", (source,), store=folder / "store"))
    broken = folder / "store/corpora/torn/v1"
    broken.mkdir(parents=True)
    (broken / "manifest.json").write_text("{")
    (broken.parent / "current").symlink_to("v1")
    return folder / "store"


def asked(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    status = main([*arguments, "--json"])
    return status, json.loads(capsys.readouterr().out)


def test_all_tables_are_told_and_a_damaged_manifest_hides_no_other(
    filled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, told = asked(capsys, "list", "--store", str(filled))
    assert status == 0
    rows = {row["name"]: row for row in told["corpora"]}
    assert rows["librispeech"]["utterances"] == 6
    assert "no readable JSON" in rows["torn"]["error"]
    assert told["language_models"] == told["runs"] == told["evaluations"] == []
    main(["list", "--store", str(filled)])
    text = capsys.readouterr().out
    assert "librispeech" in text and "runs: none yet" in text and "torn" in text


def test_a_shard_that_is_gone_is_found(filled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, told = asked(capsys, "check", "--store", str(filled))
    assert (status, set(told["wrong"])) == (3, {"torn"})
    shard = next((filled / "corpora/librispeech/current").glob("train/*.parquet"))
    data = shard.read_bytes()
    shard.unlink()
    try:
        status, told = asked(capsys, "check", "--store", str(filled))
    finally:
        shard.write_bytes(data)
    assert status == 3
    assert f"train/{shard.name} is missing" in told["wrong"]["librispeech"][0]


def test_odd_names_of_reports_are_no_reports(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports/round.html").symlink_to("round.html")
    for name in ("x" * 5000 + ".html", "round.html", "../settings.html", "a\0.html"):
        assert report_path(open_store(tmp_path), name) is None


@pytest.mark.parametrize(
    "manifest", ['{"name": NaN}', "[" * 9999, '{"order": 3, "ngrams": NaN}', "null", "3"]
)
def test_any_manifest_of_a_model_is_a_row(
    tmp_path: Path, manifest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "language_models/odd/current"
    folder.mkdir(parents=True)
    (folder / "manifest.json").write_text(manifest)
    status, told = asked(capsys, "list", "--store", str(tmp_path))
    assert status == 0 and told["language_models"][0]["name"] == "odd" and told["language_models"][0]["error"]


def test_an_empty_store_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--store", str(tmp_path)]) == 0
    assert "corpora: none yet" in capsys.readouterr().out

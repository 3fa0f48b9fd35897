"""The page of a made-up version is written and measured; what is kept is taken up again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.browsing import NAME
from benchmarks.pages.report import main


def test_the_page_of_a_made_up_version_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--rows", "400", "--keep", str(tmp_path)]) == 0
    figures = json.loads(capsys.readouterr().out)
    page = tmp_path / "reports/corpora" / f"{NAME}.html"
    assert figures["rows"] == 400 and figures["page_bytes"] == page.stat().st_size < 3_000_000
    text = page.read_text("utf-8")
    assert "refused" in text and '"title":"Duration"' in text
    made = next((tmp_path / "corpora" / NAME / "made").rglob("*.parquet")).stat().st_mtime_ns
    assert main(["--rows", "400", "--keep", str(tmp_path)]) == 0
    assert next((tmp_path / "corpora" / NAME / "made").rglob("*.parquet")).stat().st_mtime_ns == made

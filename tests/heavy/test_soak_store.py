"""A sample of the campaign over damaged stores."""

from __future__ import annotations

import pytest

from tests.heavy.soak_store import main


@pytest.mark.slow
def test_a_sample_of_damaged_stores(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "7", "--count", "8"]) == 0, capsys.readouterr().out

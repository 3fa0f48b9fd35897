"""A sample of the campaign over trainings that are killed, torn and starved of disk."""

from __future__ import annotations

import pytest

from tests.heavy.soak_training import main


@pytest.mark.slow
def test_a_sample_of_disturbed_trainings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "7", "--count", "5"]) == 0, capsys.readouterr().out

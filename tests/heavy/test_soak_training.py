"""A sample of the campaign over trainings that are killed, torn and starved of disk.

In a process of its own: the campaign forks, which a process that has used TensorFlow must not.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_a_sample_of_disturbed_trainings() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.heavy.soak_training", "--seed", "7", "--count", "3"],
        cwd=Path(__file__).resolve().parents[2], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr[-3000:]

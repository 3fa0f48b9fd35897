"""The benchmark of the feed prints the figures that others read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_it_prints_one_object_with_the_figures_of_its_contract() -> None:
    command = [sys.executable, "-m", "benchmarks.feed", "--hours", "0.02", "--no-step", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    assert found["hours"] == 0.02
    for name in ("real_time_per_cpu_s", "first_step_s", "peak_rss_mb", "resume_s"):
        assert found[name] > 0, name
    assert 0 <= found["padding"] < 1 and found["fed_hours"] > 0.015

"""Memory is kept between utterances, not asked for anew: counted in page faults of a child process."""

from __future__ import annotations

import subprocess
import sys

import pytest

CHILD = """
import resource
import numpy as np
from corpora.audio.memory import keep_memory
keep_memory()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(40):
    blocks = [np.ones(250_000, dtype=np.int64) for _ in range(4)]  # 2 MB each
    del blocks
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def _faults() -> int:
    done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator")
def test_freed_memory_is_used_again() -> None:
    pages = 4 * 2_000_000 // 4096
    assert _faults() < 4 * pages  # once or twice; by default it would be forty times

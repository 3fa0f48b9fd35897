"""A search over settings on a real Slurm: two nodes on this machine, trials as tasks of an array, watched.

    make slurm-demo

Starts Slurm's daemons for loopback only (root, package slurm-wlm; fake GPUs), publishes a tiny corpus of tones in a
store of its own, and hands four trials to `training tune --backend slurm`, three at a time. Prints the queue as it goes,
the trials, and the best configuration; everything is removed at the end.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from store.store import Store
from tests.training.conftest import publish_corpus, small_config, tone_clips
from tests.training.slurm_cluster import SlurmCluster, why_not
from training.network.config import config_text

_SEARCH = """[parameters]
"optimiser.learning_rate" = { low = 0.003, high = 0.03, log = true }
"model.n_hidden" = { choices = [8, 16] }
"""
_QUEUE = ["squeue", "--noheader", "--states=all", "--array", "--format=%.12i %.22j %.10T %.8M %N"]


def main() -> int:
    """Start, search, show, stop; 1 where Slurm cannot be started or the search failed."""
    reason = why_not()
    if reason:
        sys.stderr.write(f"make slurm-demo: {reason}\n")
        return 1
    with tempfile.TemporaryDirectory(prefix="slurm-demo-") as name, SlurmCluster(Path(name) / "slurm"):
        folder = Path(name)
        store = Store(folder / "store")
        publish_corpus(store, "tones", {"train": tone_clips(40, 1), "dev": tone_clips(6, 2, prefix="d")})
        (folder / "training.toml").write_text(config_text(small_config()), encoding="utf-8")
        (folder / "search.toml").write_text(_SEARCH, encoding="utf-8")
        settings = '[slurm]\noptions = ["--gres=gpu:titanxp:2", "--mem=1500", "--cpus-per-task=1"]\n'
        store.settings_path.write_text(settings, encoding="utf-8")
        command = [sys.executable, "-m", "training", "tune", "--config", str(folder / "training.toml")]
        command += ["--search", str(folder / "search.toml"), "--trials", "4", "--jobs", "3"]
        search = subprocess.Popen([*command, "--backend", "slurm", "--store", str(store.root)])
        shown = ""
        while search.poll() is None:
            queue = subprocess.run(_QUEUE, capture_output=True, text=True, check=False).stdout
            if queue != shown:
                sys.stdout.write(f"{queue}\n")
                sys.stdout.flush()
                shown = queue
            try:
                search.wait(timeout=2)
            except subprocess.TimeoutExpired:
                continue
        for path in sorted((store.root / "searches").glob("*/best.toml")):
            sys.stdout.write(f"best configuration:\n{path.read_text(encoding='utf-8')[:400]}…\n")
        return int(search.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())

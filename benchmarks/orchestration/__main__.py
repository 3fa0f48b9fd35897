"""What Airflow costs and what it stands, each part in an Airflow of its own in a temporary folder.

    python -m benchmarks.orchestration [start] [chain] [loop] [readers] [--refreshes 200] [--json]

`start`: seconds to a usable UI, memory at rest, a refresh beyond its own work. `chain`: the demo's chain beyond its own
work. `loop`: refreshes in a loop, and whether each task of each was executed once. `readers`: 100 at once for half a
minute. Without a name all four.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from benchmarks.orchestration import loop, readers, start
from benchmarks.orchestration.chain import chain_figures
from benchmarks.orchestration.own_airflow import OwnAirflow

PARTS = ("start", "chain", "loop", "readers")


def main(arguments: list[str] | None = None) -> int:
    """Measure and print; 1 where a task was lost or doubled, or a reader got an error."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("parts", nargs="*", metavar="|".join(PARTS))
    parser.add_argument("--refreshes", type=int, default=200, help="of the loop")
    parser.add_argument("--readers", type=int, default=100)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.parts) - set(PARTS))
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    figures = {part: _measured(part, options) for part in options.parts or PARTS}
    lines = [f"{part:8} {key:22} {value}" for part, found in figures.items() for key, value in found.items()]
    sys.stdout.write((json.dumps(figures, indent=1) if options.json else "\n".join(lines)) + "\n")
    return 1 if any(found.get("wrong") for found in figures.values()) else 0


def _measured(part: str, options: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix=f"bench-airflow-{part}-") as folder:
        own, before = OwnAirflow(Path(folder)), psutil.getloadavg()[0]
        if part == "start":
            found = start.start_figures(own)
        elif part == "chain":
            found = chain_figures(own)
        elif part == "loop":
            found = loop.loop_figures(own, options.refreshes)
        else:
            found = readers.reader_figures(own, options.readers)
    return {**found, "load_before": round(before, 1), "cores": psutil.cpu_count()}


if __name__ == "__main__":
    sys.exit(main())

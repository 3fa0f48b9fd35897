"""The driver behind `make demo`, `make real` and `make journey`.

    python -m demo [--seed 1]           archives spoken here → var/demo.json
    python -m demo real --data DIR      real archives        → var/real.json
    python -m demo journey --data DIR   real speech, figures → var/journey.json

Progress on standard error, the final table (with --json: the JSON object) on standard output. Exit status:
0 done, 1 a stage failed, 2 unusable input, 130 stopped.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from demo import real, results, spoken
from demo.display import Display
from demo.journey.run import PARTS, Journey, Limits, table
from store.console import configure_logging, run_command
from store.opening import open_store
from store.writing import read_json, write_json_atomic

_TABLE_WIDTH = 118  # where the output is no terminal


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and run; the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m demo", description="speechmill's whole chain in one command"
    )
    parser.add_argument("kind", nargs="?", choices=("demo", "real", "journey"), default="demo")
    parser.add_argument(
        "--seed", type=int, default=1, help="demo: seed of voices, texts and training (default 1)"
    )
    parser.add_argument("--data", type=Path, help="real, journey: the folder of the archives")
    parser.add_argument("--ocean", type=Path, help="journey: the folder of speechocean762")
    parser.add_argument("--outputs", type=Path, help="journey: outputs of a fixed network for speechocean762")
    parser.add_argument("--only", nargs="+", default=[*PARTS], choices=[*PARTS], help="journey: these parts")
    parser.add_argument(
        "--minutes", type=float, default=0.0, help="journey: stop trainings after (0 = never)"
    )
    parser.add_argument("--json", action="store_true", help="print the JSON object instead of the table")
    options = parser.parse_args(arguments)
    if options.kind != "demo" and options.data is None:
        parser.error(f"{options.kind}: name the folder of the archives with --data DIR")
    configure_logging(logging.WARNING)
    return run_command(lambda: _journey(options) if options.kind == "journey" else _go(options))


def _journey(options: argparse.Namespace) -> int:
    root = Path(os.environ.get("SPEECHMILL_ROOT") or Path(__file__).resolve().parents[1]).resolve()
    limits = Limits(tuple(options.only), options.minutes)
    journey = Journey(
        options.data.resolve(), open_store(), root / "var" / "journey", options.ocean, options.outputs, limits
    )
    journey.go()
    path = root / "var" / "journey.json"
    known = read_json(path) if path.exists() else {}
    result = {**known, **journey.found, "code_version": results.code_version(root)}
    write_json_atomic(path, result)
    lines = [json.dumps(result, sort_keys=True)] if options.json else [*table(journey.found), str(path)]
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


def _go(options: argparse.Namespace) -> int:
    root = Path(os.environ.get("SPEECHMILL_ROOT") or Path(__file__).resolve().parents[1]).resolve()
    store = open_store()
    started, began_s = datetime.now(UTC), time.monotonic()
    with Display() as display:
        if options.kind == "real":
            airflow, asked = real.run(root, store, options.data.resolve(), display)
        else:
            airflow, asked = spoken.run(root, store, options.seed, display)
    facts = {
        "code_version": results.code_version(root),
        "started": started.isoformat(timespec="seconds"),
        "seconds": {**display.seconds, "total": round(time.monotonic() - began_s, 1)},
    }
    result = {**results.collect(store, asked), **facts}
    path = root / "var" / f"{options.kind}.json"
    write_json_atomic(path, result)
    if options.json:
        sys.stdout.write(json.dumps(result, sort_keys=True) + "\n")
    else:
        console = Console(highlight=False)
        wide = console if console.is_terminal else Console(highlight=False, width=_TABLE_WIDTH)
        wide.print(results.table(result))
        wide.print(f"{result['seconds']['total']:.0f} s in all; the same figures: {path}", soft_wrap=True)
        wide.print(results.where_to_look(airflow.status), markup=False, soft_wrap=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

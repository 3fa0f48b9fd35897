"""`make collect-demo`: the loop of collecting, from an empty folder to a retrained network, with its figures.

python -m demo.collecting [--seed 1] [--folder var/collect-demo] [--windows 4] [--takes 500]
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import sys
from pathlib import Path

from demo.collecting.loop import TAKES, Loop, lines_of
from store import checkout_root
from store.console import configure_logging, run_command


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and run; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m demo.collecting", description="collecting, measured")
    parser.add_argument("--seed", type=int, default=1, help="of voices, texts, takes and training")
    parser.add_argument("--folder", type=Path, help="where everything is made; default var/collect-demo")
    parser.add_argument("--windows", type=int, default=4, help="browsers at once")
    parser.add_argument("--takes", type=int, default=TAKES, help="in all; a multiple of 20")
    parser.add_argument("--json", action="store_true", help="print the JSON object instead of the table")
    options = parser.parse_args(arguments)
    configure_logging(logging.WARNING)
    return run_command(lambda: _go(options))


def _go(options: argparse.Namespace) -> int:
    folder = (options.folder or checkout_root() / "var" / "collect-demo").absolute()
    shutil.rmtree(
        folder / "collect", ignore_errors=True
    )  # the campaign begins anew; base corpus and runs stay

    def say(text: str) -> None:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()

    result = Loop(folder, options.seed, options.windows, options.takes, say).go()
    told = json.dumps(result, sort_keys=True) if options.json else "\n".join(lines_of(result))
    sys.stdout.write(f"{told}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Our flow as a program: LAYOUT WORKERS SOURCE FOLDER. The command line's own entry, nothing prepared."""

import sys

from corpora.__main__ import main

if __name__ == "__main__":
    layout, workers, source, folder = sys.argv[1:]
    sys.exit(main(["refresh", layout, "--source", source, "--workers", workers, "--store", folder, "--json"]))

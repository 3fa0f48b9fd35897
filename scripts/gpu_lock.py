"""Of a lock with CUDA keep what requirements.lock does not have: requirements-gpu.lock. Resolves nothing itself."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HEAD = (
    "# What make setup GPU=1 puts in the place of tensorflow-cpu; NVIDIA's libraries have NVIDIA's licence. "
    "Made by make lock.\n"
)


def entries(text: str) -> dict[str, str]:
    """Package name to its lines, comments left out."""
    found: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        begins = re.match(r"([\w.-]+)(\[.*\])?==", line)
        if begins:
            name = begins.group(1)
            found[name] = ""
        if name and line.strip() and not line.lstrip().startswith("#"):
            found[name] += f"{line}\n"
    return found


def main() -> None:
    """Write requirements-gpu.lock."""
    known = entries(Path("requirements.lock").read_text(encoding="utf-8"))
    with_cuda = entries(Path(sys.argv[1]).read_text(encoding="utf-8"))
    own = [text for name, text in sorted(with_cuda.items()) if name not in known]
    Path("requirements-gpu.lock").write_text(HEAD + "".join(own), encoding="utf-8")


if __name__ == "__main__":
    main()

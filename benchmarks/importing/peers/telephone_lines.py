"""What the telephone layouts say was spoken when: (side, start s, end s, text) of a call's utterances."""

import re
from pathlib import Path


def lines_of(layout: str, call: str, source: Path) -> list[tuple[int, float, float, str]]:
    """The utterances of a call, in the order of its transcripts. `layout`: fisher or switchboard."""
    return _fisher(call, source) if layout == "fisher" else _switchboard(call, source)


def _fisher(call: str, source: Path) -> list[tuple[int, float, float, str]]:
    (path,) = source.rglob(f"{call}.txt")
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        match = re.match(r"(\S+) (\S+) ([AB]): (.*)", line)
        if match:
            found.append(("AB".index(match[3]), float(match[1]), float(match[2]), match[4]))
    return found


def _switchboard(call: str, source: Path) -> list[tuple[int, float, float, str]]:
    found = []
    for path in sorted(source.rglob(f"sw{call[-4:]}*-ms98-a-trans.text")):
        side = "AB".index(path.name[6])
        for line in path.read_text(encoding="utf-8").splitlines():
            _, start, end, text = line.split(" ", 3)
            if "[" not in text:
                found.append((side, float(start), float(end), text))
    return found

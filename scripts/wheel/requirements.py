"""The wheel's extras, as requirements.in names them: a heading `# [train] [transcribe] …` begins the extra `train`, which
brings `transcribe` along. Packages below a heading without brackets are for building and checking only.
"""

from __future__ import annotations

import re
from pathlib import Path

NAME = "speechmill"
_IMPORTED_AS = {
    "apache-airflow": "airflow",
    "apache-airflow-providers-standard": "airflow",
    "argon2-cffi": "argon2",
    "psycopg2-binary": "psycopg2",
    "tensorflow-cpu": "tensorflow",
    "webvtt-py": "webvtt",
}  # packages that are imported by another name than their own
_HEADING = re.compile(r"^#((?: \[[a-z]+\])+)")


def extras(requirements: Path) -> dict[str, list[str]]:
    """What each extra requires, in the file's order; `all` is all of them."""
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in requirements.read_text(encoding="utf-8").splitlines():
        if heading := _HEADING.match(line):
            first, *others = re.findall(r"\[([a-z]+)\]", heading[1])
            current = found[first] = [f"{NAME}[{','.join(others)}]"] if others else []
        elif line.startswith("#") or not line.strip():
            current = None if line.startswith("# ") and not line.startswith("# [") else current
        elif current is not None:
            current.append(line.partition("#")[0].strip())
    found["all"] = [f"{NAME}[{','.join(sorted(found))}]"]
    return found


def base(requirements: Path) -> list[str]:
    """What the wheel itself requires: the packages below the heading `# base of the wheel`."""
    text = requirements.read_text(encoding="utf-8")
    return text.partition("# base of the wheel\n")[2].partition("\n\n")[0].split("\n")


def modules(requirements: Path) -> dict[str, str]:
    """Top-level import names of what the extras require → the extra that brings them."""
    found: dict[str, str] = {}
    for extra, required in extras(requirements).items():
        for requirement in required:
            package = re.split(r"[=<>\[ ]", requirement)[0].lower()
            if package != NAME:
                found[_IMPORTED_AS.get(package, package.replace("-", "_"))] = extra
    return dict(sorted(found.items()))

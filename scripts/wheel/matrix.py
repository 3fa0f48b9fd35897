"""The wheel for every CPython that setup.cfg names: built, installed in an environment of its own, used.

    make wheel-matrix        which is: python -m scripts.wheel.matrix

Interpreters are looked for as python3.N on PATH, in pyenv's and in uv's folders; a version that is nowhere is named as
missing and is no failure. What smoke.py prints must be the same everywhere. The wheels stay in dist/.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from scripts.wheel import pack

ROOT = pack.ROOT


def main() -> int:
    """Prints a line for each version and returns how many of those found failed."""
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    answers: dict[str, str] = {}
    failed = 0
    for version in versions():
        python = find(version)
        if python is None:
            print(f"{version:8}missing: no python{version} with its headers on this machine", flush=True)
            continue
        answer, failure = tried(python)
        failed += bool(failure)
        answers.update({} if failure else {version: answer})
        print(f"{version:8}{failure or 'built, installed, used'}  ({python})", flush=True)
    if len(set(answers.values())) > 1:
        print(f"they do not agree:\n{json.dumps(answers, indent=1)}")
        failed += 1
    return failed


def versions() -> list[str]:
    """The versions that setup.cfg's python_requires allows, as `3.10`."""
    said = re.search(
        r"python_requires = >=3\.(\d+),<3\.(\d+)", (ROOT / "setup.cfg").read_text(encoding="utf-8")
    )
    assert said is not None, "setup.cfg's python_requires is not of the form >=3.A,<3.B"
    return [f"3.{minor}" for minor in range(int(said[1]), int(said[2]))]


def find(version: str) -> Path | None:
    """An interpreter of that version with the headers to build for it; None where there is none."""
    on_path = shutil.which(f"python{version}")
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    uv = Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    found = [Path(on_path)] if on_path else []
    found += sorted(pyenv.glob(f"{version}.*/bin/python{version}"))
    found += sorted(uv.glob(f"cpython-{version}.*/bin/python{version}"))
    return next((python for python in found if _fits(python, version)), None)


def _fits(python: Path, version: str) -> bool:
    code = "import sys, sysconfig; print('%d.%d' % sys.version_info[:2], sysconfig.get_path('include'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode:  # a shim of pyenv's for a version that is not switched on
        return False
    said, _, include = done.stdout.strip().partition(" ")
    return said == version and (Path(include) / "Python.h").is_file()


def tried(python: Path) -> tuple[str, str]:
    """Builds, installs and uses the wheel for an interpreter: what smoke.py printed, and why it failed (or nothing)."""
    built = subprocess.run(
        [ROOT / "scripts/wheel/make.sh"],
        cwd=ROOT, check=False, capture_output=True, text=True, env={**os.environ, "ARCH": "x86_64", "PYTHONS": str(python)},
    )  # fmt: skip
    if built.returncode:
        return "", f"not built: {built.stderr.strip()[-2000:]}"
    wheel = built.stdout.strip().rsplit("\n", 1)[-1]
    with tempfile.TemporaryDirectory() as folder:
        return used(python, wheel, Path(folder))


def used(python: Path, wheel: str, folder: Path) -> tuple[str, str]:
    """Installs a wheel (or a folder of sources, or a source distribution) with pip into a fresh environment and uses it."""
    own = folder / "env" / "bin" / "python"
    (folder / "work").mkdir()
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("PYTHON", "SPEECHMILL", "VIRTUAL_ENV"))
    }
    commands: tuple[list[str | Path], ...] = (
        [python, "-m", "venv", folder / "env"],
        [own, "-I", "-m", "pip", "install", "-q", wheel],
        [own, "-I", ROOT / "scripts" / "wheel" / "smoke.py", folder / "work"],
    )
    for command in commands:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=kept)
        if done.returncode:
            return "", f"{' '.join(map(str, command[1:4]))}: {(done.stdout + done.stderr).strip()[-2000:]}"
    return done.stdout.strip(), ""


if __name__ == "__main__":
    sys.exit(main())

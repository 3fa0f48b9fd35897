"""The build backend that pyproject.toml names: `pip install .` gives what `make wheel` gives, for this machine alone.

The same steps as for a wheel (native.sh, pack.py), with the interpreter that pip runs. KenLM's sources are those of
set-up, those that a source distribution carries, or the package of scripts/kenlm.lock, fetched through pip. A wheel made
here is tagged for this machine's Linux: auditwheel is asked only by `make wheel`, whose wheels travel.
"""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from scripts.wheel import pack

ROOT = pack.ROOT
_LOCK = ROOT / "scripts" / "kenlm.lock"
_LIBRARIES = Path("/usr/lib/x86_64-linux-gnu")
_NEEDED = {
    "libz.a": "zlib1g-dev",
    "liblzma.a": "liblzma-dev",
    "libboost_program_options.a": "libboost-program-options-dev",
    "libboost_system.a": "libboost-system-dev",
    "libboost_thread.a": "libboost-thread-dev",
    "libboost_unit_test_framework.a": "libboost-test-dev",  # KenLM's build asks for it, whether it tests or not
}
_IN_SDIST = (
    *("native", *pack.ROOMS, "scripts/wheel", "scripts/kenlm.lock", "pyproject.toml", "setup.cfg"),
    *("requirements.in", "README.md", "LICENSE", "NOTICE"),
)
_Settings = dict[str, object] | None


def get_requires_for_build_wheel(config_settings: _Settings = None) -> list[str]:
    """The build tools that are not installed: of PyPI they come as wheels."""
    return [tool for tool in ("cmake", "ninja") if shutil.which(tool) is None]


def build_wheel(
    wheel_directory: str, config_settings: _Settings = None, metadata_directory: str | None = None
) -> str:
    """Builds the wheel for the running interpreter and returns its file's name. Ends the program with one sentence where
    this machine lacks something."""
    _check_machine()
    os.environ["KENLM_SOURCE"] = str(_kenlm_source())
    done = subprocess.run([ROOT / "scripts/wheel/native.sh", "x86_64", sys.executable], check=False)
    if done.returncode:
        sys.exit("speechmill: the C++ part was not built; the lines above say why")
    stage = pack.put_together(pack.Target("x86_64", sys.executable), everywhere=False)
    wheel = pack.build(stage, pack.Target("x86_64", sys.executable))
    shutil.move(wheel, Path(wheel_directory) / wheel.name)
    return wheel.name


def build_sdist(sdist_directory: str, config_settings: _Settings = None) -> str:
    """Packs the sources of the wheel, KenLM's among them, so that it builds without a checkout; same sources, same bytes."""
    said = pack.metadata()
    name = f"{said['name']}-{said['version']}"
    target = Path(sdist_directory) / f"{name}.tar.gz"
    with (
        target.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=int(pack.EPOCH)) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        for path in _sources():
            archive.add(path, f"{name}/{path.relative_to(ROOT)}", filter=_plain)
        archive.add(_kenlm_archive(), f"{name}/{_kenlm_name()}", filter=_plain)
        archive.add(pack.package_information(), f"{name}/PKG-INFO", filter=_plain)
    return target.name


def _plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = int(pack.EPOCH), 0, 0, "", ""
    entry.mode = 0o755 if entry.mode & 0o100 else 0o644
    return entry


def _sources() -> list[Path]:
    """The files of the wheel's parts: those that git keeps, or in an unpacked source distribution all."""
    kept = subprocess.run(
        ["git", "ls-files", "-z", *_IN_SDIST], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if (ROOT / ".git").exists() and not kept.returncode:
        return sorted(ROOT / name for name in kept.stdout.split("\0") if name and (ROOT / name).is_file())
    found = [path for top in _IN_SDIST for path in (ROOT / top, *(ROOT / top).rglob("*"))]
    return sorted(path for path in found if path.is_file() and "__pycache__" not in path.parts)


def _check_machine() -> None:
    """Ends the program where it cannot be built, before anything is."""
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        sys.exit(
            "speechmill: it is built on Linux x86-64; `make wheel ARCH=aarch64` there makes a wheel for aarch64"
        )
    missing = [] if shutil.which("c++") else ["g++"]
    include = Path(pack.ask(sys.executable, "sysconfig.get_path('include')"))
    if not (include / "Python.h").is_file():
        missing.append("python3-dev")
    missing += [package for file, package in _NEEDED.items() if not (_LIBRARIES / file).is_file()]
    if missing:
        sys.exit(
            "speechmill: building it needs what is not installed here (on Debian, Ubuntu and their like: apt-get install -y "
            f"{' '.join(missing)})"
        )


def _kenlm_name() -> str:
    version = re.match(r"kenlm==([0-9.]+)", _LOCK.read_text(encoding="utf-8"))
    assert version is not None
    return f"kenlm-{version[1]}.tar.gz"


def _kenlm_archive() -> Path:
    """KenLM's source package: of this source distribution, of set-up, or fetched through pip and checked by its hash."""
    name = _kenlm_name()
    places = [ROOT, ROOT / "build" / "kenlm-download", ROOT / "build" / "wheel" / "kenlm"]
    for folder in places:
        if (folder / name).is_file():
            return folder / name
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        "kenlm",
        "--require-hashes",
    ]
    done = subprocess.run(
        [*command, "--no-build-isolation", "-r", str(_LOCK), "-d", str(places[-1])],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode or not (places[-1] / name).is_file():
        sys.stderr.write(done.stderr)
        sys.exit(
            f"speechmill: KenLM's sources ({name}) are not here and pip could not fetch them: run `make setup`, or unpack "
            "them and name the folder by KENLM_SOURCE"
        )
    return places[-1] / name


def _kenlm_source() -> Path:
    """The folder of KenLM's sources."""
    for folder in (os.environ.get("KENLM_SOURCE"), ROOT / "build" / "kenlm" / "src"):
        if folder and (Path(folder) / "lm" / "model.hh").is_file():
            return Path(folder).absolute()
    folder = ROOT / "build" / "wheel" / "kenlm" / "src"
    if not (folder / "lm" / "model.hh").is_file():
        with tarfile.open(_kenlm_archive()) as archive:
            for entry in archive.getmembers():
                entry.name = entry.name.partition("/")[2]
                if entry.name and entry.isreg():
                    archive.extract(entry, folder)
    return folder

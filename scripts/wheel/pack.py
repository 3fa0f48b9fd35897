"""Packs a wheel: the face of `native/` under the name speechmill, the rooms inside it, KenLM's programs, the licences.

    python -m scripts.wheel.pack --arch x86_64 --python python3.11

What scripts/wheel/native.sh built for that processor and Python is put together in build/wheel/ARCH/stage, made into a
wheel by setuptools with setup.cfg's metadata and requirements.in's extras, and tagged by auditwheel with the oldest Linux
whose C library has all it needs. Same sources, same compiler: same bytes. The wheel lands in dist/.
"""

from __future__ import annotations

import argparse
import configparser
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.wheel import requirements

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("store", "corpora", "lm", "scoring", "training", "collect")
EPOCH = "315619200"  # 1980-01-02: the oldest day a zip can hold in every time zone
_KEPT = {".py", ".pyi", ".typed", ".txt", ".toml", ".html", ".css", ".js", ".svg", ".mako"}
_SYSTEM_LICENCES = {
    "boost": "libboost1.74-dev",
    "xz": "liblzma-dev",
    "zlib": "zlib1g-dev",
    "gcc-runtime": "libstdc++6",
}
_SETUP = """from setuptools import Distribution, setup


class Binary(Distribution):
    def has_ext_modules(self):
        return True


setup(distclass=Binary)
"""


@dataclass(frozen=True)
class Target:
    """What a wheel is for: a processor (`x86_64`, `aarch64`) and the path of an interpreter of this machine."""

    arch: str
    python: str

    @property
    def folder(self) -> Path:
        """Where native.sh left what it built, and where the wheel is put together."""
        return ROOT / "build" / "wheel" / self.arch


def main() -> int:
    """Makes one wheel and prints its path."""
    parser = argparse.ArgumentParser(description="Pack a wheel of what native.sh built.")
    parser.add_argument("--arch", default="x86_64", choices=("x86_64", "aarch64"))
    parser.add_argument("--python", default=sys.executable, help="the interpreter that it is for")
    target = Target(**vars(parser.parse_args()))
    print(_tagged(build(put_together(target), target), target.arch))
    return 0


def put_together(target: Target, everywhere: bool = True) -> Path:
    """The folder that setuptools makes the wheel of.

    Args:
        everywhere: the wheel leaves this machine, so the licences of all that is linked in must be found.

    Raises:
        OSError: something was not built, or a licence is missing.
    """
    stage = target.folder / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    suffix = ask(target.python, "sysconfig.get_config_var('EXT_SUFFIX')").replace("x86_64", target.arch)
    _put_package(stage / "speechmill", target.folder, suffix)
    _put_licences(stage / "licences", everywhere)
    _put_description(stage)
    return stage


def metadata() -> dict[str, str]:
    """Name, version and what else setup.cfg says of the package."""
    said = configparser.ConfigParser()
    said.read(ROOT / "setup.cfg", encoding="utf-8")
    return dict(said["metadata"])


def package_information() -> Path:
    """The file PKG-INFO of a source distribution: the metadata that the wheel will have."""
    stage = ROOT / "build" / "wheel" / "sdist"
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    _put_description(stage)
    done = subprocess.run(
        [sys.executable, "setup.py", "-q", "egg_info"], cwd=stage, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"wheel: setuptools failed:\n{done.stdout}{done.stderr}")
    return stage / "speechmill.egg-info" / "PKG-INFO"


def ask(python: str, expression: str) -> str:
    """What an expression over sys and sysconfig is in that interpreter."""
    code = f"import sys, sysconfig; print({expression})"
    return subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def _put_package(package: Path, built: Path, suffix: str) -> None:
    _copy(ROOT / "native", package, lambda path: path.suffix in {".py", ".pyi", ".typed"})
    for room in ROOMS:
        _copy(ROOT / room, package / "rooms" / room, lambda path: path.suffix in _KEPT)
    (package / "rooms" / "native").mkdir()
    shutil.copy(ROOT / "scripts" / "wheel" / "native_alias.py", package / "rooms" / "native" / "__init__.py")
    shutil.copy(built / "native" / "python" / f"_core{suffix}", package)
    (package / "bin").mkdir()
    for program in ("kenlm/bin/lmplz", "kenlm/bin/build_binary", "native/speechmill-decode"):
        shutil.copy(built / program, package / "bin")
    extras = json.dumps(requirements.modules(ROOT / "requirements.in"), indent=1)
    (package / "extras.json").write_text(extras, encoding="utf-8")


def _copy(source: Path, target: Path, wanted: object) -> None:
    for path in sorted(source.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts and callable(wanted) and wanted(path):
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def _put_licences(folder: Path, everywhere: bool) -> None:
    """Ours, KenLM's in full, and those of what is linked in; the system says its own in Debian's way."""
    folder.mkdir(parents=True)
    for name in ("LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, folder)
    source = Path(os.environ.get("KENLM_SOURCE") or ROOT / "build" / "kenlm" / "src")
    for name in ("LICENSE", "COPYING", "COPYING.3", "COPYING.LESSER.3"):
        shutil.copy(source / name, folder / f"KenLM-{name}")
    for name, package in _SYSTEM_LICENCES.items():
        said = Path("/usr/share/doc") / package / "copyright"
        if everywhere or said.is_file():
            shutil.copy(said, folder / f"{name}-copyright")


def _put_description(stage: Path) -> None:
    said = configparser.ConfigParser()
    said.read(ROOT / "setup.cfg", encoding="utf-8")
    description = configparser.ConfigParser()
    description["metadata"] = metadata()
    description["metadata"]["license_files"] = "licences/*"
    listed = ROOT / "requirements.in"
    description["options"] = {
        "python_requires": said["options"]["python_requires"],
        "install_requires": "\n" + "\n".join(requirements.base(listed)),
        "packages": "find_namespace:",
        "zip_safe": "false",
    }
    description["options.packages.find"] = {"include": "speechmill*"}
    description["options.package_data"] = {"*": "\n*"}
    extras = requirements.extras(listed)
    description["options.extras_require"] = {
        name: "\n" + "\n".join(required) for name, required in extras.items()
    }
    description["options.entry_points"] = {"console_scripts": "\nspeechmill = speechmill.command:main"}
    with (stage / "setup.cfg").open("w", encoding="utf-8") as stream:
        description.write(stream)
    (stage / "setup.py").write_text(_SETUP, encoding="utf-8")
    shutil.copy(ROOT / "README.md", stage)


def build(stage: Path, target: Target) -> Path:
    """Makes the wheel, tagged for Linux as such. Raises SystemExit: setuptools failed."""
    tag = "cp" + ask(target.python, "'%d%d' % sys.version_info[:2]")
    raw = stage.parent / "raw"
    shutil.rmtree(raw, ignore_errors=True)
    command = [sys.executable, "setup.py", "-q", "bdist_wheel", "--dist-dir", str(raw)]
    command += ["--plat-name", f"linux_{target.arch}"]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    done = subprocess.run(command, cwd=stage, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"wheel: setuptools failed:\n{done.stdout}{done.stderr}")
    (wheel,) = raw.glob("*.whl")
    # setuptools names the Python that it runs in itself, and that one's ABI.
    own = f"cp{sys.version_info.major}{sys.version_info.minor}"
    if own != tag:
        wheel = _retagged(wheel, ["--python-tag", tag, "--abi-tag", tag])
    return wheel


def _retagged(wheel: Path, tags: list[str]) -> Path:
    command = [sys.executable, "-m", "wheel", "tags", "--remove", *tags, str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"wheel: tagging failed:\n{done.stderr}")
    return wheel.parent / done.stdout.strip().rsplit("\n", 1)[-1]


def _tagged(wheel: Path, arch: str) -> Path:
    """The wheel in dist/ with auditwheel's tag; older wheels of the same Python and processor go."""
    command = [sys.executable, "-m", "auditwheel", "show", "--json", str(wheel)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    tags = re.findall(rf"manylinux_2_\d+_{arch}", done.stdout)
    if done.returncode or not tags:
        raise SystemExit(
            f"wheel: auditwheel says that {wheel.name} fits no Linux:\n{done.stdout}{done.stderr}"
        )
    made = _retagged(wheel, ["--platform-tag", tags[0]])
    dist = ROOT / "dist"
    dist.mkdir(exist_ok=True)
    python = "-".join(made.name.split("-")[2:4])
    for old in dist.glob(f"*-{python}-*{arch}.whl"):
        old.unlink()
    return Path(shutil.move(made, dist / made.name))


if __name__ == "__main__":
    sys.exit(main())

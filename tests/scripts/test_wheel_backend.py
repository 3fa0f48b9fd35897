"""What pip asks of the build backend, short of compiling, and where interpreters are looked for."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from scripts.wheel import backend, matrix

ROOT = Path(__file__).resolve().parents[2]


def test_the_source_distribution_holds_what_a_wheel_is_made_of(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        name = backend.build_sdist(str(tmp_path / folder))
    packed = (tmp_path / "one" / name).read_bytes()
    assert packed == (tmp_path / "two" / name).read_bytes()
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        names = archive.getnames()
        told = archive.extractfile(f"{name.removesuffix('.tar.gz')}/PKG-INFO")
        assert told is not None
        said = told.read().decode()
    top = name.removesuffix(".tar.gz")
    for wanted in (
        "pyproject.toml",
        "setup.cfg",
        "native/CMakeLists.txt",
        "scripts/wheel/native.sh",
        "lm/build.py",
    ):
        assert f"{top}/{wanted}" in names, wanted
    assert any(re.fullmatch(rf"{top}/kenlm-[0-9.]+\.tar\.gz", one) for one in names)
    assert not any("__pycache__" in one or one.startswith(f"{top}/tests") for one in names)
    assert said.startswith("Metadata-Version: 2") and "\nRequires-Dist: numpy>=1.22\n" in said
    assert 'extra == "corpora"' in said


def test_an_unpacked_source_distribution_finds_its_own_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = backend.build_sdist(str(tmp_path))
    with tarfile.open(tmp_path / name) as archive:
        archive.extractall(tmp_path)
    unpacked = tmp_path / name.removesuffix(".tar.gz")
    own = {path.relative_to(ROOT) for path in backend._sources()}
    monkeypatch.setattr(backend, "ROOT", unpacked)
    monkeypatch.delenv("KENLM_SOURCE", raising=False)
    assert {path.relative_to(unpacked) for path in backend._sources()} == own
    assert (backend._kenlm_source() / "lm" / "model.hh").is_file()


def test_a_missing_compiler_is_named_with_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit, match=r"needs what is not installed here .*apt-get install -y g\+\+\)"):
        backend._check_machine()
    assert backend.get_requires_for_build_wheel() == ["cmake", "ninja"]
    monkeypatch.setattr(backend.platform, "machine", lambda: "riscv64")
    with pytest.raises(SystemExit, match="built on Linux x86-64"):
        backend._check_machine()


def test_missing_sources_of_kenlm_end_with_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backend, "ROOT", tmp_path)
    monkeypatch.setenv("KENLM_SOURCE", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(
        SystemExit, match="run `make setup`, or unpack them and name the folder by KENLM_SOURCE"
    ):
        backend._kenlm_source()


def test_interpreters_are_found_and_the_others_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert matrix.versions() == ["3.10", "3.11", "3.12", "3.13", "3.14"]
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    shim = tmp_path / f"python{running}"
    shim.write_text("#!/bin/sh\nexit 127\n", encoding="utf-8")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "none"))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path / "pyenv"))
    assert matrix.find(running) is None
    installed = tmp_path / "pyenv" / "versions" / f"{running}.99" / "bin"
    installed.mkdir(parents=True)
    (installed / f"python{running}").symlink_to(sys.executable)
    found = matrix.find(running)
    assert found is not None and subprocess.run([found, "-c", ""], check=False).returncode == 0
    assert matrix.find("3.9") is None

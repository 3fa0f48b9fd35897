"""A checkout without the built library: what needs it ends in one sentence, what does not runs, importing is cheap."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SENTENCE = "the native library is not built: run `make setup`"
PACKAGES = ("native", "store", "corpora", "lm", "scoring", "training")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages alone, as a fresh clone has them."""
    root = tmp_path_factory.mktemp("clone")
    for name in PACKAGES:
        shutil.copytree(
            ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "src", "tests")
        )
    (root / "text.txt").write_text("a b a\nb a\n", encoding="utf-8")
    return root


def run(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SPEECHMILL_")}
    environment |= {"PYTHONPATH": str(checkout), "SPEECHMILL_STORE": str(checkout / "store-of-test")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "lm", "build", "--text", "text.txt", "--out", "model"),
        ("-m", "lm", "alphabet", "alphabet.txt", "--text", "text.txt"),
        ("-m", "corpora", "doctor", "text.txt"),
        ("-m", "corpora", "refresh", "librispeech", "--source", "text.txt"),
        ("-m", "training", "run", "--config", "training/config.example.toml"),
    ],
)
def test_a_command_needs_the_library_and_says_so_or_something_truer(
    arguments: tuple[str, ...], checkout: Path
) -> None:
    done = run(checkout, *arguments)
    assert done.returncode != 0 and "Traceback" not in done.stderr, done.stderr
    assert done.stderr.strip().count("\n") == 0, done.stderr


def test_what_needs_the_library_ends_in_the_sentence(checkout: Path) -> None:
    done = run(checkout, "-m", "lm", "build", "--text", "text.txt", "--out", "model")
    assert SENTENCE in done.stderr and done.returncode == 1, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("-m", "corpora", "list"),
        ("-m", "training", "status"),
        ("-m", "corpora", "--help"),
        ("-m", "lm", "--help"),
        ("-m", "training", "--help"),
        ("-c", "import native; from native import Alphabet, flac; assert not isinstance(3, Alphabet)"),
    ],
)
def test_what_needs_only_files_of_text_runs(arguments: tuple[str, ...], checkout: Path) -> None:
    done = run(checkout, *arguments)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "use",
    [
        "native.Alphabet(['a'])",
        "native.Alphabet.load('x')",
        "native.decode()",
        "native.KENLM_MAX_ORDER",
        "native.flac.ENCODER_VERSION",
        "native.flac.decode(b'')",
        "native.sphere.info(b'')",
    ],
)
def test_every_use_raises_the_one_error(use: str, checkout: Path) -> None:
    done = run(
        checkout,
        "-c",
        f"import native\ntry:\n    {use}\nexcept native.NotBuiltError as error:\n    print(error)",
    )
    assert done.stdout.strip() == SENTENCE, done.stderr


def test_a_library_of_another_python_is_named(checkout: Path) -> None:
    folder = checkout / "build" / "native" / "python"
    folder.mkdir(parents=True)
    file = folder / "_core.so"
    try:
        file.write_bytes(b"not a library")
        done = run(
            checkout,
            "-c",
            "import native\ntry:\n    native.decode\nexcept native.NotBuiltError as e:\n    print(e)",
        )
    finally:
        file.unlink()
    assert "cannot be loaded: run `make setup`" in done.stdout, done.stderr


def test_importing_loads_neither_the_library_nor_numpy() -> None:
    seen = "import sys, native; print(sorted({'native._core', 'numpy'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", seen], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there_and_is_the_librarys() -> None:
    import native
    from native import _core

    for name in native.__all__:
        value = getattr(native, name)
        if hasattr(_core, name):
            assert value is getattr(_core, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = native.nothing  # type: ignore[attr-defined]

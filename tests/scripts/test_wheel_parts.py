"""What the wheel is put together from, with the checkout's own build in the place of the wheel's."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from importlib import metadata
from pathlib import Path

import pytest

import native
from scripts.wheel import pack, requirements

ROOT = Path(__file__).resolve().parents[2]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as site-packages has it after the wheel is installed."""
    built = tmp_path_factory.mktemp("built")
    for folder in ("native/python", "kenlm/bin"):
        (built / folder).mkdir(parents=True)
    shutil.copy(str(native._core.__file__), built / "native" / "python" / f"_core{SUFFIX}")
    for program in ("lmplz", "build_binary"):
        shutil.copy(ROOT / "build" / "kenlm" / "bin" / program, built / "kenlm" / "bin")
    (built / "native" / "speechmill-decode").touch()
    folder = tmp_path_factory.mktemp("site")
    pack._put_package(folder / "speechmill", built, SUFFIX)
    return folder


def run(site: Path, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """Python without the checkout on its path: the wheel's folder, and the libraries that are installed."""
    libraries = [path for path in sys.path if path.endswith("site-packages")]
    starter = (
        "import os, sys\n"
        "sys.path[:] = [p for p in sys.path if not os.path.exists(os.path.join(p, 'native', '__init__.py'))]\n"
        f"sys.path.insert(0, {str(site)!r})\n"
    )
    program = code or f"from speechmill.command import main\nsys.exit(main({[*words]!r}))"
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SPEECHMILL", "PYTHONPATH"))
    }
    return subprocess.run(
        [sys.executable, "-c", starter + program],
        capture_output=True, text=True, check=False, cwd=site.parent, env={**kept, "PYTHONPATH": os.pathsep.join(libraries)},
    )  # fmt: skip


def test_extras_are_those_of_the_one_list() -> None:
    listed = ROOT / "requirements.in"
    extras = requirements.extras(listed)
    assert {*extras} == {"corpora", "transcribe", "train", "collect", "airflow", "all"}
    assert any(one.startswith("pyarrow") for one in extras["corpora"])
    assert "speechmill[corpora]" in extras["transcribe"] and "speechmill[transcribe]" in extras["train"]
    assert extras["all"] == ["speechmill[airflow,collect,corpora,train,transcribe]"]
    assert not any(one.startswith(("pytest", "mkdocs")) for required in extras.values() for one in required)
    assert requirements.base(listed) == ["numpy>=1.22"]
    modules = requirements.modules(listed)
    assert modules["pyarrow"] == "corpora" and modules["tensorflow"] == "train" and "numpy" not in modules
    # A checkout has them all: the table of import names is held to what is installed.
    assert {*modules} <= {*metadata.packages_distributions()}


def test_native_imports_its_own_files_by_relative_names() -> None:
    """It is called speechmill in the wheel, where there is no `native` unless a room asks for it."""
    wrong = []
    for path in sorted((ROOT / "native").rglob("*.py*")):
        if path.suffix == ".pyc":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module or ""]
            ours = {"native", "store", "corpora", "lm", "scoring", "training"}
            wrong += [f"{path.name}: {name}" for name in names if name.partition(".")[0] in ours]
    assert not wrong


def test_one_name_lies_in_site_packages(site: Path) -> None:
    assert [path.name for path in site.iterdir()] == ["speechmill"]
    package = site / "speechmill"
    for name in ("_core" + SUFFIX, "py.typed", "bin/lmplz", "pyctcdecode/decoder.py", "rooms/lm/build.py"):
        assert (package / name).is_file(), name
    assert json.loads((package / "extras.json").read_text())["soxr"] == "corpora"
    assert not list(package.rglob("*.cpp")) and not list(package.rglob("__pycache__"))


def test_rooms_are_reached_by_the_command_alone(site: Path, tmp_path: Path) -> None:
    done = run(
        site,
        code="import speechmill\ntry:\n    import lm\nexcept ModuleNotFoundError as e:\n    print(e.name)",
    )
    assert (done.stdout.strip(), done.stderr) == ("lm", "")
    text = tmp_path / "text.txt"
    text.write_text("the cat sat on the mat\nthe dog sat on the log\n", encoding="utf-8")
    built = run(
        site, "lm", "build", "--text", str(text), "--corpora", "--out", str(tmp_path / "lm"), "--json"
    )
    assert built.returncode == 0, built.stderr
    assert json.loads((tmp_path / "lm" / "manifest.json").read_text())["order"] >= 2
    assert str(site / "speechmill" / "bin" / "lmplz") in built.stderr
    scored = run(site, "score", "--ref", str(text), "--hyp", str(text), "--json")
    assert json.loads(scored.stdout)["wer"] == 0.0


def test_an_error_has_one_class_under_both_names(site: Path) -> None:
    code = """
from speechmill.command import wheel
wheel.enter()
import native, native.errors, speechmill, speechmill.errors, native.flac
assert native is speechmill and native.errors is speechmill.errors and native.flac is speechmill.flac
try:
    native.Alphabet(["a", "a"])
except speechmill.AlphabetError as error:
    print(type(error).__module__, native.errors.__spec__.name)
"""
    done = run(site, code=code)
    assert done.stdout.split() == ["speechmill.errors", "speechmill.errors"], done.stderr


def test_a_room_without_its_libraries_names_the_extra(site: Path) -> None:
    code = """
from speechmill.command import main, wheel
wheel.enter()
missing = sys.meta_path.pop()
sys.meta_path.insert(0, missing)   # asked first, as if nothing of it were installed
sys.exit(main(["lm", "report"]))
"""
    done = run(site, code=code)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    assert (
        done.stderr.strip() == "this needs jinja2, which is not installed: pip install 'speechmill[corpora]'"
    )


def test_a_wheel_for_another_python_is_named_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = tmp_path / "stage"
    (stage / "speechmill").mkdir(parents=True)
    (stage / "speechmill" / "__init__.py").touch()
    pack._put_description(stage)
    monkeypatch.setattr(pack, "ask", lambda python, expression: "399")
    wheel = pack.build(stage, pack.Target("aarch64", "python3.99"))
    assert wheel.name.endswith("-cp399-cp399-linux_aarch64.whl")
    own = pack.build(stage, pack.Target("x86_64", sys.executable))
    assert own.name == wheel.name.replace("aarch64", "x86_64")

"""The built wheel in an environment of its own: what is in it, the README's lines, other processors, the peers' libraries.

The wheels are those in dist/ (made where there is none: minutes); numpy comes from the package index.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from scripts.wheel import matrix

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 15_000_000
HUGGING_FACE = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
TEXT = "the cat sat on the mat\nthe dog sat on the log\na cat and a dog sat\n" * 3
SAID = "the cat sat on the log"

pytestmark = pytest.mark.slow


def wheel_for(arch: str) -> Path:
    tag = f"cp{sys.version_info.major}{sys.version_info.minor}"
    found = sorted((ROOT / "dist").glob(f"speechmill-*-{tag}-{tag}-*{arch}.whl"))
    if not found:
        subprocess.run(
            ["scripts/wheel/make.sh"], cwd=ROOT, check=True, env={**os.environ, "ARCH": arch, "PYTHONS": ""}
        )
        found = sorted((ROOT / "dist").glob(f"speechmill-*-{tag}-{tag}-*{arch}.whl"))
    return found[-1]


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an environment that holds the wheel and numpy, a text and a network's output."""
    folder = tmp_path_factory.mktemp("stranger")
    subprocess.run([sys.executable, "-m", "venv", str(folder / "env")], check=True)
    (folder / "dist").mkdir()
    shutil.copy(wheel_for("x86_64"), folder / "dist")
    (folder / "speech.txt").write_text(TEXT, encoding="utf-8")
    (folder / "vocab.json").write_text(json.dumps({label: n for n, label in enumerate(HUGGING_FACE)}))
    np.save(folder / "logits.npy", heard(SAID))
    return folder


def heard(text: str) -> np.ndarray:
    """Logits as a network gives them, in doubt between `cat` and `cut`."""
    rows = []
    for sign in text.upper().replace(" ", "|"):
        for label in (sign, "<pad>"):
            row = np.full(len(HUGGING_FACE), -6.0, np.float32)
            row[HUGGING_FACE.index(label)] = 6.0
            if sign == "A" and label == "A":
                row[HUGGING_FACE.index("U")] = 6.5
            rows.append(row)
    return np.stack(rows)


def readme_lines() -> tuple[str, str]:
    """The shell's and Python's lines of the README's section."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## The decoder alone")[2].partition("\n## ")[0]
    shell, python = re.findall(r"```(?:sh|python)\n(.*?)```", section, re.DOTALL)
    assert len([line for line in (shell + python).split("\n") if line.strip()]) <= 10
    return shell, python


def ask(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("SPEECHMILL", "PYTHONPATH"))
    }
    kept["PATH"] = f"{folder / 'env' / 'bin'}:{kept['PATH']}"
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env={**kept, **environment}
    )


def test_the_wheel_holds_one_package_and_its_licences() -> None:
    wheel = wheel_for("x86_64")
    assert wheel.stat().st_size <= MOST_BYTES
    assert re.search(r"manylinux_2_\d+_x86_64", wheel.name)
    with zipfile.ZipFile(wheel) as packed:
        names = packed.namelist()
        metadata = packed.read(next(n for n in names if n.endswith("/METADATA"))).decode()
    assert {name.partition("/")[0].partition("-")[0] for name in names} <= {"speechmill", "speechmill.libs"}
    for name in ("KenLM-LICENSE", "KenLM-COPYING.LESSER.3", "NOTICE", "boost-copyright"):
        assert any(entry.endswith(f"licenses/licences/{name}") for entry in names), name
    required = [
        line for line in metadata.split("\n") if line.startswith("Requires-Dist:") and "extra" not in line
    ]
    assert required == ["Requires-Dist: numpy>=1.22"]


def test_the_readme_leads_a_stranger_to_text(stranger: Path) -> None:
    shell, python = readme_lines()
    done = ask(stranger, "bash", "-ec", shell)
    assert done.returncode == 0, done.stderr
    decoded = ask(stranger, "python", "-c", python)
    assert decoded.stdout.strip() == SAID, decoded.stderr
    listed = json.loads(ask(stranger, "pip", "list", "--format", "json").stdout)
    assert {one["name"] for one in listed} <= {"numpy", "pip", "setuptools", "speechmill"}


def test_commands_work_or_say_what_is_missing(stranger: Path) -> None:
    ask(stranger, "bash", "-ec", readme_lines()[0])
    scored = ask(stranger, "speechmill", "score", "--ref", "speech.txt", "--hyp", "speech.txt", "--json")
    assert json.loads(scored.stdout)["wer"] == 0.0
    adopted = ask(stranger, "speechmill", "lm", "adopt", "--arpa", "lm/lm.arpa", "--out", "lm2", "--json")
    assert adopted.returncode == 0, adopted.stderr
    assert ask(stranger, "speechmill", "store", "list").returncode == 0
    report = ask(stranger, "speechmill", "corpora", "report", "nothing")
    assert report.returncode != 0 and "Traceback" not in report.stderr
    missing = ask(stranger, "speechmill", "lm", "report")
    assert missing.returncode == 2 and "pip install 'speechmill[corpora]'" in missing.stderr


def test_pip_install_of_the_checkout_gives_what_the_wheel_gives(tmp_path: Path) -> None:
    """In its own isolated build environment; the C++ that `make wheel` built is not built again."""
    said, files = [], []
    for place, source in (("wheel", wheel_for("x86_64")), ("checkout", ROOT)):
        (tmp_path / place).mkdir()
        answer, failure = matrix.used(Path(sys.executable), str(source), tmp_path / place)
        assert not failure
        said.append(json.loads(answer))
        (package,) = (tmp_path / place / "env" / "lib").glob("python*/site-packages/speechmill")
        found = {path.relative_to(package) for path in package.rglob("*") if path.is_file()}
        files.append({path for path in found if path.suffix != ".pyc"})
    assert said[0] == said[1] and said[0]["texts"] == [SAID] * 3
    assert files[0] == files[1]


_WORK = """
import hashlib, json, numpy, speechmill
from speechmill.pyctcdecode import build_ctcdecoder
from speechmill import flac, sound
rng = numpy.random.default_rng(7)
samples = (rng.normal(scale=900, size=16000 * 2)).astype(numpy.int16)
packed = flac.encode(samples, 16000)
back = flac.decode(packed).samples
alphabet = speechmill.Alphabet([" ", *"abcdefghijklmnopqrstuvwxyz'"])
scores = rng.normal(scale=2.0, size=(2, 60, 29)).astype(numpy.float32)
scores -= numpy.log(numpy.exp(scores).sum(axis=2, keepdims=True))
texts = [h[0].text for h in speechmill.decode(scores, [60, 50], alphabet)]
beams = build_ctcdecoder([" ", *"abcdefghijklmnopqrstuvwxyz'"]).decode_beams(scores[0].astype(float), beam_width=20)
print(json.dumps([texts, [b.text for b in beams], hashlib.sha256(packed).hexdigest(), int(abs(back.astype(int)).sum())]))
"""


@pytest.mark.skipif(not shutil.which("qemu-x86_64-static"), reason="qemu-user-static is not installed")
def test_a_processor_without_features_gives_the_same(stranger: Path) -> None:
    ask(stranger, "bash", "-ec", readme_lines()[0])
    here = ask(stranger, "python", "-c", _WORK)
    assert here.returncode == 0, here.stderr
    python = str((stranger / "env" / "bin" / "python").resolve())
    libraries = next((stranger / "env" / "lib").glob("python*/site-packages"))
    for processor in ("Nehalem-v1", "max,avx2=off,sha-ni=off,bmi2=off"):
        plain = ask(
            stranger, "qemu-x86_64-static", "-cpu", processor, python, "-c", _WORK, PYTHONPATH=str(libraries)
        )
        assert plain.returncode == 0, plain.stderr
        assert plain.stdout == here.stdout, processor


@pytest.mark.skipif(not shutil.which("qemu-aarch64-static"), reason="qemu-user-static is not installed")
def test_aarch64_gives_the_same(stranger: Path, tmp_path: Path) -> None:
    ask(stranger, "bash", "-ec", readme_lines()[0])
    here = ask(stranger, "python", "-c", _WORK)
    wheel = wheel_for("aarch64")
    command = [
        str(stranger / "env" / "bin" / "pip"),
        "install",
        "-q",
        "--target",
        str(tmp_path),
        "--only-binary",
        ":all:",
    ]
    command += ["--platform", "manylinux_2_28_aarch64", "--platform", "manylinux2014_aarch64", "numpy"]
    subprocess.run(command, check=True)
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path)
    sysroot = ROOT / "build" / "aarch64" / "sysroot"
    python = [str(ROOT / "scripts" / "cross" / "run.sh"), str(sysroot / "usr" / "bin" / "python3.11")]
    there = ask(stranger, *python, "-c", _WORK, PYTHONPATH=str(tmp_path), PYTHONHOME=str(sysroot / "usr"))
    assert there.returncode == 0, there.stderr
    assert there.stdout == here.stdout

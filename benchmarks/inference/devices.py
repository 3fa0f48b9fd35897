"""`python -m benchmarks.inference.devices --sound FILE`: what hearing would cost on a Raspberry Pi, by calculation.

The cross-built recognizer runs under qemu-user as each processor, with a plugin that counts instructions. Networks in one
direction have random weights in int8; front end, detector and search are the released model's. From the instructions
per second of sound, the processor's clock and an assumed number of instructions per cycle comes a share of real time:
calculated, not measured. Sizes and memory are measured, on this machine.

Needs qemu-user (the static one takes no plugins), g++-aarch64-linux-gnu and gcc.
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
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.inference.networks import random_network
from benchmarks.inference.on_device import FIRST_TAG
from store.opening import open_store
from training.network.model import NetworkShape
from training.release.registry import Registry
from training.runtime.package import Package

ROOT = Path(__file__).resolve().parents[2]
_COUNTER = ROOT / "build" / "aarch64" / "count.so"


@dataclass(frozen=True)
class Device:
    """A device by its processor's name in qemu, its clock, and how many instructions a cycle are assumed.

    The clocks are Raspberry Pi's own figures (documentation, Processors: BCM2711 and BCM2712). One instruction a cycle is
    ours: a third of what a Cortex-A72 can decode, a quarter of a Cortex-A76's.
    """

    name: str
    processor: str
    clock_hz: float
    per_cycle: float


DEVICES = (
    Device("Raspberry Pi 4", "cortex-a72", 1.5e9, 1.0),
    Device("Raspberry Pi 5", "cortex-a76", 2.4e9, 1.0),
)


def main() -> int:
    """Measure, count and calculate."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.inference.devices", description=__doc__)
    parser.add_argument("--sound", type=Path, required=True, help="ten seconds are enough: qemu is slow")
    parser.add_argument("--model", help="default: the released one")
    parser.add_argument("--widths", type=int, nargs="+", default=[512, 1024])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    _check_tools()
    package = Package.open(_folder(options.model))
    with tempfile.TemporaryDirectory() as folder:
        networks = [_network(package, width, Path(folder)) for width in options.widths]
        result = {
            "language_model_mb": _size_mb(package.path / "language_model"),
            "networks": [_here(package, options.sound, one) for one in networks],
            "devices": [_counted(package, options.sound, networks, device) for device in DEVICES],
        }
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    sys.stdout.write(_table(result))
    return 0


def _check_tools() -> None:
    missing = [name for name in ("qemu-aarch64", "aarch64-linux-gnu-g++", "gcc") if not shutil.which(name)]
    if missing:
        raise SystemExit(f"{', '.join(missing)} missing: apt-get install qemu-user g++-aarch64-linux-gnu gcc")
    _COUNTER.parent.mkdir(parents=True, exist_ok=True)
    source = ROOT / "scripts" / "cross" / "count.c"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", str(_COUNTER), str(source)], check=True)


def _folder(model: str | None) -> Path:
    if model and (Path(model) / "model.json").is_file():
        return Path(model)
    return Registry(open_store()).model(model).path


def _network(package: Package, width: int, folder: Path) -> Path:
    f = package.features
    shape = NetworkShape(len(package.labels) + 1, f.coefficients, f.context, width, False, f.context)
    path = folder / f"{width}.onnx"
    path.write_bytes(random_network(shape, package, int8=True))
    return path


def _size_mb(folder: Path) -> float:
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else [folder]
    return round(sum(path.stat().st_size for path in files if path.exists()) / 1e6, 2)


def _here(package: Package, sound: Path, network: Path) -> dict[str, Any]:
    """Bytes on disk and in memory, in a process that hears with it."""
    command = [sys.executable, "-m", "benchmarks.inference.measure", "engine", "--package", str(package.path)]
    command += ["--sound", str(sound), "--network", str(network)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    return {"width": int(network.stem), "file_mb": _size_mb(network), "peak_mb": answer["peak_mb"]}


def _counted(package: Package, sound: Path, networks: list[Path], device: Device) -> dict[str, Any]:
    """Instructions per second of sound, section by section, and what follows from them."""
    command = [str(ROOT / "scripts" / "cross" / "python.sh"), "-m", "benchmarks.inference.on_device"]
    command += ["--package", str(package.path.resolve()), "--sound", str(sound.resolve())]
    command += ["--networks", *map(str, networks)]
    chosen = {"QEMU": "qemu-aarch64", "QEMU_PLUGIN": str(_COUNTER), "QEMU_CPU": device.processor}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=ROOT, env={**os.environ, **chosen}
    )
    if done.returncode != 0:
        raise SystemExit(f"{device.processor}: {done.stderr[-2000:]}")
    answer = json.loads(done.stdout.splitlines()[-1])
    counts = sections_of(done.stderr, answer["sections"])
    per_s = {name: count / answer["sound_s"] for name, count in counts.items()}
    speed = device.clock_hz * device.per_cycle
    rows = [
        {
            "width": int(one.stem),
            "instructions_per_s": round(per_s["engine"] + per_s[one.stem]),
            "real_time_factor": round((per_s["engine"] + per_s[one.stem]) / speed, 4),
        }
        for one in networks
    ]
    return {
        **vars(device),
        "engine_per_s": round(per_s["engine"]),
        "start_instructions": counts["start"] + counts["load"],
        "speech_share": round(answer["speech_s"] / answer["sound_s"], 3),
        "text": answer["text"],
        "rows": rows,
    }


def sections_of(said: str, names: list[str]) -> dict[str, int]:
    """Instructions of each section, from the plugin's lines TAG COUNT.

    Raises:
        ValueError: a section was not marked.
    """
    ends = {int(tag): int(count) for tag, count in re.findall(r"^(9\d{5}) (\d+)$", said, re.MULTILINE)}
    try:
        counts = [0, *(ends[FIRST_TAG + place] for place in range(len(names)))]
    except KeyError as missing:
        raise ValueError(
            f"section {missing} was not marked: did the plugin run? It said: {said[-500:]!r}"
        ) from None
    return {name: after - before for name, (before, after) in zip(names, pairwise(counts), strict=True)}


def _table(result: dict[str, Any]) -> str:
    lines = [f"language model {result['language_model_mb']} MB"]
    lines += [
        f"{one['width']} cells: network {one['file_mb']} MB, with the language model "
        f"{one['file_mb'] + result['language_model_mb']:.1f} MB; {one['peak_mb']} MB in memory here"
        for one in result["networks"]
    ]
    for device in result["devices"]:
        lines.append(
            f"{device['name']} ({device['processor']}, {device['clock_hz'] / 1e9} GHz, {device['per_cycle']} instructions a "
            f"cycle assumed): start {device['start_instructions'] / 1e9:.2f} G instructions"
        )
        lines += [
            f"  {row['width']} cells: {row['instructions_per_s'] / 1e6:.0f} M instructions per second of sound, "
            f"{row['real_time_factor']:.3f} of real time by calculation"
            for row in device["rows"]
        ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())

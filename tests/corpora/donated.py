"""Invented donations for the acceptance tests: sound, captions, folders, and a run of the importer over them."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import soundfile

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh

RATE_HZ = 16_000


HEAD = 'name = "gift"\ndonor = "A Giver"\nlicence = "CC0-1.0"\nspeaker_rule = "file"\n'


Rows = list[dict[str, Any]]


def sound(seconds: float, seed: int = 0, rate_hz: int = RATE_HZ, channels: int = 1) -> np.ndarray:
    """Noise that a seed makes its own: int16 `[frames, channels]`."""
    noise = np.random.default_rng(seed).normal(0, 3000, (round(seconds * rate_hz), channels))
    return noise.astype(np.int16)


def audio(samples: np.ndarray, kind: str = "WAV", rate_hz: int = RATE_HZ) -> bytes:
    out = io.BytesIO()
    soundfile.write(out, samples, rate_hz, format=kind, subtype=None if kind == "MP3" else "PCM_16")
    return out.getvalue()


def film(samples: np.ndarray, folder: Path, suffix: str, arguments: tuple[str, ...] = ()) -> bytes:
    """The same sound in a container that only ffmpeg reads."""
    (folder / "in.wav").write_bytes(audio(samples))
    out = folder / f"out.{suffix}"
    inputs = ["-i", str(folder / "in.wav")] * (2 if arguments else 1)
    command = ["ffmpeg", "-y", "-v", "error", *inputs, *arguments, str(out)]
    subprocess.run(command, check=True, timeout=120)
    return out.read_bytes()


def srt(*cues: tuple[float, float, str]) -> bytes:
    def code(s: float) -> str:
        return f"{int(s) // 3600:02d}:{int(s) // 60 % 60:02d}:{int(s) % 60:02d},{round(s * 1000) % 1000:03d}"

    return "".join(f"{n}\n{code(a)} --> {code(b)}\n{t}\n\n" for n, (a, b, t) in enumerate(cues, 1)).encode()


def write(root: Path, files: dict[str, bytes | str], donation: str | None = "") -> Path:
    if donation is not None:
        files = {**files, "donation.toml": HEAD + donation}
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data.encode() if isinstance(data, str) else data)
    return root


def run(source: Path, store: Path, **more: Any) -> tuple[dict[str, Any], Rows, Rows]:
    """(answer, rows by id, refusals)."""
    said = refresh(RefreshRequest("donated", (source,), store=store, **more))
    path = Path(said["path"])
    rows = [
        row for shard in sorted(path.glob("*/part-*.parquet")) for row in pq.read_table(shard).to_pylist()
    ]
    return (
        said,
        sorted(rows, key=lambda r: str(r["utterance_id"])),
        pq.read_table(path / "rejections.parquet").to_pylist(),
    )


def checks(rejections: Rows) -> list[tuple[str, str]]:
    return sorted((r["source_path"].rpartition("!/")[2], r["check"]) for r in rejections)


TRS = (
    '<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE Trans SYSTEM "trans-14.dtd"><Trans audio_filename="news">'
    '<Speakers><Speaker id="s1" name="Zoé" type="female"/></Speakers><Episode><Section><Turn startTime="0" '
    'endTime="3" speaker="s1"><Sync time="0"/>déjà vu</Turn></Section></Episode></Trans>'
)

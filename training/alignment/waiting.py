"""Donated recordings that wait for times: all of a corpus in quarantine aligned, ready to be imported.

    <out>/<id>.flac  <id>.vtt  donation.toml  rows/<id>.jsonl  certificates/<id>.alignment.json, .html

A second call goes on where the first stopped. What a recording's language needs is the released model of that
language; without one nothing is done. Imports nothing: `python -m corpora refresh donated --source <out>` does.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.errors import StoreError
from store.store import Store
from store.writing import place_file, read_json, sha256_file, write_bytes_atomic
from training.alignment.align import AlignRequest, align
from training.alignment.certificate import write_certificate
from training.alignment.sidecar import already_aligned, donation_text, write_alignment
from training.errors import DataError
from training.release.registry import Registry
from training.runtime.errors import ModelMismatchError, SoundError

log = logging.getLogger(__name__)
_CATALOG = Path("needs_alignment") / "catalog.json"


def align_waiting(
    name: str, store: Store, out: Path | None = None, make: Callable[[AlignRequest], dict[str, Any]] = align
) -> dict[str, Any]:
    """Align every recording of the corpus `name` that waits in quarantine.

    Args:
        out: default `<store>/aligned/<name>`.
        make: what aligns one recording.

    Returns:
        path, recordings, segments, hours (kept), problems (sentences).

    Raises:
        NotPublishedError: nothing of that name waits. ModelNotFoundError: no model is released.
        ModelMismatchError: the released model is of another language.
    """
    waiting = store.quarantined(name)
    model = Registry(store).model()
    try:
        catalog = read_json(waiting.path / _CATALOG)
    except StoreError as error:
        raise DataError(f"{name} waits in quarantine, but none of its recordings waits for times") from error
    out = out or store.root / "aligned" / name
    problems: list[str] = []
    segments, kept_s = 0, 0.0
    for entry in catalog:
        try:
            answer = _one(entry, waiting.path / "needs_alignment", (out, model.path), make)
        except (SoundError, DataError, ModelMismatchError) as error:
            problems.append(str(error))
            continue
        problems += [answer["problem"]] if "problem" in answer else []
        segments += len(answer["segments"])
        kept_s += sum(one["end_s"] - one["start_s"] for one in answer["segments"])
    write_bytes_atomic(out / "donation.toml", donation_text(waiting.manifest).encode())
    return {
        "path": str(out),
        "recordings": len(catalog),
        "segments": segments,
        "hours": round(kept_s / 3600, 4),
        "problems": problems,
    }


def _one(
    entry: dict[str, Any], place: Path, to: tuple[Path, Path], make: Callable[[AlignRequest], dict[str, Any]]
) -> dict[str, Any]:
    """One recording, unless its certificate is there already."""
    out, package = to
    sound, text = place / entry["audio"], place / entry["script"]
    _check_language(entry, package)
    inputs = {"sound": entry["sha256"], "text": sha256_file(text), "model": package.resolve().name}
    target = out / "certificates" / f"{sound.stem}.alignment.json"
    answer = already_aligned(target, inputs)
    if answer is None:
        answer = {**make(AlignRequest(sound, text, package)), "inputs": inputs}
        place_file(sound, out / sound.name)
        answer["sound"], answer["text"] = str(out / sound.name), str(text)
        write_alignment(answer, out, sound.stem, entry.get("speaker_id") or "")
        write_certificate(answer, target.with_name(f"{sound.stem}.html"))
    return answer


def _check_language(entry: dict[str, Any], package: Path) -> None:
    """Raises ModelMismatchError when a recording is in a language the model has not learnt."""
    known = read_json(package / "model.json")["language"].split()
    wanted = str(entry.get("language") or "en").partition("-")[0]
    if wanted not in {one.partition("-")[0] for one in known}:
        raise ModelMismatchError(
            f"{entry['audio']} is in {wanted!r}, the released model knows {', '.join(known)}: release one of that language"
        )

"""Donated recordings that wait for times: all of a corpus in quarantine aligned, ready to be imported.

    <out>/<id>.flac  <id>.vtt  donation.toml  rows/<id>.jsonl  certificates/<id>.alignment.json, .html

A second call goes on where the first stopped. What a recording's language needs is the released model of that
language; without one nothing is done. Recordings that wait no longer (a donor has left) lose their files.
`publish_aligned` then imports the folder as the corpus `<name>-aligned`: what had times from the start stays as it is.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from corpora.versions.withdrawals import withdrawn_donors
from store.errors import StoreError
from store.store import Store
from store.writing import place_file, read_json, sha256_file, write_bytes_atomic
from training.alignment.align import AlignRequest, align, too_weak
from training.alignment.certificate import write_certificate
from training.alignment.sidecar import aligned_name, already_aligned, donation_text, write_alignment
from training.errors import DataError
from training.release.registry import Registry
from training.runtime.errors import ModelMismatchError, SoundError

log = logging.getLogger(__name__)
Aligner = Callable[[AlignRequest], dict[str, Any]]
_CATALOG = Path("needs_alignment") / "catalog.json"


def align_waiting(
    name: str, store: Store, out: Path | None = None, make: Aligner | None = None
) -> dict[str, Any]:
    """Align every recording of the corpus `name` that waits in quarantine.

    Args:
        out: default `<store>/aligned/<name>`.
        make: what aligns one recording; default `align`.

    Returns:
        path, corpus (the name that the aligned recordings are published under), recordings, segments, hours (kept),
        problems (sentences).

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
    gone = {*withdrawn_donors(store, name), *withdrawn_donors(store, aligned_name(name))}
    catalog = [entry for entry in catalog if not gone & {entry.get("donor_id"), entry.get("speaker_id")}]
    out = out or store.root / "aligned" / name
    problems: list[str] = []
    segments, kept_s = 0, 0.0
    for entry in catalog:
        try:
            answer = _one(entry, waiting.path / "needs_alignment", (out, model.path), make or align)
        except (SoundError, DataError, ModelMismatchError) as error:
            problems.append(str(error))
            continue
        problems += [answer["problem"]] if "problem" in answer else []
        if answer.get("withheld"):
            continue
        segments += len(answer["segments"])
        kept_s += sum(one["end_s"] - one["start_s"] for one in answer["segments"])
    _drop_gone(out, {Path(entry["audio"]).stem for entry in catalog})
    description = donation_text(waiting.manifest).encode()
    if not (out / "donation.toml").is_file() or (out / "donation.toml").read_bytes() != description:
        write_bytes_atomic(out / "donation.toml", description)
    return {
        "path": str(out),
        "corpus": aligned_name(name),
        "recordings": len(catalog),
        "segments": segments,
        "hours": round(kept_s / 3600, 4),
        "problems": problems,
    }


def publish_aligned(name: str, store: Store, make: Aligner | None = None) -> dict[str, Any]:
    """Align what waits of the corpus `name` and publish it; a second call finds what has not changed.

    Returns:
        What `align_waiting` answers, and `published`: what the refresh of the aligned folder answered.

    Raises:
        DataError: nothing of it could be aligned. Also what `align_waiting` and `refresh` raise.
    """
    with store.lock(f"align-{name}"):
        answer = align_waiting(name, store, make=make)
        if not answer["segments"]:
            reasons = "; ".join(answer["problems"][:3]) or "no word of any text was found in its sound"
            raise DataError(f"nothing of {name} could be aligned: {reasons}")
        request = RefreshRequest("donated", (Path(answer["path"]),), store=store.root)
        return {**answer, "published": refresh(request)}


def why_not(name: str, store: Store) -> str | None:
    """Why nothing of the corpus `name` can be aligned now: nothing waits, or no model of its language is released."""
    if name not in store.quarantined_names():
        return f"nothing of {name} waits for times"
    waiting = store.quarantined(name)
    if not (waiting.path / _CATALOG).is_file():
        return f"nothing of {name} waits for times"
    if not waiting.manifest.get("licence"):
        return f"{name} waits for a licence first"
    model = Registry(store).released()
    if model is None:
        return (
            f"recordings of {name} wait for times, and no model is released that could find them: "
            "python -m training release RUN --promote WHY"
        )
    languages = {one.partition("-")[0] for one in model.manifest["language"].split()}
    wanted = str(waiting.manifest.get("language") or "en")
    if wanted.partition("-")[0] not in languages:
        return f"recordings of {name} in {wanted!r} wait for times; the released model knows {', '.join(sorted(languages))}"
    return None


def _drop_gone(out: Path, stems: set[str]) -> None:
    """Remove the files of recordings that wait no longer; the certificate last, for it says that they are there."""
    for certificate in sorted((out / "certificates").glob("*.alignment.json")):
        stem = certificate.name.removesuffix(".alignment.json")
        if stem in stems:
            continue
        sounds = [path for path in out.glob("*.flac") if path.stem == stem]
        pages = [out / "certificates" / f"{stem}.html", out / "rows" / f"{stem}.jsonl", out / f"{stem}.vtt"]
        for path in [*sounds, *pages, certificate]:
            path.unlink(missing_ok=True)


def _one(entry: dict[str, Any], place: Path, to: tuple[Path, Path], make: Aligner) -> dict[str, Any]:
    """One recording, unless its certificate is there already."""
    out, package = to
    sound, text = place / entry["audio"], place / entry["script"]
    _check_language(entry, package)
    inputs = {"sound": entry["sha256"], "text": sha256_file(text), "model": package.resolve().name}
    target = out / "certificates" / f"{sound.stem}.alignment.json"
    answer = already_aligned(target, inputs)
    if answer is None:
        threads = len(os.sched_getaffinity(0))
        answer = {**make(AlignRequest(sound, text, package, threads)), "inputs": inputs}
        if too_weak(answer):
            answer["withheld"] = True
        place_file(sound, out / sound.name)
        answer["sound"], answer["text"] = str(out / sound.name), str(text)
        if "problem" in answer:
            answer["problem"] = answer["problem"].replace(str(sound), answer["sound"])
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

"""Where a built model goes: under its version in the store, or into a folder of a person's choice.

What is there and whole is not built again; what is there and damaged is. One process at a time works on a place.
A new model takes the old one's name in one step, so that a kill at any moment leaves one of the two.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lm.errors import LanguageModelUsageError, VerificationError
from lm.model.folder import FILES, MANIFEST, read_manifest, remember_model, why_not_finished
from lm.request import Inputs
from store.locks import hold
from store.versions import link_current, publish_version
from store.writing import explain_write, fsync_tree, put_in_place, step_back

Make = Callable[[Path], dict[str, Any]]
"""Fills an empty folder with the model and returns its manifest."""

_log = logging.getLogger(__name__)


def publish(inputs: Inputs, name: str, make: Make) -> dict[str, Any]:
    """Builds a version under the store's language models, named after the hash of its inputs."""
    parent, version = inputs.store.language_models_dir / name, inputs.hash[:16]
    target = parent / version
    with inputs.store.lock(f"language_models/{name}"):
        with explain_write(target):
            step_back(target)
        if target.exists():
            reason = why_not_finished(target, inputs.hash, inputs.store.checksums_path)
            if reason is None:
                link_current(parent, version)
                return _unchanged(target)
            _log.warning("language model %s is built again: %s", name, reason)
        with _empty_folder(inputs.store.staging_dir("language_models") / f"{name}-{version}") as staged:
            manifest = make(staged)
            publish_version(parent, version, staged)
        remember_model(target, manifest, inputs.store.checksums_path)
    return {**manifest, "status": "published", "path": str(target)}


def build_into(inputs: Inputs, out: Path, make: Make) -> dict[str, Any]:
    """Builds beside the folder that was named and moves there; replaces only language models.

    Raises LanguageModelUsageError where something else lies in that folder.
    """
    with explain_write(out):
        out.parent.mkdir(parents=True, exist_ok=True)
    with hold(out.parent / f".{out.name}.lock", str(out)):
        with explain_write(out):
            step_back(out)
        if out.exists():
            _refuse_other_things(out)
        if (out / MANIFEST).exists():
            reason = why_not_finished(out, inputs.hash, inputs.store.checksums_path)
            if reason is None:
                return _unchanged(out)
            _log.info("%s is built again: %s", out, reason)
        with _empty_folder(out.parent / f".{out.name}.building") as staged:
            manifest = make(staged)
            with explain_write(out):
                fsync_tree(staged)
                put_in_place(staged, out)
    return {**manifest, "status": "built", "path": str(out)}


def _refuse_other_things(out: Path) -> None:
    """A folder may be replaced that is empty, a language model, or holds nothing but files of one."""
    names = {path.name for path in out.iterdir()} if out.is_dir() else {""}
    if names <= {*FILES, MANIFEST}:
        return
    try:
        read_manifest(out)
    except VerificationError:
        return
    except LanguageModelUsageError as error:
        raise LanguageModelUsageError(
            f"{out} exists and is no language model; name a new or empty folder"
        ) from error


def _unchanged(folder: Path) -> dict[str, Any]:
    _log.info("inputs and settings have not changed; %s stays as it is", folder)
    return {**read_manifest(folder), "status": "unchanged", "path": str(folder)}


@contextmanager
def _empty_folder(path: Path) -> Iterator[Path]:
    """A working folder without leftovers of a killed run; removed again if it was not renamed away."""
    with explain_write(path):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)

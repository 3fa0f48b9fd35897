"""`python -m training export`: a network in the form that another program wants, checked before it gets its name.

The network's own outputs on real utterances of its corpora are compared with what the form's own runtime computes;
the answer says by how much they differ. A form that is off is never written under its final name.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from store.opening import open_store
from store.store import Store
from store.writing import explain_write, fsync_tree, temporary_beside, write_bytes_atomic
from training.decoding.acoustic import Network
from training.errors import RunNotFoundError
from training.network.checkpoint import Checkpoint, best_checkpoint
from training.release import forms
from training.release.errors import ExportError, ModelNotFoundError
from training.release.package import LANGUAGE_MODEL, checkpoint_of
from training.release.registry import Registry
from training.release.verify import Forward, Reference, check
from training.runs import run_dir_of

log = logging.getLogger(__name__)
FORMS = {
    "onnx": ".onnx",
    "onnx-int8": "-int8.onnx",
    "onnx-streaming": "-streaming.onnx",
    "litert": ".tflite",
    "litert-int8": "-int8.tflite",
    "saved-model": "-saved-model",
}


@dataclass(frozen=True)
class ExportRequest:
    """What to export: a model's or a run's id (or a beginning of it), the form, where to (None = here)."""

    source: str
    form: str
    out: Path | None = None


@dataclass(frozen=True)
class _Source:
    name: str
    checkpoint: Checkpoint
    lm_dir: str | None
    decoder: dict[str, Any] | None


def export(request: ExportRequest, store: Store | None = None) -> dict[str, Any]:
    """Write one form; answers path, bytes and how it compares with the network.

    Raises:
        ExportError: an unknown form, or one that does not compute what the network computes.
        RunNotFoundError: neither a model nor a run of that name.
    """
    store = store or open_store()
    if request.form not in FORMS:
        raise ExportError(f"form {request.form!r} is not known; there are {', '.join(FORMS)}")
    source = _source(request.source, store)
    target = request.out or Path(f"{source.name}{FORMS[request.form]}")
    network = Network.of_checkpoint(source.checkpoint)
    reference = Reference.of(network, store)
    if request.form == "saved-model":
        agreement = _export_folder(source, network, target, reference)
    else:
        data, forward = _file_form(request.form, source.checkpoint, network)
        agreement = reference.compare(forward)
        check(agreement, request.form, exact="int8" not in request.form)
        write_bytes_atomic(target, data)
    size = sum(path.stat().st_size for path in [target, *target.rglob("*")] if path.is_file())
    return {"form": request.form, "path": str(target), "bytes": size, "checked": agreement.as_json()}


def _source(name: str, store: Store) -> _Source:
    """A model of that name, else a run."""
    try:
        model = Registry(store).model(name)
    except ModelNotFoundError as no_model:
        try:
            run_dir = run_dir_of(store, name)
        except RunNotFoundError as no_run:
            raise RunNotFoundError(f"{no_model}; {no_run}") from no_run
        checkpoint = best_checkpoint(run_dir / "checkpoints")
        if checkpoint is None:
            raise RunNotFoundError(f"{run_dir}: no checkpoint there yet") from no_model
        return _Source(run_dir.name, checkpoint, None, None)
    lm_dir = model.path / LANGUAGE_MODEL
    return _Source(
        model.id, checkpoint_of(model), str(lm_dir) if lm_dir.is_dir() else None, model.manifest["decoder"]
    )


def _file_form(form: str, checkpoint: Checkpoint, network: Network) -> tuple[bytes, Forward]:
    if form.startswith("litert"):
        data = forms.litert_bytes(network, int8=form.endswith("int8"))
        return data, forms.litert_forward(data)
    streaming = form == "onnx-streaming"
    data = forms.onnx_bytes(checkpoint, int8=form.endswith("int8"), streaming=streaming)
    runs: Callable[[bytes], Forward] = forms.streaming_forward if streaming else forms.onnx_forward
    return data, runs(data)


def _export_folder(source: _Source, network: Network, target: Path, reference: Reference) -> Any:
    """A SavedModel under a temporary name beside its final one, checked there."""
    staged = temporary_beside(target)
    shutil.rmtree(staged, ignore_errors=True)
    try:
        with explain_write(target):
            forms.save_tensorflow(network, source.lm_dir, source.decoder, str(staged))
        agreement = reference.compare(forms.tensorflow_forward(str(staged)))
        check(agreement, "saved-model", exact=True)
        with explain_write(target):
            fsync_tree(staged)
            if target.exists():
                shutil.rmtree(target)
            staged.rename(target)
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return agreement

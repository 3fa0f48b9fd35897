"""A published corpus in the form other tools read: one file per form, one line each in `FORMS`.

    python -m corpora export librispeech --form nemo --to /data/for_nemo [--splits train dev]

An export is a folder that appears whole: it is built beside its place, fsynced and renamed; `export.json`
says from which corpus and version it comes and under which licences. The same version gives the same bytes. A
corpus that may not be passed on is refused unless the person states that the copy stays with them.
"""

from __future__ import annotations

import importlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpora.donations.licences import kept_back
from store.console import Progress
from store.corpus import Corpus
from store.errors import UsageError
from store.writing import (
    explain_write,
    fsync_tree,
    put_in_place,
    read_json,
    temporary_beside,
    write_json_atomic,
)

if TYPE_CHECKING:
    from corpora.exports._files import Rows

FORMS = {
    "deepspeech": "corpora.exports.deepspeech",
    "huggingface": "corpora.exports.huggingface",
    "nemo": "corpora.exports.nemo",
    "nemo_tarred": "corpora.exports.nemo_tarred",
    "webdataset": "corpora.exports.webdataset",
    "lhotse": "corpora.exports.lhotse",
    "lhotse_shar": "corpora.exports.lhotse_shar",
    "kaldi": "corpora.exports.kaldi",
    "croissant": "corpora.exports.croissant",
}
VERSION = "3"  # raise it whenever the bytes of an export change


@dataclass(frozen=True)
class ExportRequest:
    """What to write where.

    Attributes:
        splits: of train, dev, test; empty = all the corpus has.
        for_own_use: the copy is not passed on, so that licences which forbid it do not matter.
    """

    corpus: Corpus
    form: str
    to_dir: Path
    splits: tuple[str, ...] = ()
    for_own_use: bool = False


def export(request: ExportRequest) -> dict[str, Any]:
    """Write the export.

    Returns:
        path, form, corpus, version, splits, utterances, licences, status ("written" or "unchanged").

    Raises:
        UsageError: no such form or split, a folder that holds something else, a corpus not to be passed on.
        StoreError: a shard cannot be read, or the disk is full.
    """
    told = _told(request)
    target = request.to_dir
    if (target / "export.json").is_file() and read_json(target / "export.json") == told:
        return told | {"path": str(target), "status": "unchanged"}
    if (
        target.exists()
        and not (target / "export.json").is_file()
        and (target.is_file() or any(target.iterdir()))
    ):
        raise UsageError(f"{target} holds something that is no export of ours: name an empty or a new folder")
    building = temporary_beside(target)
    with explain_write(target):
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(parents=True)
        try:
            _write(request, told, building)
            put_in_place(building, target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return told | {"path": str(target), "status": "written"}


def _told(request: ExportRequest) -> dict[str, Any]:
    """What export.json says; also the test whether an export is up to date."""
    corpus, manifest = request.corpus, request.corpus.manifest
    if request.form not in FORMS:
        raise UsageError(f"there is no form {request.form!r}; there are: {', '.join(FORMS)}")
    missing = [split for split in request.splits if split not in corpus.splits]
    if missing:
        raise UsageError(
            f"{corpus.name} has no split {', '.join(missing)}; it has {', '.join(corpus.splits)}"
        )
    closed = kept_back(manifest)
    if closed and not request.for_own_use:
        raise UsageError(
            f"{corpus.name} may not be passed on by {', '.join(closed)}; if this copy stays with you, say so with "
            "--for-own-use"
        )
    splits = [split for split in corpus.splits if split in (request.splits or corpus.splits)]
    return {
        "form": request.form,
        "form_version": VERSION,
        "corpus": corpus.name,
        "version": corpus.version,
        "licence": manifest["licence"],
        "licences": manifest["licences"],
        "may_be_passed_on": not closed,
        "splits": splits,
        "utterances": sum(manifest["splits"][split]["utterances"] for split in splits),
    }


def _write(request: ExportRequest, told: Mapping[str, Any], folder: Path) -> None:
    from corpora.exports._files import Rows, Tally

    write: Callable[[Corpus, list[Rows], Path], None] = importlib.import_module(FORMS[request.form]).write
    with Progress(f"export {request.corpus.name}", told["utterances"], "utterances") as progress:
        tally = Tally(progress)
        splits = [Rows(request.corpus, split, tally) for split in told["splits"]]
        write(request.corpus, splits, folder)
    fsync_tree(folder)
    write_json_atomic(folder / "export.json", dict(told))

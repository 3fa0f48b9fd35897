"""A published version with other contents: what a version of earlier days, or one made by hand, looks like."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from store.corpus import Corpus
from store.opening import open_store
from store.versions import link_current
from store.writing import write_json_atomic


def handmade(corpus: Corpus, change: Callable[[Path, dict[str, Any]], None]) -> Corpus:
    """A copy of a corpus's version under the name `handmade`, current, after `change(folder, manifest)`.

    Its name is no hash, and its manifest says nothing of bytes: nobody can hold its contents against it.
    """
    folder = corpus.path.with_name("handmade")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(corpus.path, folder)
    manifest = {**corpus.manifest, "version": folder.name}
    for entry in [*manifest["shards"], manifest["rejections"]]:
        entry.pop("sha256", None)
        entry.pop("bytes", None)
    change(folder, manifest)
    write_json_atomic(folder / "manifest.json", manifest)
    link_current(folder.parent, folder.name)
    return open_store(folder.parents[2]).corpus(corpus.name)

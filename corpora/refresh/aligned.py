"""A refresh and what follows for text without times: its recordings go to the aligner, where a model knows their language.

The aligner is a program of another room (`python -m training align`), started as a process: nothing here imports it.
Whether a released model would do is read from what stands in the store.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from corpora.errors import NothingImportedError
from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from store.errors import NotPublishedError, StoreError
from store.store import Store
from store.writing import read_json


def refresh_and_align(request: RefreshRequest, store: Store) -> dict[str, Any]:
    """`refresh`, and in its answer under `aligned` what became of the recordings that wait for times, if anything did.

    Where nothing has times from the start, the answer is that of the aligned corpus.

    Raises:
        NothingImportedError: nothing was published, and nothing could be aligned. Also what `refresh` raises.
    """
    try:
        result = refresh(request)
    except NothingImportedError as error:
        if not error.waits or not knows_language(store, error.waits):
            raise
        aligned = run_aligner(store, error.waits)
        return {**aligned["published"], "aligned": aligned}
    if result["published"] and knows_language(store, result["corpus"]):
        result["aligned"] = run_aligner(store, result["corpus"])
    return result


def knows_language(store: Store, name: str) -> bool:
    """Whether recordings of the corpus `name` wait, under a licence, in a language that the released model has learnt."""
    if store.is_shared or name not in store.quarantined_names():
        return False
    try:
        waiting = store.quarantined(name).manifest
        model = read_json(store.root / "models" / "released" / "model.json")
    except (NotPublishedError, StoreError):
        return False
    if not waiting.get("needs_alignment") or not waiting.get("licence"):
        return False
    wanted = str(waiting.get("language") or "en").partition("-")[0]
    return wanted in {one.partition("-")[0] for one in str(model.get("language", "")).split()}


def run_aligner(store: Store, name: str) -> dict[str, Any]:
    """Align what waits of the corpus `name` and publish it; the aligner's answer. Its progress and sentences pass through.

    Raises:
        NothingImportedError: it failed.
    """
    command = [sys.executable, "-m", "training", "align", "--waiting", name, "--publish", "--json"]
    done = subprocess.run(
        [*command, "--store", str(store.root)], stdout=subprocess.PIPE, text=True, check=False
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError as error:
        raise NothingImportedError(
            f"the recordings of {name} could not be aligned (the reason stands above); they wait as before: "
            f"python -m training align --waiting {name} --publish"
        ) from error
    return answer

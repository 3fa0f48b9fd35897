"""What a store holds as events of OpenLineage: one COMPLETE event per thing that was made, to a file or a URL.

Inputs and outputs are datasets of the namespace `speechmill://<store's name>`, named by kind and name, their version in
the facet `version`. Run ids follow from what was made, times from the manifests' files: the same store gives the same
events. Runs nothing and reads manifests only.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from corpora.lineage.graph import Graph, Node, load_graph
from store.errors import StoreError
from store.store import Store
from store.writing import write_bytes_atomic

PRODUCER = "urn:speechmill"
_SPEC = "https://openlineage.io/spec"
_SCHEMA = f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent"
_VERSION_FACET = f"{_SPEC}/facets/1-0-1/DatasetVersionDatasetFacet.json#/$defs/DatasetVersionDatasetFacet"
_JOBS = {
    "corpus": "corpora.refresh",
    "language_model": "lm.build",
    "run": "training.run",
    "model": "training.release",
    "evaluation": "training.evaluate",
}
_PATHS = {
    "corpus": "corpora/{name}/{version}/manifest.json",
    "language_model": "language_models/{name}/{version}/manifest.json",
    "run": "runs/{name}/inputs.json",
    "model": "models/{name}/model.json",
    "evaluation": "evaluations/{name}/evaluation.json",
}
_WAIT_S = 10.0


def events(store: Store, namespace: str = "store") -> list[dict[str, Any]]:
    """One event per corpus version, language model, run, model and evaluation, in an order in which inputs come first."""
    graph = load_graph(store)
    made = [node for kind in _JOBS for node in graph.nodes.values() if node.kind == kind]
    return [
        _event(store, graph, node, f"speechmill://{namespace}")
        for node in made
        if not node.facts.get("missing")
    ]


def _event(store: Store, graph: Graph, node: Node, namespace: str) -> dict[str, Any]:
    name, _, version = node.id.partition("@")
    path = store.root / _PATHS[node.kind].format(name=name, version=version)
    path = path if path.is_file() else Path(str(path).replace("/corpora/", "/quarantine/"))
    when = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
    inputs = [graph.nodes[edge.parent] for edge in graph.parents(node.key)]
    return {
        "eventType": "COMPLETE",
        "eventTime": when,
        "producer": PRODUCER,
        "schemaURL": _SCHEMA,
        "run": {"runId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{PRODUCER}/{node.key}")), "facets": {}},
        "job": {"namespace": namespace, "name": f"{_JOBS[node.kind]}.{name}", "facets": {}},
        "inputs": [_dataset(one, namespace) for one in inputs],
        "outputs": [_dataset(node, namespace)],
    }


def _dataset(node: Node, namespace: str) -> dict[str, Any]:
    mark = "#" if node.kind in ("source", "text") else "@"
    name, _, version = node.id.rpartition(mark) if mark in node.id else (node.id, "", node.id)
    facet = {"_producer": PRODUCER, "_schemaURL": _VERSION_FACET, "datasetVersion": version or node.id}
    return {"namespace": namespace, "name": f"{node.kind}/{name}", "facets": {"version": facet}}


def send(found: list[dict[str, Any]], to: str) -> None:
    """Write events to a file, one a line, or post each to an OpenLineage URL.

    Raises:
        StoreError: the file cannot be written, or the server does not take them; names its answer.
    """
    if not to.startswith(("http://", "https://")):
        write_bytes_atomic(
            Path(to), b"".join(json.dumps(one, sort_keys=True).encode() + b"\n" for one in found)
        )
        return
    import httpx

    try:
        with httpx.Client(timeout=_WAIT_S) as client:
            for one in found:
                client.post(to, json=one).raise_for_status()
    except httpx.HTTPError as error:
        raise StoreError(f"{to} does not take the events: {error}") from error

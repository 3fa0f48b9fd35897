"""Everything published in a store as one graph, read from the manifests alone: what was made of what, and by what right.

    source → corpus → language_model, run → model → (in force)      corpus, run, language_model → evaluation

Nodes are versions and runs, never single utterances (`rows.py` leads to those). A manifest that cannot be read is named
in `unreadable` and passed over. Reads JSON; opens no shard.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store.pages.numbers import count, percent, size
from store.pages.numbers import hours as told_hours
from store.store import Store

KINDS = ("source", "text", "corpus", "language_model", "run", "model", "evaluation")


@dataclass(frozen=True)
class Node:
    """Something that was made.

    Attributes:
        kind: one of KINDS. id: unique among its kind: `name@version` of corpora and language models.
        says: what it is, in a few words. facts: figures for people and programs.
    """

    kind: str
    id: str
    says: str
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """`kind:id`."""
        return f"{self.kind}:{self.id}"


@dataclass(frozen=True)
class Edge:
    """`child` was made of `parent`.

    Attributes:
        role: how. split: the part of a corpus that counted for it; "" where all of it did, or it is no corpus.
    """

    parent: str
    child: str
    role: str
    split: str = ""


@dataclass
class Graph:
    """Nodes by key, edges, and manifests that could not be read."""

    nodes: dict[str, Node] = field(default_factory=dict)
    edges: list[Edge] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def parents(self, key: str) -> list[Edge]:
        """What a node was made of."""
        return [edge for edge in self.edges if edge.child == key]

    def children(self, key: str, split: str = "") -> list[Edge]:
        """What was made with a node; of a corpus with one split only, where it is named."""
        return [e for e in self.edges if e.parent == key and (not split or e.split in ("", split))]


def load_graph(store: Store) -> Graph:
    """The graph of a store."""
    graph = Graph()
    for add, pattern in (
        (_add_corpus, "corpora/*/*/manifest.json"),
        (_add_corpus, "quarantine/*/*/manifest.json"),
        (_add_language_model, "language_models/*/*/manifest.json"),
        (_add_run, "runs/*/inputs.json"),
        (_add_model, "models/*/model.json"),
        (_add_evaluation, "evaluations/*/evaluation.json"),
    ):
        for path in sorted(store.root.glob(pattern)):
            if path.parent.is_symlink() or path.parent.name.startswith("."):
                continue
            try:
                add(graph, path, json.loads(path.read_bytes()))
            except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                graph.unreadable.append(str(path))
    graph.edges = [e for e in graph.edges if e.child in graph.nodes]
    for edge in graph.edges:
        if edge.parent not in graph.nodes:
            kind, _, name = edge.parent.partition(":")
            graph.nodes[edge.parent] = Node(kind, name, "not in this store any more", {"missing": True})
    return graph


def _current(path: Path) -> bool:
    """Whether the folder of a manifest is the version in force."""
    link = path.parent.parent / "current"
    return link.is_symlink() and link.readlink().name == path.parent.name


def _add_corpus(graph: Graph, path: Path, said: dict[str, Any]) -> None:
    name, version = path.parent.parent.name, path.parent.name
    hours, utterances = said.get("hours", 0.0), said.get("utterances", 0)
    facts = {
        "hours": hours,
        "utterances": utterances,
        "licence": said.get("licence"),
        "current": _current(path),
        "curation": said.get("curation"),
        "path": str(path.parent),
    }
    node = Node("corpus", f"{name}@{version}", f"{count(utterances)} utterances, {told_hours(hours)}", facts)
    graph.nodes[node.key] = node
    for source in said.get("sources", []):
        digest = hashlib.sha256(json.dumps(source, sort_keys=True).encode()).hexdigest()[:16]
        title = str(source.get("name", "a source"))
        one = Node("source", f"{title}#{digest}", size(source.get("bytes", 0)), source)
        graph.nodes[one.key] = one
        graph.edges.append(Edge(one.key, node.key, "imported"))


def _add_language_model(graph: Graph, path: Path, said: dict[str, Any]) -> None:
    name, version = path.parent.parent.name, path.parent.name
    inputs = said.get("inputs") or {}
    hash_of = (said.get("identity") or {}).get("lm_hash")
    facts = {"lm_hash": hash_of, "order": said.get("order"), "current": _current(path)}
    node = Node("language_model", f"{name}@{version}", f"order {said.get('order')}", facts)
    graph.nodes[node.key] = node
    for corpus in inputs.get("training", []):
        graph.edges.append(
            Edge(f"corpus:{corpus['corpus']}@{corpus['version']}", node.key, "its train text", "train")
        )
    for text in inputs.get("text", []):
        one = Node("text", f"{text['name']}#{str(text['sha256'])[:16]}", size(text.get("bytes", 0)), text)
        graph.nodes[one.key] = one
        graph.edges.append(Edge(one.key, node.key, "text"))


def _add_run(graph: Graph, path: Path, said: dict[str, Any]) -> None:
    run = path.parent.name
    state = _beside(path, "state.json")
    rate = state.get("dev_wer")
    says = f"{state.get('state', 'no state')}" + ("" if rate is None else f", dev WER {percent(rate)}")
    node = Node("run", run, says, {"step": state.get("step"), "dev_wer": rate})
    graph.nodes[node.key] = node
    for name, version in (said.get("corpora") or {}).items():
        graph.edges.append(Edge(f"corpus:{name}@{version}", node.key, "learnt from its train", "train"))


def _beside(path: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads((path.parent / name).read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _add_model(graph: Graph, path: Path, said: dict[str, Any]) -> None:
    model = path.parent.name
    pointer = path.parent.parent / "released"
    released = pointer.is_symlink() and pointer.readlink().name == model
    node = Node("model", model, "in force" if released else "not in force", {"released": released})
    graph.nodes[node.key] = node
    graph.edges.append(Edge(f"run:{said['run']}", node.key, "packaged"))
    lm = said.get("language_model")
    if lm:
        graph.edges.append(Edge(f"language_model:{lm['name']}@{lm['version']}", node.key, "decodes with it"))


def _add_evaluation(graph: Graph, path: Path, said: dict[str, Any]) -> None:
    rates = {name: said[name]["wer"] for name in ("greedy", "corrected", "lm") if said.get(name)}
    split = str(said.get("split", "test"))
    says = f"{said['corpus']} {split}: " + ", ".join(
        f"{name} {percent(rate)}" for name, rate in rates.items()
    )
    node = Node("evaluation", path.parent.name, says, {"wer": rates, "split": split})
    graph.nodes[node.key] = node
    corpus = f"corpus:{said['corpus']}@{said['corpus_version']}"
    graph.edges.append(Edge(corpus, node.key, f"measured on its {split}", split))
    graph.edges.append(Edge(f"run:{said['run']}", node.key, "measured"))
    lm = said.get("language_model")
    if lm:
        graph.edges.append(Edge(f"language_model:{lm['name']}@{lm['version']}", node.key, "decoded with it"))


def versions_of(graph: Graph, name: str) -> Iterator[Node]:
    """The versions of a corpus or a language model."""
    for node in graph.nodes.values():
        if node.kind in ("corpus", "language_model") and node.id.partition("@")[0] == name:
            yield node

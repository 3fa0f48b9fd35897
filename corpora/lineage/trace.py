"""From anything that has a name to what it was made of and what was made with it.

A name may be an evaluation, a model, a run, a language model, a corpus (each also by the beginning of its id, or
`name@version`), a source file, a figure such as `15.3%`, an utterance, a donor or speaker, a file inside a source, or a
sentence; `kind:name` says which is meant. Answers trees; changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from corpora.lineage.graph import KINDS, Edge, Graph, Node, load_graph, versions_of
from corpora.lineage.rows import Place, find_rows
from store.errors import UsageError
from store.store import Store

_FIGURE = re.compile(r"(\d+(?:\.(\d+))?)\s*%")
_LEAST = 4  # letters of an id's beginning
_ROWS = ("utterance", "donor", "file", "sentence")


def trace(store: Store, asked: str) -> dict[str, Any]:
    """Everything that a name may mean, with its trees.

    Returns:
        asked; found: a list of {kind, id, says, facts, made_of, made_with}, the last two lists of trees
        {kind, id, says, role, of: […]}; unreadable (manifests), not_looked_at (versions without an index).

    Raises:
        UsageError: nothing has that name.
    """
    graph = load_graph(store)
    kind, _, name = asked.partition(":")
    kind, name = (kind, name) if kind in (*_ROWS, *KINDS) else ("", asked)
    nodes = _named(graph, kind, name.strip())
    answer: dict[str, Any] = {"asked": asked, "found": [_of_node(graph, node) for node in nodes]}
    missing: list[str] = []
    if not nodes and (not kind or kind in _ROWS):
        kinds = (kind,) if kind else _ROWS if " " in name.strip() else _ROWS[:3]
        places = find_rows(store, name.strip(), kinds)
        missing = places.not_looked_at
        answer["found"] = [_of_rows(graph, name.strip(), places.found)] if places.found else []
    if not answer["found"]:
        beside = f"; versions without an index were not looked at: {', '.join(missing)}" if missing else ""
        raise UsageError(
            f"nothing here is called {asked!r}: wanted is an evaluation, model, run, language model, corpus, source, "
            f"utterance, donor, speaker, file, sentence, or a figure such as 15.3%{beside}"
        )
    return {**answer, "unreadable": graph.unreadable, "not_looked_at": missing}


def _named(graph: Graph, kind: str, name: str) -> list[Node]:
    """The nodes that a name may mean."""
    figure = _FIGURE.fullmatch(name)
    if figure and kind in ("", "evaluation"):
        digits = len(figure[2] or "")
        return [
            node
            for node in graph.nodes.values()
            if node.kind == "evaluation"
            and any(f"{100 * rate:.{digits}f}" == figure[1] for rate in node.facts["wer"].values())
        ]
    exact = [node for node in graph.nodes.values() if node.id == name and kind in ("", node.kind)]
    if exact or not name:
        return exact
    versions = [node for node in versions_of(graph, name) if kind in ("", node.kind)]
    if versions:
        return [node for node in versions if node.facts.get("current")] or versions
    begins = [node for node in graph.nodes.values() if kind in ("", node.kind) and _begins(node, name)]
    return begins


def _begins(node: Node, name: str) -> bool:
    """Whether a name is the beginning of a node's id or version, or the whole name of a source."""
    if node.kind in ("source", "text"):
        return node.id.rpartition("#")[0] == name
    return len(name) >= _LEAST and any(
        part.startswith(name) for part in (node.id, node.id.rpartition("@")[2])
    )


def _of_node(graph: Graph, node: Node) -> dict[str, Any]:
    return {
        **_plain(node),
        "facts": dict(node.facts),
        "made_of": list(_up(graph, node.key)),
        "made_with": list(_down(graph, node.key, "")),
    }


def _plain(node: Node) -> dict[str, Any]:
    return {"kind": node.kind, "id": node.id, "says": node.says}


def _up(graph: Graph, key: str) -> Iterator[dict[str, Any]]:
    for edge in graph.parents(key):
        yield {**_tip(graph, edge, edge.parent), "of": list(_up(graph, edge.parent))}


def _down(graph: Graph, key: str, split: str) -> Iterator[dict[str, Any]]:
    for edge in graph.children(key, split):
        yield {**_tip(graph, edge, edge.child), "of": list(_down(graph, edge.child, ""))}


def _tip(graph: Graph, edge: Edge, key: str) -> dict[str, Any]:
    return {**_plain(graph.nodes[key]), "role": edge.role}


def _of_rows(graph: Graph, name: str, places: list[Place]) -> dict[str, Any]:
    """Rows in some versions: what they come from, and per version what was made with the splits they stand in."""
    held, made = [], []
    for place in places:
        key = f"corpus:{place.corpus}@{place.version}"
        node = graph.nodes[key]
        counted = ", ".join(f"{count} {split}" for split, count in place.by_split.items())
        current = " (current)" if node.facts.get("current") else ""
        tip = {**_plain(node), "says": f"{counted}{current}", "role": "stands in"}
        held.append({**tip, "of": list(_up(graph, key))})
        under = [one for split in place.by_split if split != "refused" for one in _down(graph, key, split)]
        if under:
            made.append({**tip, "of": _once(under)})
    example = places[-1].example
    where = {key: example.get(key) for key in ("source_path", "line", "start_s", "end_s", "reason")}
    facts = {
        "places": [{k: v for k, v in asdict(place).items() if k != "example"} for place in places],
        "text": example.get("text") or example.get("text_raw"),
        "speaker": example.get("speaker_id"),
        "donor": example.get("donor_id"),
        **{key: value for key, value in where.items() if value is not None},
    }
    says = f"{sum(sum(place.by_split.values()) for place in places)} rows in {len(places)} versions"
    tips = {"kind": places[0].kind, "id": name, "says": says, "facts": facts}
    return {**tips, "made_of": held, "made_with": made}


def _once(trees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({(tree["kind"], tree["id"]): tree for tree in trees}.values())


def as_text(answer: dict[str, Any]) -> str:
    """The trees for a terminal."""
    lines: list[str] = []
    for found in answer["found"]:
        lines.append(f"{found['kind']} {found['id']}: {found['says']}")
        told = {
            k: v for k, v in found["facts"].items() if v not in (None, "") and not isinstance(v, dict | list)
        }
        lines += [f"  {key}: {value}" for key, value in told.items()]
        for title, key in (("made of", "made_of"), ("made with it", "made_with")):
            lines.append(f"  {title}:" if found[key] else f"  {title}: nothing in this store")
            lines += _branches(found[key], 4)
    lines += [f"cannot be read: {path}" for path in answer["unreadable"]]
    lines += [
        f"not looked at: {one} (python -m corpora index {one.replace('@', ' --version ')})"
        for one in answer["not_looked_at"]
    ]
    return "\n".join(lines)


def _branches(trees: list[dict[str, Any]], indent: int) -> Iterator[str]:
    for tree in trees:
        yield f"{' ' * indent}{tree['role']}: {tree['kind']} {tree['id']} ({tree['says']})"
        yield from _branches(tree["of"], indent + 2)

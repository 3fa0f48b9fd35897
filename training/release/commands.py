"""The verbs of released models: export, release, models, promote, rollback, reproduce."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scoring.wer import rate_name
from store.console import emit
from store.store import Store

Add = Callable[[str, Any, str], argparse.ArgumentParser]
FORMS = ("onnx", "onnx-int8", "onnx-streaming", "litert", "litert-int8", "saved-model")


def add_parsers(add: Add) -> None:
    """Add the verbs; `add` makes a command of a name, a function and a line of help."""
    export = add(
        "export", _export, "write a network in the form another program reads, checked on real utterances"
    )
    export.add_argument("source", metavar="RUN|MODEL", help="id, or a beginning of it")
    export.add_argument("--form", required=True, choices=FORMS)
    export.add_argument(
        "--out", type=Path, help="file (saved-model: folder); default: here, named after the source"
    )
    release = add("release", _release, "package a run: weights, alphabet, language model, card; a candidate")
    release.add_argument("run", metavar="RUN", help="id of a run, or a beginning of it")
    release.add_argument(
        "--lm", help="name or folder of a language model; default: `default` where published"
    )
    release.add_argument("--promote", metavar="WHY", help="and put it in force, for this reason")
    models = add("models", _models, "the packaged models: which is in force, which are candidates")
    models.add_argument("--history", action="store_true", help="who decided what, when and why")
    promote = add("promote", _promote, "put a model in force; the one before it is retired")
    promote.add_argument("model", metavar="MODEL", help="id, or a beginning of it")
    rollback = add("rollback", _rollback, "put the model in force that was so before")
    for one in (promote, rollback):
        one.add_argument("--why", required=True, help="the reason, for the history")
        one.add_argument("--who", help="the decider (default: this user)")
    again = add("reproduce", _reproduce, "train and measure a model again and say what differs")
    again.add_argument("model", metavar="MODEL", nargs="?", help="default: the released one")


def _export(options: argparse.Namespace, store: Store) -> None:
    from training.release.export import ExportRequest, export

    result = export(ExportRequest(options.source, options.form, options.out), store)
    c = result["checked"]
    text = (
        f"{result['path']}: {result['bytes']:,} bytes; on {c['utterances']} utterances the same letter in "
        f"{c['same_label']:.2%} of the frames, greedy WER {c['wer_network']:.2%} → {c['wer_form']:.2%}"
    )
    emit(result, options.json, text)


def _release(options: argparse.Namespace, store: Store) -> None:
    from training.release.package import ReleaseRequest, release
    from training.release.registry import Registry

    model = release(ReleaseRequest(options.run, options.lm), store)
    registry = Registry(store)
    if options.promote and model.state != "released":
        registry.promote(model.id, options.promote)
        model = registry.model(model.id)
    answer = {"model": model.id, "state": model.state, "path": str(model.path)}
    emit(answer, options.json, f"model {model.id}: {model.state}\n{model.path}")


def _models(options: argparse.Namespace, store: Store) -> None:
    from dataclasses import asdict

    from training.release.registry import Registry

    registry = Registry(store)
    if options.history:
        decisions = [asdict(one) for one in registry.history()]
        lines = [
            f"{one['number']:>4}  {one['when']}  {one['action']:<8}  {one['model']}  {one['who']}: {one['why']}"
            for one in decisions
        ]
        emit({"history": decisions}, options.json, "\n".join(lines) or "no decisions yet")
        return
    found = [_shown(model.id, model.state, model.manifest) for model in registry.models()]
    lines = [
        f"{one['model']}  {one['state']:<9}  {one['parameters']:>11,} weights  {one['hours']:7.2f} h  {_best(one)}"
        for one in found
    ]
    emit({"models": found}, options.json, "\n".join(lines) or f"no models in {registry.folder}")


def _shown(model: str, state: str, manifest: dict[str, Any]) -> dict[str, Any]:
    return {
        "model": model,
        "state": state,
        "run": manifest["run"],
        "language": manifest["language"],
        "parameters": manifest["parameters"],
        "hours": round(sum(manifest["hours_by_corpus"].values()), 4),
        "evaluations": manifest["evaluations"],
    }


def _best(one: dict[str, Any]) -> str:
    measured = [found for found in one["evaluations"] if "greedy" in found]
    rates = [
        f"{found['corpus']} {rate_name(found.get('unit'))} {(found.get('lm') or found['greedy'])['wer']:.2%}"
        for found in measured
    ]
    return ", ".join(rates) or "not measured"


def _promote(options: argparse.Namespace, store: Store) -> None:
    from training.release.registry import Registry

    _decided(Registry(store).promote(options.model, options.why, options.who), options)


def _rollback(options: argparse.Namespace, store: Store) -> None:
    from training.release.registry import Registry

    _decided(Registry(store).rollback(options.why, options.who), options)


def _decided(decision: Any, options: argparse.Namespace) -> None:
    before = f" (before: {decision.before})" if decision.before else ""
    emit(vars(decision), options.json, f"model {decision.model} is in force{before}")


def _reproduce(options: argparse.Namespace, store: Store) -> int | None:
    from training.release.reproduce import reproduce

    result = reproduce(options.model, store)
    verdict = "the same weights, byte for byte" if result["same_weights"] else "other weights"
    emit(result, options.json, "\n".join([f"model {result['model']}: {verdict}", *result["differences"]]))
    same = result["same_weights"] and all(one["same"] for one in result["evaluations"])
    return None if same else 1

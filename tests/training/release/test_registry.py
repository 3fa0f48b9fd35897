"""The registry: one pointer, an append-only history, and what an interrupted decision leaves behind."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from store.opening import open_store
from store.store import Store
from store.writing import sha256_file, write_bytes_atomic, write_json_atomic
from training.release.errors import ModelNotFoundError, ReleaseError
from training.release.registry import Registry


def package(store: Store, name: str) -> Path:
    """A package of one file."""
    folder = store.root / "models" / name
    folder.mkdir(parents=True)
    write_bytes_atomic(folder / "weights.npz", name.encode())
    facts = {"bytes": len(name), "sha256": sha256_file(folder / "weights.npz")}
    write_json_atomic(folder / "model.json", {"model": name, "files": {"weights.npz": facts}})
    return folder


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    store = open_store(tmp_path)
    made = Registry(store)
    for name in ("aaaa", "abbb", "cccc"):
        package(store, name)
        made.register(name, "made by a test", "tester")
    return made


def states(registry: Registry) -> dict[str, str]:
    return {one.id: one.state for one in registry.models()}


def test_candidates_become_released_and_then_retired(registry: Registry) -> None:
    assert states(registry) == {"aaaa": "candidate", "abbb": "candidate", "cccc": "candidate"}
    assert registry.released() is None
    registry.promote("aaaa", "the first")
    registry.promote("cc", "better by two points", "eva")
    assert states(registry) == {"cccc": "released", "abbb": "candidate", "aaaa": "retired"}
    last = registry.history()[-1]
    assert (last.action, last.model, last.before, last.who) == ("promote", "cccc", "aaaa", "eva")
    assert str((registry.folder / "released").readlink()) == "cccc"


def test_rollback_goes_back_step_by_step(registry: Registry) -> None:
    for name in ("aaaa", "abbb", "cccc"):
        registry.promote(name, "next")
    assert registry.rollback("worse in the field").model == "abbb"
    assert registry.rollback("worse still").model == "aaaa"
    with pytest.raises(ReleaseError, match="nothing to go back to"):
        registry.rollback("and again")
    registry.promote("cccc", "mended")
    assert registry.rollback("no").model == "aaaa"


def test_names_are_unique_beginnings(registry: Registry) -> None:
    with pytest.raises(ModelNotFoundError, match="2 models begin with it"):
        registry.model("a")
    with pytest.raises(ModelNotFoundError, match="there is none"):
        registry.model("x")
    with pytest.raises(ModelNotFoundError, match="no model is released"):
        registry.model()


def test_registering_twice_is_one_decision_and_reasons_are_asked_for(registry: Registry) -> None:
    registry.register("aaaa", "again")
    assert [one.action for one in registry.history()] == ["register"] * 3
    with pytest.raises(ReleaseError, match="needs a reason"):
        registry.promote("aaaa", "  ")
    assert registry.released() is None


def test_a_damaged_package_is_not_put_in_force(registry: Registry) -> None:
    registry.promote("aaaa", "first")
    (registry.folder / "cccc" / "weights.npz").write_bytes(b"cccd")
    with pytest.raises(ReleaseError, match=r"weights\.npz is missing or was changed"):
        registry.promote("cccc", "second")
    assert registry.released() is not None and registry.model().id == "aaaa"


def test_a_decision_without_its_pointer_is_brought_to_its_end(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.promote("aaaa", "first")

    def die(name: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(registry, "_point", die)
        registry.promote("cccc", "second")
    assert registry.model().id == "aaaa"
    registry.register("abbb", "whoever decides next")
    assert registry.model().id == "cccc"


def test_half_a_line_is_dropped_and_a_changed_one_is_named(registry: Registry) -> None:
    path = registry.folder / "history.jsonl"
    with path.open("a") as stream:
        stream.write('{"action": "prom')
    registry.promote("aaaa", "after a crash")
    assert [one.number for one in registry.history()] == [1, 2, 3, 4]
    lines = path.read_text().splitlines()
    changed = json.loads(lines[1]) | {"why": "something else"}
    path.write_text("\n".join([lines[0], json.dumps(changed, sort_keys=True), *lines[2:]]) + "\n")
    with pytest.raises(ReleaseError, match=r"history\.jsonl:3: does not follow"):
        registry.history()


def test_whoever_looks_while_others_decide_sees_exactly_one(registry: Registry) -> None:
    registry.promote("aaaa", "first")
    seen: set[str] = set()
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            seen.add(registry.model().id)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for turn in range(20):
            registry.promote("cccc" if turn % 2 == 0 else "aaaa", "turn")
    finally:
        stop.set()
        looker.join()
    assert seen <= {"aaaa", "cccc"} and seen

"""Which models there are, which one is in force, and who decided it when and why.

    models/<id>/{model.json, …}     packages; complete when model.json is there (package.py writes them)
    models/released -> <id>         the one in force, moved by one rename
    models/history.jsonl            decisions, appended, never changed; each line carries the hash of the one before

A model is a candidate until it is promoted or rejected, released while the pointer names it, and retired after. A decision
is written before the pointer moves, and a pointer that an interrupted process did not move is moved by the next
who opens the registry to decide: at every moment one model or none is in force, and never a half of one.
Makes no package and measures nothing.
"""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from store.store import Store
from store.writing import explain_write, fsync_dir, read_json, sha256_file, temporary_beside
from training.release.errors import ModelNotFoundError, ReleaseError

STATES = ("candidate", "released", "retired", "rejected")
_ORDER = ("released", "candidate", "retired", "rejected")
_MOVES = ("promote", "rollback")
MANIFEST = "model.json"
_POINTER, _HISTORY = "released", "history.jsonl"


@dataclass(frozen=True)
class Decision:
    """One line of the history.

    Attributes:
        action: register, promote, rollback or reject.
        model: the id it is about; after promote and rollback the one in force.
        before: the id that was in force until then, or None.
        when: UTC, ISO 8601. why: the decider's words.
        package_sha256: of the model's model.json at that time.
        previous_sha256: of the line before, "" for the first.
    """

    number: int
    action: str
    model: str
    before: str | None
    who: str
    when: str
    why: str
    package_sha256: str
    previous_sha256: str


@dataclass(frozen=True)
class Model:
    """A packaged model in the store."""

    id: str
    path: Path
    state: str

    @property
    def manifest(self) -> dict[str, Any]:
        """model.json."""
        loaded: dict[str, Any] = read_json(self.path / MANIFEST)
        return loaded


class Registry:
    """The models of one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.folder = store.root / "models"

    def released(self) -> Model | None:
        """The model in force, or None.

        Raises:
            ReleaseError: the one that is in force was deleted by hand.
        """
        name = self._pointed()
        if name is None:
            return None
        if not (self.folder / name / MANIFEST).is_file():
            raise ReleaseError(
                f"{self.folder / _POINTER} names {name}, which is not there: restore it, or promote another model"
            )
        return Model(name, self.folder / name, "released")

    def models(self) -> list[Model]:
        """All complete packages: the released one first, then candidates, then retired ones, each by id."""
        names = sorted(
            path.parent.name for path in self.folder.glob(f"*/{MANIFEST}") if not path.parent.is_symlink()
        )
        ever = {one.model for one in self.history() if one.action in _MOVES}
        rejected = {one.model for one in self.history() if one.action == "reject"}
        now = self._pointed()
        states = {
            name: "released"
            if name == now
            else "retired"
            if name in ever
            else "rejected"
            if name in rejected
            else "candidate"
            for name in names
        }
        order = {state: place for place, state in enumerate(_ORDER)}
        return [
            Model(name, self.folder / name, states[name])
            for name in sorted(names, key=lambda name: (order[states[name]], name))
        ]

    def model(self, name: str | None = None) -> Model:
        """A model by its id or a unique beginning of it; None = the released one.

        Raises:
            ModelNotFoundError: there is none, or several begin so.
        """
        if name is None:
            now = self.released()
            if now is None:
                raise ModelNotFoundError(
                    f"no model is released in {self.folder}: release one with `python -m training release RUN "
                    "--promote`, or name one with --model"
                )
            return now
        models = self.models()
        found = [one for one in models if one.id.startswith(name)] if name else []
        if len(found) != 1:
            there = ", ".join(one.id for one in models) or "none yet"
            what = f"{len(found)} models begin with it" if found else "there is none"
            raise ModelNotFoundError(f"model {name!r}: {what} in {self.folder}; models: {there}")
        return found[0]

    def newest_candidate(self) -> str:
        """The id of the candidate that came last.

        Raises:
            ModelNotFoundError: there is none.
        """
        waiting = {one.id for one in self.models() if one.state == "candidate"}
        for one in reversed(self.history()):
            if one.action == "register" and one.model in waiting:
                return one.model
        raise ModelNotFoundError(
            f"no candidate waits in {self.folder}: retrain packages what it has measured"
        )

    def history(self) -> list[Decision]:
        """All decisions, oldest first.

        Raises:
            ReleaseError: a line was changed, lost or added by hand.
        """
        decisions, previous = [], ""
        for number, line in enumerate(self._lines(), start=1):
            try:
                one = Decision(**json.loads(line))
            except (ValueError, TypeError) as error:
                raise ReleaseError(f"{self.folder / _HISTORY}:{number}: not a decision: {error}") from error
            if one.previous_sha256 != previous or one.number != number:
                raise ReleaseError(
                    f"{self.folder / _HISTORY}:{number}: does not follow from the line before: the history was "
                    "changed by hand; restore it from a copy"
                )
            previous = _hash(line)
            decisions.append(one)
        return decisions

    def register(self, model: str, why: str, who: str | None = None) -> Decision:
        """Note that a package has come; a second call for the same one changes nothing.

        Raises:
            ModelNotFoundError: no such package.
        """
        with self._deciding():
            name = self.model(model).id
            for one in self.history():
                if one.action == "register" and one.model == name:
                    return one
            return self._append("register", name, why, who)

    def promote(self, model: str, why: str, who: str | None = None) -> Decision:
        """Put a model in force; the one before it is retired.

        Args:
            who: the decider; default the user of this process.

        Raises:
            ModelNotFoundError: no such model. ReleaseError: its files are damaged, no reason was given, or it
                is in force already.
        """
        with self._deciding():
            name = self.model(model).id
            if name == self._pointed():
                raise ReleaseError(f"model {name} is in force already")
            return self._put_in_force("promote", name, why, who)

    def reject(self, model: str, why: str, who: str | None = None) -> Decision:
        """Note that a candidate shall not be put in force; nothing moves, and it may be promoted later all the same.

        Raises:
            ModelNotFoundError: no such model. ReleaseError: no reason was given, or it is the one in force.
        """
        with self._deciding():
            name = self.model(model).id
            if name == self._pointed():
                raise ReleaseError(f"model {name} is in force: go back from it instead of rejecting it")
            return self._append("reject", name, why, who)

    def rollback(self, why: str, who: str | None = None) -> Decision:
        """Put the model in force that was so before the present one.

        Raises:
            ReleaseError: there was none before, or its files are damaged.
        """
        with self._deciding():
            earlier = _in_force(self.history())
            if len(earlier) < 2:
                raise ReleaseError(
                    f"nothing to go back to: {len(earlier)} models were in force in {self.folder}"
                )
            return self._put_in_force("rollback", earlier[-2], why, who)

    def _put_in_force(self, action: str, name: str, why: str, who: str | None) -> Decision:
        check_package(self.folder / name)
        decision = self._append(action, name, why, who)
        self._point(name)
        return decision

    @contextmanager
    def _deciding(self) -> Iterator[None]:
        """The lock of whoever decides; what an interrupted decision left is brought to its end first."""
        with self.store.lock("models"):
            self._settle()
            yield

    def _settle(self) -> None:
        earlier = _in_force(self.history())
        if earlier and earlier[-1] != self._pointed():
            self._point(earlier[-1])

    def _append(self, action: str, name: str, why: str, who: str | None) -> Decision:
        if not why.strip():
            raise ReleaseError("a decision needs a reason: say why")
        lines = self._lines()
        decision = Decision(
            number=len(lines) + 1,
            action=action,
            model=name,
            before=self._pointed(),
            who=who or getpass.getuser(),
            when=datetime.now(UTC).isoformat(timespec="seconds"),
            why=why.strip(),
            package_sha256=sha256_file(self.folder / name / MANIFEST),
            previous_sha256=_hash(lines[-1]) if lines else "",
        )
        line = json.dumps(asdict(decision), sort_keys=True, ensure_ascii=False)
        path = self.folder / _HISTORY
        with explain_write(path), path.open("r+b" if path.exists() else "w+b") as stream:
            stream.truncate(
                sum(len(one.encode()) + 1 for one in lines)
            )  # half a line of an interrupted process
            stream.seek(0, os.SEEK_END)
            stream.write(line.encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        return decision

    def _lines(self) -> list[str]:
        path = self.folder / _HISTORY
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        return text.split("\n")[:-1]

    def _pointed(self) -> str | None:
        pointer = self.folder / _POINTER
        return str(pointer.readlink()) if pointer.is_symlink() else None

    def _point(self, name: str) -> None:
        temporary = temporary_beside(self.folder / _POINTER)
        with explain_write(self.folder):
            temporary.unlink(missing_ok=True)
            temporary.symlink_to(name, target_is_directory=True)
            temporary.replace(self.folder / _POINTER)
            fsync_dir(self.folder)


def check_package(folder: Path) -> None:
    """Every file that model.json names is there and unchanged.

    Raises:
        ReleaseError: names the first that is not.
    """
    for name, facts in read_json(folder / MANIFEST)["files"].items():
        path = folder / name
        if (
            not path.is_file()
            or path.stat().st_size != facts["bytes"]
            or sha256_file(path) != facts["sha256"]
        ):
            raise ReleaseError(
                f"{path} is missing or was changed since the model was made: make the model again"
            )


def _in_force(history: list[Decision]) -> list[str]:
    """Models in the order in which they came into force; what was rolled back is gone from the end."""
    stack: list[str] = []
    for one in history:
        if one.action == "promote":
            stack.append(one.model)
        elif one.action == "rollback":
            stack = stack[:-1]
            if not stack or stack[-1] != one.model:
                stack.append(one.model)
    return stack


def _hash(line: str) -> str:
    return hashlib.sha256(line.encode()).hexdigest()

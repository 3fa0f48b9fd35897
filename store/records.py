"""JSON objects of the store as frozen dataclasses: attributes with types for programs, items as the file has them.

    @dataclass(frozen=True, eq=False)
    class Manifest(Record): …
    manifest = Manifest.from_json(read)      manifest.hours      manifest["hours"]      manifest.as_json()

What `from_json` was given comes back from `as_json` unchanged, keys that no field knows included: a version is a hash of
that JSON. A key that is missing shows as its field's default and is not added. Nothing here reads or writes files.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any

from store.errors import StoreError

if TYPE_CHECKING:
    from typing import Self


@cache
def _kinds(record_class: type) -> dict[str, tuple[type, ...]]:
    """The types that the value of each field may have, as JSON knows them."""
    found = {}
    for name, hint in typing.get_type_hints(record_class).items():
        parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
        plain = [typing.get_origin(part) or part for part in parts]
        kinds = tuple(kind for kind in plain if isinstance(kind, type))
        found[name] = (*kinds, int) if float in kinds else kinds
    return found


@dataclass(frozen=True, eq=False)
class Record(Mapping[str, Any]):
    """The base of all records; two are equal when their JSON is."""

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The record of a JSON object.

        Raises:
            StoreError: a known key has a value of another kind; names both.
        """
        known = {field.name for field in fields(cls)}
        kinds = _kinds(cls)
        for name in known & said.keys():
            if not isinstance(said[name], kinds[name]):
                wanted = " or ".join("null" if kind is type(None) else kind.__name__ for kind in kinds[name])
                raise StoreError(f"{cls.__name__.lower()}: {name} is {said[name]!r:.60}; wanted: {wanted}")
        record = cls(**{name: said[name] for name in known & said.keys()})
        object.__setattr__(record, "_said", dict(said))
        return record

    def as_json(self) -> dict[str, Any]:
        """The JSON object: what `from_json` was given."""
        said: dict[str, Any] = self.__dict__.get("_said", {})
        return dict(said)

    def replaced(self, **changes: Any) -> Self:
        """A record with some keys changed or added."""
        return self.from_json({**self.as_json(), **changes})

    def __getitem__(self, key: str) -> Any:
        return self.__dict__["_said"][key]

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__.get("_said", {}))

    def __len__(self) -> int:
        return len(self.__dict__.get("_said", {}))

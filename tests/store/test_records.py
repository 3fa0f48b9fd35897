"""Records: typed and frozen outside, the same JSON as before inside."""

from __future__ import annotations

import json
from dataclasses import FrozenInstanceError

import pytest

from store.errors import StoreError
from store.manifests import Manifest
from store.writing import canonical_json

SAID = {
    "kind": "corpus",
    "corpus": "x",
    "hours": 1.5,
    "splits": {"train": {"hours": 1.5}},
    "of_a_later_day": [1],
}


def test_what_was_read_is_written_byte_for_byte() -> None:
    manifest = Manifest.from_json(SAID)
    assert manifest.as_json() == SAID
    assert canonical_json(manifest) == canonical_json(SAID)
    assert canonical_json({"inside": manifest}) == canonical_json({"inside": SAID})
    assert json.loads(canonical_json(manifest.replaced(hours=2)))["hours"] == 2


def test_fields_have_types_and_what_is_missing_its_default_without_being_added() -> None:
    manifest = Manifest.from_json(SAID)
    assert (manifest.hours, manifest.splits["train"]["hours"], manifest.notes) == (1.5, 1.5, [])
    assert "notes" not in manifest and manifest.get("notes") is None
    assert Manifest.from_json({"hours": 3}).hours == 3
    assert manifest == SAID and manifest != {**SAID, "hours": 1}


def test_nothing_can_be_changed() -> None:
    manifest = Manifest.from_json(SAID)
    with pytest.raises(FrozenInstanceError):
        manifest.hours = 2.0  # type: ignore[misc]
    with pytest.raises(TypeError):
        manifest["hours"] = 2.0  # type: ignore[index]
    manifest.as_json()["hours"] = 9
    assert manifest["hours"] == 1.5


@pytest.mark.parametrize(
    ("key", "value"), [("hours", "many"), ("splits", []), ("utterances", 2.5), ("notes", None)]
)
def test_a_value_of_another_kind_is_refused(key: str, value: object) -> None:
    with pytest.raises(StoreError, match=f"manifest: {key} is .*; wanted: "):
        Manifest.from_json({**SAID, key: value})

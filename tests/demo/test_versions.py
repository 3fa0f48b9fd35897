"""The versions of tiny corpora of every layout and of a language model on them, compared with those on record.

A version is a hash of all that was decided, so a change of code that should change nothing leaves them as they are. Who
changes rules, columns or figures on purpose writes the new ones down: the test prints them.
"""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

from corpora.refresh.plan import RefreshRequest
from corpora.refresh.stage import refresh
from demo.layouts import tones
from lm.build import BuildRequest, build

RECORD = Path(__file__).with_name("versions.json")
LAYOUTS = ("librispeech", "tedlium", "fisher", "switchboard", "common_voice", "donated")


@pytest.mark.slow
def test_versions_are_those_on_record(tmp_path: Path) -> None:
    found: dict[str, str] = {}
    for name in LAYOUTS:
        layout = importlib.import_module(f"demo.layouts.{name}")
        written = layout.write(tmp_path / name, tones.utterances(speakers_per_split=2, each=3))
        found[name] = refresh(RefreshRequest(name, (written.path,), store=tmp_path / "store"))["version"]
    found["language model"] = build(BuildRequest(publish="default", store=tmp_path / "store", order=2))[
        "version"
    ]
    print(json.dumps(found, indent=2))  # to be written down, if it was meant
    assert found == json.loads(RECORD.read_text("utf-8"))

"""What a form asks for once: the standing settings with some changed, recognised when it is built already."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from lm.build import build
from lm.errors import LanguageModelUsageError
from lm.form import asked_for, is_current, request_of


def test_only_what_is_filled_in_counts() -> None:
    assert asked_for(
        {"name": None, "order": 4, "prune": [], "text": [], "vocabulary_size": None, "interpolate": False}
    ) == {"order": 4}
    written = asked_for({"order": 4.0, "prune": [0, 0.0, 1.0], "vocabulary_size": 100.0})
    assert written == {"order": 4, "prune": [0, 0, 1], "vocabulary_size": 100}
    assert all(isinstance(one, int) for one in (written["order"], *written["prune"]))
    with pytest.raises(LanguageModelUsageError, match="unknown setting colour"):
        asked_for({"colour": "blue"})


def test_the_standing_settings_are_changed_and_kept_otherwise(store_root: Path) -> None:
    (store_root / "settings.toml").write_text(
        '[[language_models]]\nname = "general"\ncorpora = ["a"]\ntext = ["novels.txt"]\norder = 5\n'
    )
    changed = request_of({"name": "general", "prune": [0, 1], "text": ["/data/more.txt"]}, store_root)
    assert (changed.order, changed.prune, changed.corpora) == (5, (0, 1), ("a",))
    assert changed.text == (store_root / "novels.txt", Path("/data/more.txt"))
    other = request_of({"name": "other", "vocabulary_size": 10}, store_root)
    assert (other.publish, other.order, other.corpora, other.vocabulary_size) == ("other", 3, None, 10)


def test_what_is_built_is_recognised(store_root: Path, write_corpus: Callable[..., Path]) -> None:
    write_corpus("one", {"train": ["a new day", "a new night"]})
    request = request_of({"order": 2}, store_root)
    assert not is_current(request)
    build(request)
    assert is_current(request)
    assert not is_current(request_of({"order": 3}, store_root))

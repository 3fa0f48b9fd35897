"""Order and pruning are said once: request, command, settings and demo give the same."""

from __future__ import annotations

from pathlib import Path

from demo.chain_settings import LanguageModelChoice
from lm.__main__ import _parser
from lm.build import BuildRequest
from lm.defaults import DEFAULT_ORDER, DEFAULT_PRUNE
from lm.form import request_of
from lm.settings import read_settings


def test_every_door_has_the_same_defaults(tmp_path: Path) -> None:
    command = _parser().parse_args(["build", "--publish", "x"])
    choice = LanguageModelChoice("x", ())
    for found in (command, choice, BuildRequest(), read_settings(tmp_path)[0], request_of({}, tmp_path)):
        assert (found.order, tuple(found.prune)) == (DEFAULT_ORDER, DEFAULT_PRUNE)


def test_the_makefile_names_no_order() -> None:
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    assert "ORDER ?=" not in makefile

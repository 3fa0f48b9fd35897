"""The search for weights on an invented surface: the same seed gives the same points, also after a stop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from training.decoding.search import Measured, Plan, Search, best_of
from training.decoding.tune import TuneRequest
from training.decoding.weights import Weights
from training.errors import ConfigError
from training.pages.surface_plot import surface_svg

TARGET_ALPHA, TARGET_BETA = 1.37, 2.71


def bowl(weights: Weights) -> Measured:
    """Fewest errors at the target; a wider beam makes two fewer."""
    distance = (weights.alpha - TARGET_ALPHA) ** 2 + 0.2 * (weights.beta - TARGET_BETA) ** 2
    edits = round(20 + 100 * distance) - 2 * (weights.beam_width > 50)
    return Measured(weights, edits, 3 * edits, edits / 1000, edits / 3000)


class Counted:
    """A surface that counts its measurements and may break off."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.calls = 0
        self.stop_after = stop_after

    def __call__(self, weights: Weights) -> Measured:
        if self.calls == self.stop_after:
            raise KeyboardInterrupt
        self.calls += 1
        return bowl(weights)


def search(folder: Path, plan: Plan, measure: Callable[[Weights], Measured] = bowl) -> Search:
    one = Search(plan, folder / "search.journal", measure)
    one.run()
    return one


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_the_bottom_is_found_and_every_point_kept(tmp_path: Path, sampler: str) -> None:
    done = search(tmp_path, Plan(sampler=sampler, trials=60))
    best = best_of(done.points.values())
    assert abs(best.weights.alpha - TARGET_ALPHA) < 0.2
    assert abs(best.weights.beta - TARGET_BETA) < 0.6
    assert best.word_edits == min(one.word_edits for one in done.points.values())
    assert 24 < len(done.points) <= 60


@pytest.mark.parametrize("plan", [Plan(trials=34), Plan(sampler="grid"), Plan(trials=34, jobs=3)])
def test_a_search_that_was_stopped_ends_like_one_that_was_not(tmp_path: Path, plan: Plan) -> None:
    whole = search(tmp_path / "whole", plan)
    with pytest.raises(KeyboardInterrupt):
        search(tmp_path / "cut", plan, Counted(stop_after=29))
    rest = Counted()
    resumed = search(tmp_path / "cut", plan, rest)
    assert resumed.points == whole.points
    assert list(resumed.points) == list(whole.points)
    assert rest.calls <= len(whole.points) - 29 + plan.jobs
    again = Counted()
    assert search(tmp_path / "cut", plan, again).points == whole.points
    assert again.calls == 0, "a finished search measures nothing"


def test_another_seed_tries_other_points(tmp_path: Path) -> None:
    one = search(tmp_path / "1", Plan(trials=30))
    other = search(tmp_path / "2", Plan(trials=30, seed=2))
    assert one.points.keys() != other.points.keys()
    assert len(one.points.keys() & other.points.keys()) >= 24, "the coarse grid is common"


@pytest.mark.parametrize("sampler", ["grid", "tpe"])
def test_beam_settings_are_searched_too(tmp_path: Path, sampler: str) -> None:
    plan = Plan(sampler=sampler, trials=70, beam_widths=(20, 100), modes=("default", "fast"))
    done = search(tmp_path, plan)
    widths = {one.weights.beam_width for one in done.points.values()}
    assert widths == {20, 100}
    assert best_of(done.points.values()).weights.beam_width == 100


def test_a_damaged_journal_is_begun_anew(tmp_path: Path) -> None:
    plan = Plan(sampler="grid")
    first = search(tmp_path, plan)
    journal = tmp_path / "search.journal"
    journal.write_bytes(b'{"op_code": 0, "worker\n' + journal.read_bytes()[:100] + b"\x00\n{}\n")
    assert search(tmp_path, plan).points == first.points


def test_ties_go_to_the_cheaper_search_then_to_the_middle_of_the_plain() -> None:
    def point(alpha: float, edits: int, beam: int = 100, mode: str = "default") -> Measured:
        return Measured(Weights(alpha, 0.0, beam, mode), edits, 10, 0.0, 0.0)

    plain = [point(0.0, 9), point(0.5, 5), point(1.0, 5), point(1.5, 5), point(2.0, 9)]
    assert best_of(plain).weights.alpha == 1.0
    assert best_of(reversed(plain)) == best_of(plain)
    assert best_of([*plain, point(9.0, 5, beam=50)]).weights.beam_width == 50
    assert best_of([point(1.0, 5), point(1.0, 5, mode="fast")]).weights.mode == "fast"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sampler": "luck"}, "sampler 'luck' is not known; there are grid, tpe"),
        ({"modes": ["slow"]}, "mode 'slow' is not known"),
        ({"trials": 0}, "trials 0 must be at least 1"),
        ({"beam_widths": []}, "beam width 0 must be at least 1"),
        ({"jobs": -1}, "jobs -1"),
    ],
)
def test_what_cannot_be_searched_is_a_sentence(change: dict[str, object], message: str) -> None:
    request = TuneRequest("run", "lm", ["corpus"], **change)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match=message):
        _ = request.plan


def test_the_surface_is_drawn_alike_every_time() -> None:
    surface = [
        {
            "alpha": a / 2,
            "beta": b * 1.0,
            "beam_width": 100,
            "mode": "default",
            "wer": bowl(Weights(a / 2, b)).wer,
        }
        for a in range(4)
        for b in range(4)
    ]
    tuned = {"alpha": 1.5, "beta": 3.0, "beam_width": 100, "mode": "default", "wer": 0.02, "split": "dev"}
    drawn = surface_svg({**tuned, "surface": surface})
    assert drawn == surface_svg({**tuned, "surface": surface})
    assert drawn.count("<svg") == 1 and "<script" not in drawn
    one_point = surface_svg({**tuned, "alpha": 0.0, "beta": 0.0, "surface": surface[:1]})
    assert "alpha (language model)" in one_point

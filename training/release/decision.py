"""May a candidate be put before a person, and what shall they see: it and the released model on the same test sets.

Both are measured on the corpora's present versions with the same language model; what is missing is measured now.
`weigh` judges; `decide` carries out what a person chose. A candidate that is significantly worse, on all sets together
or on one of them, or that fails its checks, is refused here and reaches nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from scoring.significance import Paired
from store.store import Store
from store.writing import read_json
from training.errors import DataError
from training.evaluation.compare import paired_tables
from training.evaluation.evaluate import EvaluationRequest, evaluate, find_evaluation
from training.evaluation.utterance_table import heard_of
from training.release.errors import ReleaseError
from training.release.registry import Model, Registry, check_package

SIGNIFICANT = 0.05
FIRST, BETTER, ALIKE, WORSE, REFUSED, IN_FORCE = "first", "better", "alike", "worse", "refused", "in force"
ASKED = (FIRST, BETTER, ALIKE)
PROMOTE, REJECT = "Promote", "Reject"
_SAYS = {
    FIRST: "no model is released yet; this would be the first",
    BETTER: "significantly better than the released model on all test sets together",
    ALIKE: "no significant difference to the released model on all test sets together",
    IN_FORCE: "it is the released model already",
}


@dataclass(frozen=True)
class Compared:
    """One test set: both models' word error rates and their difference (below 0 = the candidate is better).

    `before` and its kin are None where there is no released model to compare with.
    """

    corpus: str
    split: str
    decoder: str
    utterances: int
    after: float
    after_interval: tuple[float, float]
    evaluation: str
    before: float | None = None
    against: str | None = None
    difference: float | None = None
    difference_interval: tuple[float, float] | None = None
    p: float | None = None


@dataclass(frozen=True)
class Verdict:
    """What a person is asked, or why nobody is. `verdict` is one of the constants above; `rows` one per test set."""

    candidate: str
    released: str | None
    verdict: str
    says: str
    rows: tuple[Compared, ...] = ()
    total: Compared | None = None

    @property
    def is_asked(self) -> bool:
        """Whether a person decides."""
        return self.verdict in ASKED

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "asked": self.is_asked}


def weigh(candidate: str, store: Store) -> Verdict:
    """Judge a candidate against the released model.

    Raises:
        ModelNotFoundError: no such model. DataError: a test set cannot be measured.
    """
    registry = Registry(store)
    model, released = registry.model(candidate), registry.released()
    if released is not None and released.id == model.id:
        return Verdict(model.id, released.id, IN_FORCE, _SAYS[IN_FORCE])
    before = None if released is None else released.id
    try:
        check_package(model.path)
    except ReleaseError as error:
        return Verdict(model.id, before, REFUSED, str(error))
    wanted = _test_sets(model, store)
    if not wanted:
        return Verdict(model.id, before, REFUSED, "it was measured on no test set: nothing can be said of it")
    heard_before = [
        read_json(store.evaluations_dir / one / "evaluation.json")["contamination"] for one in wanted
    ]
    leaks = sorted({sentence for told in heard_before for sentence in told})
    if leaks:
        return Verdict(model.id, before, REFUSED, f"its figures are worth nothing: {'; '.join(leaks)}")
    if released is None:
        rows = tuple(_alone(one, store) for one in wanted)
        return Verdict(model.id, None, FIRST, _SAYS[FIRST], rows)
    pairs = [(one, _same_for(released, one, store)) for one in wanted]
    return _compared(model, released, pairs, store)


def _test_sets(model: Model, store: Store) -> list[str]:
    """The candidate's evaluations on what is published now, one for each corpus and part."""
    chosen: dict[tuple[Any, ...], str] = {}
    for one in model.manifest["evaluations"]:
        path = store.evaluations_dir / one["id"] / "evaluation.json"
        if one["corpus"] not in store.corpus_names() or not path.is_file():
            continue
        if store.corpus(one["corpus"]).version != one["corpus_version"]:
            continue
        key = (one["corpus"], one["split"], one["subset"])
        if key not in chosen or one.get("lm"):
            chosen[key] = one["id"]
    return [chosen[key] for key in sorted(chosen, key=str)]


def _same_for(released: Model, evaluation: str, store: Store) -> str:
    """The released model's evaluation of the same test set with the same language model, measured now if need be."""
    facts = read_json(store.evaluations_dir / evaluation / "evaluation.json")
    model = facts["language_model"]
    request = EvaluationRequest(
        model=released.manifest["run"],
        corpus=facts["corpus"],
        language_model=None if model is None else str(store.language_model(model["name"])),
        split=facts["split"],
        subset=facts["subset"],
    )
    found = find_evaluation(request, store) or evaluate(request, store)
    return str(found["id"])


def _alone(evaluation: str, store: Store) -> Compared:
    facts = read_json(store.evaluations_dir / evaluation / "evaluation.json")
    decoder = "lm" if facts.get("lm") else "greedy"
    rates = facts[decoder]
    return Compared(
        facts["corpus"], facts["split"], decoder, facts["utterances"], rates["wer"],
        tuple(rates["wer_interval"]), evaluation,
    )  # fmt: skip


def _compared(model: Model, released: Model, pairs: Sequence[tuple[str, str]], store: Store) -> Verdict:
    rows, all_said = [], []
    for after, before in pairs:
        said = _paired(after, before, store)
        if said is None:
            raise DataError(f"evaluations {after} and {before} share no decoder")
        decoder, paired = said
        all_said.append(paired)
        rows.append(_row(_alone(after, store), before, decoder, paired.as_json()))
    together = Paired(*(
        [text for one in all_said for text in getattr(one, key)]
        for key in ("references", "before", "after", "speakers")
    ))  # fmt: skip
    facts = together.as_json()
    total = Compared(
        "all together", "", rows[0].decoder, facts["utterances"], facts["wer_after"], (0.0, 0.0), "",
        facts["wer_before"], "", facts["difference"], tuple(facts["difference_interval"]), facts["p_bootstrap"],
    )  # fmt: skip
    verdict, says = _judged(rows, total)
    return Verdict(model.id, released.id, verdict, says, tuple(rows), total)


def _paired(after: str, before: str, store: Store) -> tuple[str, Paired] | None:
    folder = store.evaluations_dir
    heard_after, heard_before = (heard_of(one) for one in paired_tables(folder / after, folder / before))
    for decoder in ("lm", "greedy"):
        if decoder in heard_after.texts and decoder in heard_before.texts:
            texts = heard_before.texts[decoder], heard_after.texts[decoder]
            return decoder, Paired(heard_after.references, *texts, heard_after.speakers)
    return None


def _row(alone: Compared, against: str, decoder: str, facts: dict[str, Any]) -> Compared:
    return Compared(
        alone.corpus, alone.split, decoder, facts["utterances"], facts["wer_after"], alone.after_interval,
        alone.evaluation, facts["wer_before"], against, facts["difference"],
        tuple(facts["difference_interval"]), facts["p_bootstrap"],
    )  # fmt: skip


def _judged(rows: Sequence[Compared], total: Compared) -> tuple[str, str]:
    """The verdict; of several sets one alone must be worse beyond what many looks would find by chance."""
    limit = SIGNIFICANT / max(1, len(rows))
    bad = [one for one in rows if (one.difference or 0.0) > 0 and (one.p or 0.0) < limit]
    difference, p = total.difference or 0.0, 1.0 if total.p is None else total.p
    if (difference > 0 and p < SIGNIFICANT) or bad:
        where = ", ".join(one.corpus for one in bad) or "all test sets together"
        return WORSE, f"significantly worse than the released model on {where}; nobody is asked"
    better = difference < 0 and p < SIGNIFICANT
    return (BETTER, _SAYS[BETTER]) if better else (ALIKE, _SAYS[ALIKE])


def decide(verdict: dict[str, Any], option: str, why: str, who: str) -> dict[str, Any]:
    """Carry out what was chosen; the store is the process's own.

    Args:
        verdict: `Verdict.as_json()` as the person saw it. option: PROMOTE, else the candidate is rejected.
        why: the person's words; "" is noted as "no reason given". who: their name, or who decided for them.

    Raises:
        ReleaseError: another model was released since the question was asked.
    """
    from store.opening import open_store

    registry, candidate = Registry(open_store()), str(verdict["candidate"])
    reason = why.strip() or "no reason given"
    if option != PROMOTE:
        decision = registry.reject(candidate, reason, who)
        return {"model": candidate, "said": f"rejected by {who}: {reason}", "number": decision.number}
    now = registry.released()
    if (None if now is None else now.id) != verdict["released"]:
        there = "none" if now is None else now.id
        raise ReleaseError(
            f"model {candidate} was weighed against {verdict['released'] or 'none'}, and {there} is released now: "
            "clear the task weigh, and decide again on the new figures"
        )
    decision = registry.promote(candidate, reason, who)
    return {"model": candidate, "said": f"promoted by {who}: {reason}", "number": decision.number}

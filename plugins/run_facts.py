"""What is known of a run: its state, what its tasks said and answered. Read from Airflow's database, nothing else."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from store.pages.numbers import count, hours, percent

_KNOWN = ("sentence", "skipped", "return_value")


@dataclass(frozen=True)
class TaskFacts:
    """One task of a run. `sentence`: why it failed; `skipped`: why it had nothing to do; `answer`: its result."""

    task_id: str
    map_index: int
    state: str
    label: str = ""
    sentence: str = ""
    skipped: str = ""
    answer: Any = None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """The task as the page names it."""
        return f"{self.task_id} ({self.label or self.map_index})" if self.map_index >= 0 else self.task_id


@dataclass(frozen=True)
class RunFacts:
    """One run."""

    dag_id: str
    run_id: str
    state: str
    conf: dict[str, Any] = field(default_factory=dict)
    tasks: tuple[TaskFacts, ...] = ()
    begun: Any = None
    ended: Any = None

    def answer(self, task_id: str) -> Any:
        """What a task answered, None where it has not."""
        return next(
            (one.answer for one in self.tasks if one.task_id == task_id and one.answer is not None), None
        )

    def answers(self, task_id: str) -> list[Any]:
        """What every square of a mapped task answered."""
        return [one.answer for one in self.tasks if one.task_id == task_id and one.answer is not None]

    def said(self, key: str) -> Any:
        """What any task left under a key of its own, None where none has."""
        return next((one.more[key] for one in self.tasks if key in one.more), None)

    @property
    def failures(self) -> list[TaskFacts]:
        """Tasks that failed by themselves, those with a sentence first."""
        failed = [one for one in self.tasks if one.state == "failed"]
        return sorted(failed, key=lambda one: not one.sentence)

    @property
    def skip_reasons(self) -> list[str]:
        """Why tasks had nothing to do, each once."""
        return list(dict.fromkeys(one.skipped for one in self.tasks if one.skipped))

    @property
    def ended_by_hand(self) -> bool:
        """Whether a person ended this red run.

        Airflow then fails what works and skips what waits. A task of ours that fails or skips by itself says why, and
        what waits for one that failed is not skipped.
        """
        waited = any(one.state == "skipped" for one in self.tasks) and not self.skip_reasons
        silent = not any(one.sentence for one in self.failures)
        return self.state == "failed" and silent and (waited or not self.failures)


def run_facts(dag_id: str, run_id: str) -> RunFacts | None:
    """The facts of a run by its names; None where there is no such run."""
    from airflow.models.dagrun import DagRun
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        run = session.scalar(select(DagRun).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id))
        return None if run is None else facts_of_run(run, session)


def facts_of_run(run: Any, session: Any) -> RunFacts:
    """The facts of a run that a session holds."""
    from airflow.models.taskinstance import TaskInstance
    from airflow.models.xcom import XComModel
    from sqlalchemy import select

    said: dict[tuple[str, int], dict[str, Any]] = {}
    rows = select(XComModel.task_id, XComModel.map_index, XComModel.key, XComModel.value).where(
        XComModel.dag_id == run.dag_id, XComModel.run_id == run.run_id
    )
    for task_id, map_index, key, value in session.execute(rows):
        said.setdefault((task_id, map_index), {})[key] = _plain(value)
    instances = select(TaskInstance).where(
        TaskInstance.dag_id == run.dag_id, TaskInstance.run_id == run.run_id
    )
    tasks = [_task(one, said.get((one.task_id, one.map_index), {})) for one in session.scalars(instances)]
    return RunFacts(
        run.dag_id, run.run_id, str(getattr(run.state, "value", run.state)), run.conf or {},
        tuple(sorted(tasks, key=lambda one: (one.task_id, one.map_index))), run.start_date, run.end_date,
    )  # fmt: skip


def _task(instance: Any, said: dict[str, Any]) -> TaskFacts:
    return TaskFacts(
        task_id=instance.task_id,
        map_index=instance.map_index,
        state=str(getattr(instance.state, "value", instance.state) or "none"),
        label=getattr(instance, "rendered_map_index", None) or "",
        sentence=str(said.get("sentence") or ""),
        skipped=str(said.get("skipped") or ""),
        answer=said.get("return_value"),
        more={key: value for key, value in said.items() if key not in _KNOWN},
    )


def _plain(value: Any) -> Any:
    """An XCom's value as the database holds it: JSON text, or JSON already."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def headline(facts: RunFacts) -> str:
    """The run in one line, for lists and notices."""
    if facts.state == "failed":
        return _red(facts)
    done = {"corpus_refresh": _refreshed, "language_model": _built, "retrain": _trained}.get(facts.dag_id)
    line = done(facts) if done else _other(facts)
    return line or "; ".join(facts.skip_reasons)


def _red(facts: RunFacts) -> str:
    subject = subject_of(facts)
    about = f"{subject}: " if subject else ""
    if facts.ended_by_hand:
        return f"{about}ended by hand; nothing was published by this run"
    first = facts.failures[0]
    return f"{about}{first.sentence or 'see its log'} (task {first.title})"


def sealed_by(facts: RunFacts) -> Any:
    """What a refresh published: that of `seal`, else (where nothing had times) that of `align`; None where neither did."""
    return facts.answer("seal") or facts.answer("align")


def subject_of(facts: RunFacts) -> str:
    """The corpus, language model or model a run is about; empty where nothing says it."""
    sealed, bundles = sealed_by(facts) or {}, facts.answer("plan") or []
    if facts.dag_id == "corpus_refresh":
        planned = str(bundles[0]["label"]).partition(":")[0] if bundles else ""
        named = sealed.get("corpus") or planned or facts.conf.get("name")
        return str(named or facts.conf.get("importer") or "")
    if facts.dag_id == "promote":
        return str((facts.answer("weigh") or {}).get("candidate") or "")
    return ""


def _refreshed(facts: RunFacts) -> str:
    sealed = sealed_by(facts)
    if sealed is None:
        return ""
    if sealed["status"] == "unchanged":
        return f"{sealed['corpus']}: unchanged, nothing new was published"
    refused = sum(sealed["rejected"].values())
    return (
        f"{sealed['corpus']}: published {count(sealed['utterances'])} utterances, {hours(sealed['hours'])}; "
        f"{count(refused)} refused"
    )


def _built(facts: RunFacts) -> str:
    models = facts.answers("build")
    return "; ".join(
        f"{one['name']}: built, order {one['order']}, perplexity {one['perplexity']:.1f}"
        if one.get("perplexity") is not None
        else f"{one['name']}: built, order {one['order']}"
        for one in models
    )


def _trained(facts: RunFacts) -> str:
    run = (facts.answer("train") or {}).get("run")
    rows = [row for share in facts.answers("evaluate") for row in share]
    rates = ", ".join(
        f"{row['corpus']} {'CER' if row.get('unit') == 'characters' else 'WER'} "
        + percent(row["lm"] if row["lm"] is not None else row["greedy"])
        for row in rows
    )
    return f"run {run}: {rates}" if run and rates else f"run {run}" if run else ""


def _other(facts: RunFacts) -> str:
    pages = facts.answers("corpus_page")
    if facts.dag_id == "data_quality":
        looked = [
            f"{one['corpus']}: {len(one['not_met'])} of {one['asked']} expectations not met"
            for one in facts.answer("expect") or []
            if one["not_met"]
        ]
        written = [f"{len(pages)} page{'s' if len(pages) != 1 else ''} written"] if pages else []
        return "; ".join([*written, *looked])
    decided = facts.answer("decide")
    if isinstance(decided, dict):
        return f"{decided.get('model', '')}: {decided.get('said', '')}"
    found = facts.answer("search")
    return f"best: {found['best']}" if isinstance(found, dict) and "best" in found else ""

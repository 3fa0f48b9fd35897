"""The goals that are not a race: search errors of the pruned modes, memory, threads, cost of long audio."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.decoder.inputs import Inputs
from benchmarks.decoder.measure import Engines, Plan, interleave
from benchmarks.decoder.rows import ours
from scoring.wer import count_errors

_MEGABYTE = 1e6
_WER_LOSS = 0.0005  # of default against exact
_MEMORY_MB = 80
_THREADS = 1.9
_LONG = 10.5
_ENOUGH_FOR_LONG = 100
_TURNS = 7
_THREAD_TURNS = 15


def search_errors(engines: Engines, inputs: Inputs, note: Callable[[str], None]) -> dict[str, Any]:
    """Word error rate of default against exact at beam 100, on many utterances."""
    texts = inputs.texts["many"]
    settings = [ours(mode, 100) for mode in ("exact", "default", "fast")]
    plan = Plan(inputs.many, len(texts), block=250, repetitions=1)
    timings = interleave(engines, settings, plan, note)
    exact, default, fast = (count_errors(texts, timings[s.key].texts).wer for s in settings)
    return {
        "check": f"default against exact, {len(texts):,} utterances, WER",
        "measured": f"{100 * default:.3f} % against {100 * exact:.3f} % (fast {100 * fast:.3f} %)",
        "goal": f"+{100 * _WER_LOSS:.2f}",
        "met": default <= exact + _WER_LOSS,
    }


def side_measures(engines: Engines, inputs: Inputs) -> Iterator[dict[str, Any]]:
    """Memory in a fresh process, long audio, two threads."""
    yield _memory(inputs)
    for mode in ("exact", "default", "fast"):
        yield _long(engines, inputs, mode, 1)
        if len(inputs.texts["speed"]) >= _ENOUGH_FOR_LONG:
            yield _long(engines, inputs, mode, 10)
    for mode in ("exact", "default"):
        yield _threads(engines, inputs, mode)


def _memory(inputs: Inputs) -> dict[str, Any]:
    model = inputs.models["probing"]
    with Engines(Path()) as fresh:
        command = {"task": str(inputs.speed), "setting": ours("default", 100).options}
        fresh.ask(
            "speechmill", do="decode", **command, **{"from": 0, "to": min(100, len(inputs.texts["speed"]))}
        )
        answer = fresh.ask("speechmill", do="memory", lm=f"{model}/lm.binary")
    beyond, mapped = answer["beyond_lm_bytes"] / _MEGABYTE, answer["lm_bytes"] / _MEGABYTE
    return {
        "check": "resident memory beyond the mapped LM, Python and inputs included",
        "measured": f"{beyond:.0f} MB (LM mapped: {mapped:.0f} MB)",
        "goal": f"at most {_MEMORY_MB} MB",
        "met": beyond <= _MEMORY_MB and mapped > 0,
    }


def _long(engines: Engines, inputs: Inputs, mode: str, group: int) -> dict[str, Any]:
    """Ten pieces of `group` utterances as one, against a tenth of the ten apart."""
    ratios, span = [], 10 * group
    for turn in range(min(_TURNS, len(inputs.texts["speed"]) // span)):
        answer = engines.ask(
            "speechmill",
            do="long",
            task=str(inputs.speed),
            setting=ours(mode, 100).options,
            group=group,
            **{"from": span * turn, "to": span * (turn + 1)},
        )
        ratios.append(10 * answer["joined_cpu_s"] / answer["apart_cpu_s"])
    ratio = statistics.median(ratios)
    return {
        "check": f"ten times longer audio than {group} utterance{'s' * (group > 1)}, {mode}, CPU time",
        "measured": f"{ratio:.2f} times",
        "goal": f"at most {_LONG} times",
        "met": ratio <= _LONG,
    }


def _threads(engines: Engines, inputs: Inputs, mode: str) -> dict[str, Any]:
    """Wall time of one batch; on a shared machine the best of several turns is nearest to the truth."""
    span = {"from": 0, "to": min(100, len(inputs.texts["speed"]))}
    answers = [
        engines.ask(
            "speechmill", do="threads", task=str(inputs.speed), setting={"mode": mode, "beam": 100}, **span
        )
        for _ in range(_THREAD_TURNS)
    ]
    one, two = (min(a[f"wall_{n}_s"] for a in answers) for n in (1, 2))
    cpu = statistics.median(a["cpu_2_s"] / a["cpu_1_s"] for a in answers)
    return {
        "check": f"two threads against one, {mode}, wall time (best of {_THREAD_TURNS})",
        "measured": f"{one / two:.2f} times as fast, {cpu:.2f} times the CPU time",
        "goal": f"at least {_THREADS}",
        "met": one / two >= _THREADS,
    }

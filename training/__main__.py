"""`python -m training`: run | dispatch | status | evaluate | tune-decoder | report | release | transcribe | …

With --json one JSON object on standard output, logs on standard error. Exit status: 0 done, 1 failed, 2
usage or unusable input, 130 interrupted. `--model` takes a run's id (or a unique beginning of it) or a
folder; `--lm` the folder of a language model, or a published name.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from scoring.wer import rate_name
from store.console import configure_logging, emit, format_duration, program_name, run_command
from store.errors import UsageError
from store.opening import open_store
from store.store import Store
from training.alignment.commands import add_parsers as add_alignment_parsers
from training.decoding.search import SAMPLERS
from training.decoding.weights import DEFAULT_MODE, MODES
from training.doubt.commands import add_parsers as add_doubt_parsers
from training.errors import DataError, TrainingError
from training.pages.terminal import comparison_lines, evaluation_lines, rescored_lines, total_line
from training.release.commands import add_parsers as add_release_parsers
from training.search.commands import add_parsers as add_search_parsers
from training.trace_command import add_parsers as add_trace_parser
from training.transcription.commands import add_parsers as add_transcription_parsers

_POLL_S = 1.0


def main(arguments: list[str] | None = None) -> int:
    """Parse and run one command; returns the exit status."""
    parsed = _parser().parse_args(arguments)

    def run() -> int | None:
        configure_logging()
        command: Callable[[argparse.Namespace, Store], int | None] = parsed.function
        return command(parsed, open_store(parsed.store))

    return run_command(run)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=program_name("training"), description="Train and measure speech recognizers."
    )
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        one = commands.add_parser(name, help=text, description=text)
        one.add_argument(
            "--store", type=Path, help="store folder (default $SPEECHMILL_STORE, else var/store)"
        )
        one.add_argument("--json", action="store_true", help="print one JSON object on standard output")
        one.set_defaults(function=function)
        return one

    run = add("run", _run, "train here, or go on with a run that was stopped")
    run.add_argument("--config", type=Path, required=True, help="TOML; config.example.toml names every key")
    run.add_argument(
        "--features", type=Path, metavar="DIR", help="learn from a folder of features (docs/training.md)"
    )
    run.add_argument(
        "--workers", type=int, default=1, help="processes on this machine that train it together"
    )
    dispatch = add("dispatch", _dispatch, "hand a training run over and return, or wait for its end")
    dispatch.add_argument(
        "--config", type=Path, required=True, help="TOML; config.example.toml names every key"
    )
    dispatch.add_argument("--backend", default="local", choices=["local", "slurm"], help="who executes it")
    dispatch.add_argument(
        "--wait", action="store_true", help="show the job's log and return when it has ended"
    )
    status = add("status", _status, "how far runs are")
    status.add_argument("run", nargs="?", help="one run; all when left out")
    _add_evaluate(
        add("evaluate", _evaluate, "measure a run on corpora: greedy, corrected, with a language model")
    )
    _add_tune(add("tune-decoder", _tune, "pick the decoder's weights for a run and a language model on dev"))
    _add_rescore(
        add("rescore", _rescore, "measure a run with other networks' opinion of its likeliest texts")
    )
    add("report", _report, "write the pages under reports/: the whole chain, and one page per evaluation")
    _add_compare(
        add("compare", _compare, "two models utterance by utterance, with sound: figures and a page")
    )
    add_release_parsers(add)
    add_transcription_parsers(add)
    add_search_parsers(add)
    add_alignment_parsers(add)
    add_doubt_parsers(add)
    add_trace_parser(add)
    return parser


def _add_evaluate(evaluate: argparse.ArgumentParser) -> None:
    _add_model(evaluate)
    _add_measured(evaluate)
    evaluate.add_argument("--split", default="test", help="split to measure (default test)")
    evaluate.add_argument("--subset", help="only this official part, such as test-clean")
    evaluate.add_argument(
        "--lm", metavar="DIR|NAME", help="language model: folder or published name; without it greedy only"
    )
    evaluate.add_argument("--alpha", type=float, help="language model weight instead of the tuned one")
    evaluate.add_argument("--beta", type=float, help="word bonus instead of the tuned one")
    evaluate.add_argument("--beam-width", type=int, help="beam width instead of the tuned one")
    evaluate.add_argument("--mode", choices=MODES, help="pruning of the beam search instead of the tuned one")
    evaluate.add_argument(
        "--against", metavar="EVALUATION", help="compare with an earlier evaluation (its id)"
    )
    evaluate.add_argument(
        "--standard", choices=["hub5"], help="score also the way papers do: Hub5'00 and RT-03 by NIST's rules"
    )
    evaluate.add_argument("--glm", metavar="FILE", type=Path, help="NIST's map of words, for --standard")


def _add_tune(tune: argparse.ArgumentParser) -> None:
    _add_model(tune)
    _add_measured(tune)
    tune.add_argument(
        "--lm", metavar="DIR|NAME", required=True, help="language model: folder or published name"
    )
    tune.add_argument("--split", default="dev", help="split to tune on (default dev)")
    tune.add_argument(
        "--max-utterances", type=int, default=300, help="at most so many, chosen evenly (0 = all)"
    )
    tune.add_argument("--beam-width", type=int, nargs="+", default=[100], help="beam widths to try")
    tune.add_argument(
        "--mode", nargs="+", default=[DEFAULT_MODE], choices=MODES, help="prunings to try (default exact)"
    )
    tune.add_argument("--sampler", default="tpe", choices=SAMPLERS, help="how to search (default tpe)")
    tune.add_argument("--trials", type=int, default=60, help="points measured in all (tpe; default 60)")
    tune.add_argument("--seed", type=int, default=1, help="seed of the search (default 1)")
    tune.add_argument("--jobs", type=int, default=1, help="points measured at a time (default 1)")


def _add_rescore(rescore: argparse.ArgumentParser) -> None:
    _add_model(rescore)
    _add_measured(rescore)
    rescore.add_argument(
        "--lm", metavar="DIR|NAME", required=True, help="language model: folder or published name"
    )
    rescore.add_argument(
        "--others", metavar="RUN", nargs="+", default=[],
        help="who judges too: runs that hear the same, RUN:DIR with other features of it, files of outputs (.npz)",
    )  # fmt: skip
    rescore.add_argument(
        "--share", type=float, help="what the others have together, 0 to 1 (default: all the same)"
    )
    rescore.add_argument("--split", default="test", help="split to measure (default test)")
    rescore.add_argument("--tune-split", default="dev", help="where the weights are picked (default dev)")
    rescore.add_argument("--candidates", type=int, default=100, help="texts for an utterance (default 100)")
    rescore.add_argument("--beam-width", type=int, help="beam width instead of the tuned one")


def _add_compare(compare: argparse.ArgumentParser) -> None:
    compare.add_argument("before", metavar="FIRST", help="an evaluation, a run or a packaged model")
    compare.add_argument("after", metavar="SECOND", help="another")
    compare.add_argument("--corpus", default="", help="only utterances of this corpus")
    compare.add_argument("--speaker", default="", help="only utterances of this speaker")


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", default="", help="run id or folder (needed but with --log-probs)")


def _add_measured(parser: argparse.ArgumentParser) -> None:
    """One of three: published corpora, a folder of features, a file of outputs."""
    measured = parser.add_mutually_exclusive_group(required=True)
    measured.add_argument("--corpus", nargs="+", default=[], help="published corpora")
    measured.add_argument("--features", metavar="DIR", help="a folder of features instead of a corpus")
    measured.add_argument(
        "--log-probs",
        metavar="FILE",
        help="outputs of another network (.npz, labels.tsv and refs.tsv beside it)",
    )


def _measured(options: argparse.Namespace) -> list[str]:
    """Corpora or the folder; checks that a network is named where one is needed."""
    if options.log_probs:
        return [options.log_probs]
    if not options.model:
        raise UsageError("--model is missing: name the run that is measured")
    return [options.features] if options.features else list(options.corpus)


def _run(options: argparse.Namespace, store: Store) -> int | None:
    if options.workers < 1:
        raise UsageError(f"--workers {options.workers} must be at least 1")
    if options.workers > 1:
        from training.network.workers.launch import run_workers

        arguments = ["run", "--config", str(options.config), "--store", str(store.root)]
        arguments += ["--features", str(options.features)] if options.features else []
        return run_workers([*arguments, *(["--json"] if options.json else [])], options.workers)
    from training.network.config import read_config
    from training.runs import train_in_store

    config = read_config(options.config)
    if options.features:
        from training.network.feed.feature_folder import FeatureFolder

        config = FeatureFolder.open(options.features).configured(config)
    result = train_in_store(config, store)
    answer = {
        "run": result.run,
        "path": str(result.path),
        "steps": result.steps,
        "dev_wer": result.dev_wer,
        "best_dev_wer": result.best_dev_wer,
    }
    shown = "no dev set" if result.dev_wer is None else f"dev greedy WER {result.dev_wer:.2%}"
    emit(answer, options.json, f"run {result.run}: {result.steps} steps, {shown}\n{result.path}")
    return None


def _dispatch(options: argparse.Namespace, store: Store) -> int | None:
    from training.dispatch import BACKENDS, Job
    from training.network.config import read_config

    dispatcher = BACKENDS[options.backend](store)
    run = dispatcher.submit(Job(read_config(options.config)))
    offset = 0
    state = dispatcher.poll(run)
    while options.wait:
        text, offset = dispatcher.logs(run, offset)
        sys.stderr.write(text)
        if state.ended:
            break
        time.sleep(_POLL_S)
        state = dispatcher.poll(run)
    answer = {"run": run, "path": str(store.runs_dir / run), "backend": options.backend, "state": state.state}
    emit(answer, options.json, f"run {run}: {state.state}\n{store.runs_dir / run}")
    if options.wait and state.state != "finished":
        raise TrainingError(f"run {run} is {state.state}: {state.message}")
    return None


def _status(options: argparse.Namespace, store: Store) -> None:
    from training.runs import status

    states = status(store, options.run)
    lines = [_status_line(state) for state in states] or [f"no runs in {store.runs_dir}"]
    emit(states[0] if options.run else {"runs": states}, options.json, "\n".join(lines))


def _status_line(state: dict[str, Any]) -> str:
    error = "-" if state.get("dev_wer") is None else f"{state['dev_wer']:.2%}"
    left = f", {format_duration(state['eta_s'])} left" if state.get("eta_s") else ""
    message = f"  ({state['message']})" if state.get("message") else ""
    return (
        f"{state['run']}  {state['state']:<9}  step {state['step']}/{state['steps']}, "
        f"epoch {state['epoch']}, dev {rate_name(state.get('dev_unit'))} {error}{left}{message}"
    )


def _evaluate(options: argparse.Namespace, store: Store) -> None:
    from training.evaluation.compare import compare_evaluations
    from training.evaluation.evaluate import EvaluationRequest, evaluate
    from training.evaluation.figures import pooled

    if options.glm and not options.standard:
        raise DataError("--glm is a map of words for --standard, and none is named")
    corpora = _measured(options)
    if options.against and len(corpora) > 1:
        raise DataError("--against compares one corpus with one evaluation; name a single corpus")
    results = []
    for corpus in corpora:
        request = EvaluationRequest(
            model=options.model,
            corpus=corpus,
            language_model=_language_model(options.lm, store),
            split=options.split,
            subset=options.subset,
            alpha=options.alpha,
            beta=options.beta,
            beam_width=options.beam_width,
            mode=options.mode,
            log_probs=options.log_probs,
        )
        results.append(evaluate(request, store))
    lines = [line for result in results for line in evaluation_lines(result)]
    answer: dict[str, Any] = results[0]
    if len(results) > 1:
        answer = {"evaluations": results, "total": pooled(results)}
        lines.append(total_line(answer["total"]))
    if options.against:
        compared = compare_evaluations(results[0]["id"], options.against, store)
        answer = {**answer, "against": compared}
        lines += comparison_lines(compared)
    if options.standard:
        from training.evaluation.standard import evaluate_by, standard_lines

        found = [evaluate_by(options.standard, result, store, options.glm) for result in results]
        answer = {**answer, "standard": found[0] if len(found) == 1 else found}
        lines += [line for one in found for line in standard_lines(one)]
    emit(answer, options.json, "\n".join(lines))


def _language_model(named: str | None, store: Store) -> str | None:
    """The folder of a language model, as `python -m lm query` finds it."""
    from lm.model.folder import model_folder

    return None if named is None else str(model_folder(named, store))


def _tune(options: argparse.Namespace, store: Store) -> None:
    from training.decoding.tune import TuneRequest, tune_decoder

    request = TuneRequest(
        model=options.model,
        language_model=str(_language_model(options.lm, store)),
        corpora=_measured(options),
        split=options.split,
        max_utterances=options.max_utterances,
        beam_widths=options.beam_width,
        modes=options.mode,
        sampler=options.sampler,
        trials=options.trials,
        seed=options.seed,
        jobs=options.jobs,
        log_probs=options.log_probs,
    )
    result = tune_decoder(request, store)
    chosen = f"alpha {result['alpha']}, beta {result['beta']}, beam {result['beam_width']}, {result['mode']}"
    rate = f"{rate_name(result['unit'])} {result['wer']:.2%}"
    text = f"{chosen}: {request.split} {rate} over {len(result['surface'])} points"
    emit(result, options.json, f"{text}\n{result['path']}")


def _rescore(options: argparse.Namespace, store: Store) -> None:
    from training.evaluation.evaluate import EvaluationRequest
    from training.evaluation.rescored import RescoreRequest, rescore

    corpora = _measured(options)
    if len(corpora) > 1:
        raise UsageError("networks judge together on one corpus at a time")
    first = EvaluationRequest(
        model=options.model,
        corpus=corpora[0],
        language_model=_language_model(options.lm, store),
        split=options.split,
        beam_width=options.beam_width,
        log_probs=options.log_probs,
    )
    request = RescoreRequest(
        first, tuple(options.others), options.share, options.tune_split, options.candidates
    )
    result = rescore(request, store)
    emit(result, options.json, "\n".join([*evaluation_lines(result), *rescored_lines(result["rescored"])]))


def _compare(options: argparse.Namespace, store: Store) -> None:
    from training.evaluation.side_by_side import Filter, side_by_side
    from training.pages.side_by_side import write_side_by_side

    wanted = Filter(options.corpus, options.speaker)
    found = side_by_side(options.before, options.after, store, wanted)
    path = write_side_by_side(options.before, options.after, store, wanted)
    lines = [line for pair in found["pairs"] for line in comparison_lines(pair)]
    answer = {"pairs": found["pairs"], "utterances_that_differ": len(found["rows"]), "path": str(path)}
    emit(answer, options.json, "\n".join([*lines, f"{len(found['rows'])} utterances differ: {path}"]))


def _report(options: argparse.Namespace, store: Store) -> None:
    from training.pages.report import write_reports

    path = write_reports(store)
    emit({"path": str(path)}, options.json, str(path))


if __name__ == "__main__":
    sys.exit(main())

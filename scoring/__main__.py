"""`python -m scoring score --ref REF --hyp HYP`: error rates of anybody's transcripts, as sclite counts them.

With --json one JSON object on standard output. Exit status: 0 done, 2 usage or unusable input, 1 failed.
"""

from __future__ import annotations

import argparse
import gc
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from scoring import formats, normalisers
from scoring.formats.trn import SPEAKER_RULES
from scoring.pairs import MISSING
from scoring.score import Score, ScoreRequest, read_files, score_files
from scoring.transcripts import FOLDS
from store.console import emit, program_name, run_command
from store.writing import write_bytes_atomic


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    options = _parser().parse_args(arguments)
    gc.disable()  # many small objects, none of them in circles, and the process ends with them
    return run_command(lambda: options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program_name("scoring"), description="Error rates of transcripts.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    add_score(commands.add_parser("score", help="score hypotheses against references"))
    return parser


def add_score(command: argparse.ArgumentParser) -> None:
    """The options of `score`, also for another program's sub-command."""
    add = command.add_argument
    add("--ref", metavar="FILE", type=Path, required=True, help="references: TRN, STM, CTM, JSON, plain text")
    add("--hyp", metavar="FILE", type=Path, required=True, help="hypotheses: the same, or words with times")
    add("--ref-format", choices=formats.FORMS, help="format of the references (guessed if left out)")
    add("--hyp-format", choices=formats.FORMS, help="format of the hypotheses (guessed if left out)")
    add(
        "--against", metavar="FILE", type=Path, help="an earlier system's hypotheses: is the difference real?"
    )
    add("--glm", metavar="FILE", type=Path, help="NIST's global map of words, applied to both")
    add("--normaliser", nargs="+", choices=normalisers.NAMES, default=["none"], metavar="NAME",
        help=f"one or several side by side: {', '.join(normalisers.NAMES)}")  # fmt: skip
    add("--fold", choices=FOLDS, default="ascii", help="A = a: of a to z as sclite does, of all letters, not")
    add(
        "-s",
        "--case-sensitive",
        dest="fold",
        action="store_const",
        const="none",
        help="the same as --fold none",
    )
    add("-D", "--deletable", action="store_true", help="(word) in parentheses may be missing")
    add("-F", "--fragments", action="store_true", help="wo- equals every word that begins so")
    add("-T", "--by-time", action="store_true", help="CTM against CTM: what is near in time is a pair")
    add("--missing", choices=MISSING,
        help="references without hypothesis (default: skip with TRN, as sclite does; else delete)")  # fmt: skip
    add("--speakers", choices=SPEAKER_RULES, default="auto", help="how a TRN's ids name speakers")
    add("--sys", metavar="FILE", type=Path, help="write sclite's table of speakers")
    add("--pra", metavar="FILE", type=Path, help="write sclite's alignments")
    add("--page", metavar="FILE", type=Path, help="write a page (HTML, self-contained)")
    add("--interval", action="store_true", help="95 %% bootstrap interval of the rate")
    add("--json", action="store_true", help="print one JSON object on standard output")
    command.set_defaults(run=run_score)


def run_score(options: argparse.Namespace) -> int:
    """Scores, writes what was asked for, prints."""
    request = ScoreRequest(
        options.ref, options.hyp, options.ref_format, options.hyp_format, options.fold,
        options.deletable, options.fragments, options.by_time, options.glm, options.normaliser[0], options.missing,
        options.speakers,
    )  # fmt: skip
    files = read_files(request)
    scores = [score_files(replace(request, normaliser=name), *files) for name in options.normaliser]
    result = scores[0].as_json()
    if len(scores) > 1:
        result["normalisers"] = {one.request.normaliser: one.total.as_json() for one in scores}
    if options.against is not None or options.interval or options.page is not None:
        _add_certainty(options, scores[0], result)
    _write_reports(options, scores, result)
    for note in result["notes"]:
        sys.stderr.write(f"{note}\n")
    emit(result, options.json, _shown(scores, result))
    return 0


def _add_certainty(options: argparse.Namespace, score: Score, result: dict[str, Any]) -> None:
    from scoring.versus import compare, interval_of

    result["wer_interval"] = list(interval_of(score))
    if options.against is not None:
        before = replace(score.request, hypothesis=options.against)
        result["versus"] = compare(score, score_files(before, *read_files(before)))


def _write_reports(options: argparse.Namespace, scores: list[Score], result: dict[str, Any]) -> None:
    title = options.hyp.name
    if options.sys is not None:
        from scoring.reports import sclite_sys

        write_bytes_atomic(options.sys, sclite_sys.render(scores[0], title).encode())
    if options.pra is not None:
        from scoring.reports import sclite_pra

        write_bytes_atomic(options.pra, sclite_pra.render(scores[0], title).encode())
    if options.page is not None:
        from scoring.reports import page

        text = page.render(scores, tuple(result["wer_interval"]), result.get("versus"))
        write_bytes_atomic(options.page, text.encode())


def _shown(scores: list[Score], result: dict[str, Any]) -> str:
    lines = []
    for one in scores:
        total = one.total
        name = f"{one.request.normaliser}: " if len(scores) > 1 else ""
        lines.append(
            f"{name}WER {100 * total.wer:.2f} % of {total.words:,} words: {total.substitutions:,} substituted, "
            f"{total.deletions:,} missing, {total.insertions:,} added; {total.utterances_wrong:,} of "
            f"{total.utterances:,} utterances with errors"
        )
    if "wer_interval" in result:
        low, high = result["wer_interval"]
        lines.append(f"95 % interval {100 * low:.2f} to {100 * high:.2f} %")
    if (versus := result.get("versus")) is not None:
        low, high = versus["difference_interval"]
        lines.append(
            f"against {versus['against']}: {100 * versus['difference']:+.2f} points ({100 * low:+.2f} to "
            f"{100 * high:+.2f}), p = {versus['p_bootstrap']:.4f} by bootstrap, {versus['p_mcnemar']:.4f} by McNemar"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

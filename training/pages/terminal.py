"""Evaluations and comparisons as a few lines for the terminal."""

from __future__ import annotations

from typing import Any

from scoring.wer import rate_name
from training.decoding.recognise import DECODERS


def evaluation_lines(result: dict[str, Any]) -> list[str]:
    """Rates of every decoder, real-time factors, and where the evaluation lies."""
    amount = f"{result['utterances']} utterances, {result['hours']:.2f} hours"
    lines = [f"{result['corpus']} {result['split']}: {amount}"]
    by_character = result.get("unit") == "characters"
    for name in DECODERS:
        rates = result[name]
        if rates:
            low, high = rates["wer_interval"]
            lines.append(
                f"  {name:<9} {rate_name(result.get('unit'))} {rates['wer']:7.2%} [{low:.2%}, {high:.2%}], per utterance "
                f"{rates['wer_mean_per_utterance']:.2%}"
                + ("" if by_character else f", CER {rates['cer']:.2%}")
            )
    if by_character:
        lines.append("  counted by characters: the script has no blanks between words")
    lines.append(f"  intervals: 95 %, drawn by {result['interval_by']}")
    factors = result["rtf"]
    lines.append(
        f"  real-time factors: network {factors['acoustic']:.4f}, corrector {factors['corrector']:.6f}, "
        f"beam search {factors['decoder']:.6f}"
    )
    lines += [f"  beware: {sentence}" for sentence in result.get("contamination", [])]
    return [*lines, result["path"]]


def rescored_lines(rescored: dict[str, Any]) -> list[str]:
    """Who judged, what was picked, and the rate of the first network alone."""
    first, *others = rescored["networks"]
    on = rescored["picked_on"]
    return [
        f"judged by {first} (share {1 - rescored['share']:.1f}) and {', '.join(others)} ({rescored['share']:.1f}); alpha "
        f"{rescored['alpha']}, beta {rescored['beta']}, picked on {on['utterances']} utterances of {on['split']}: "
        f"{on['wer']:.2%}",
        f"{first} alone, with the language model: {rescored['alone_wer']:.2%}",
    ]


def total_line(total: dict[str, Any]) -> str:
    """The rates of several corpora taken as one."""
    rates = [f"{name} {total[name]['wer']:.2%}" for name in DECODERS if total[name]]
    name = rate_name(total["unit"]) if total["unit"] else "words here, characters there"
    return f"all together: {total['utterances']} utterances, {total['hours']:.2f} hours: {name} {', '.join(rates)}"


def comparison_lines(compared: dict[str, Any]) -> list[str]:
    """Difference, interval and p values of every decoder."""
    lines = [f"against {compared['against']} ({compared['utterances']} utterances):"]
    for name, one in compared["decoders"].items():
        low, high = one["difference_interval"]
        pairs = "–" if one["p_matched_pairs"] is None else f"{one['p_matched_pairs']:.4f}"
        lines.append(
            f"  {name:<9} {one['wer_before']:.2%} → {one['wer_after']:.2%}: {one['difference']:+.2%} "
            f"[{low:+.2%}, {high:+.2%}]; p {one['p_bootstrap']:.4f} bootstrap by {one['interval_by']}, "
            f"{pairs} matched pairs, {one['p_mcnemar']:.4f} McNemar"
        )
    return lines

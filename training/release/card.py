"""The model card: what a released model is, was made of and may be used for, in Markdown. From model.json alone."""

from __future__ import annotations

from typing import Any

_UNITS = ((1_000_000, "M"), (1_000, "k"))


def card_text(manifest: dict[str, Any]) -> str:
    """The card of a model."""
    parts = [
        _head(manifest),
        _use(manifest),
        _origin(manifest),
        _figures(manifest),
        _binding(manifest),
        _files(manifest),
    ]
    return "\n\n".join(parts) + "\n"


def _head(m: dict[str, Any]) -> str:
    hours = sum(m["hours_by_corpus"].values())
    return (
        f"# Speech recognizer {m['model']}\n\n"
        f"Language: {m['language']}. A network of {_short(m['parameters'])} weights that has heard {hours:.2f} hours of "
        f"speech by {len(m['voices'])} voices, trained with CTC, seed {m['seed']}, {m['step']} steps."
    )


def _use(m: dict[str, Any]) -> str:
    rate = m["front_end"]["sample_rate_hz"]
    lm = m["language_model"]
    search = (
        f"Decoded with the language model `{lm['name']}` {lm['version']} ({_decoder(m['decoder'])})."
        if lm
        else "Packaged without a language model: texts are the likeliest letters."
    )
    return (
        "## How to use it\n\n"
        f"    python -m training transcribe FILE --model {m['model']}\n\n"
        f"Sound at any rate is brought to {rate} Hz. It writes the letters `{''.join(m['labels'])}`. {search}"
    )


def _decoder(decoder: dict[str, Any]) -> str:
    return f"alpha {decoder['alpha']:g}, beta {decoder['beta']:g}, beam {decoder['beam_width']}, {decoder['mode']}"


def _origin(m: dict[str, Any]) -> str:
    rows = [
        f"| {one['name']} | {one['version']} | {one['train_hours']:.2f} | {one['train_utterances']} |"
        for one in m["corpora"]
    ]
    return (
        "## What it has learnt from\n\n| corpus | version | hours | utterances |\n|---|---|---|---|\n"
        + "\n".join(rows)
    )


def _figures(m: dict[str, Any]) -> str:
    if not m["evaluations"]:
        return "## How good it is\n\nNot measured yet."
    rows = [
        f"| {one['corpus']} {one['split']} | {one['utterances']} | {_rate(one, 'greedy')} | {_rate(one, 'corrected')} | "
        f"{_rate(one, 'lm')} | {(one['language_model'] or {}).get('name', '–')} |"
        for one in m["evaluations"]
    ]
    head = "| test | utterances | greedy | corrected | with the language model | which |\n|---|---|---|---|---|---|\n"
    int8 = m["checked"]["int8"]
    units = {one.get("unit") for one in m["evaluations"]}
    counted = "Character" if units == {"characters"} else "Word"
    cost = (
        f"In bytes (`network-int8.onnx`) it chooses the same letter in {int8['same_label']:.2%} of the frames; greedy "
        f"error rate on {int8['utterances']} utterances {int8['wer_network']:.2%} → {int8['wer_form']:.2%}."
    )
    return (
        f"## How good it is\n\n{counted} error rates with 95 % intervals.\n\n{head}"
        + "\n".join(rows)
        + f"\n\n{cost}"
    )


def _rate(one: dict[str, Any], name: str) -> str:
    if name not in one:
        return "–"
    low, high = one[name]["wer_interval"]
    return f"{one[name]['wer']:.2%} [{low:.2%}, {high:.2%}]"


def _binding(m: dict[str, Any]) -> str:
    rows = [f"| {name or 'none stated'} | {hours:.2f} |" for name, hours in m["licences"].items()]
    kept = (
        ""
        if m["may_redistribute"]
        else "\n\nA donor forbids passing recordings on: ask before passing the model on."
    )
    voices = (
        f"{len(m['voices'])} voices are listed in model.json under pseudonyms (a hash of corpus and speaker), so that a "
        "donor who withdraws can be told whether the model has heard them."
    )
    return (
        "## What binds it\n\n| licence of what it has learnt from | hours |\n|---|---|\n"
        + "\n".join(rows)
        + kept
        + f"\n\n{voices}"
    )


def _files(m: dict[str, Any]) -> str:
    rows = [
        f"| `{name}` | {facts['bytes']:,} | `{facts['sha256'][:16]}` |"
        for name, facts in sorted(m["files"].items())
    ]
    return (
        f"## What is in it\n\nCode {m['code_version']}, run {m['run']}; "
        f"`python -m training reproduce {m['model']}` trains it again and compares.\n\n"
        "| file | bytes | SHA-256 begins |\n|---|---|---|\n" + "\n".join(rows)
    )


def _short(count: int) -> str:
    for size, unit in _UNITS:
        if count >= size:
            return f"{count / size:.1f} {unit}"
    return str(count)

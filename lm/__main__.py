"""`python -m lm build | adopt | query | show | verify | report | sweep | alphabet`: the language model from the shell."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from lm.adopt.commands import add_options as add_adopt_options
from lm.adopt.commands import run as run_adopt
from lm.adopt.commands import shown as shown_adopted
from lm.build import BuildRequest, build
from lm.defaults import DEFAULT_NAME, DEFAULT_ORDER, DEFAULT_PRUNE, SWEEP_ORDERS
from lm.errors import LanguageModelUsageError
from lm.inspection import query, verify
from lm.model.folder import model_folder, read_manifest
from lm.units import UNITS
from native import Alphabet
from store.console import configure_logging, emit, program_name, run_command
from store.opening import open_store


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit status (0 done, 2 unusable input, 1 failed)."""
    options = _parser().parse_args(arguments)
    configure_logging()
    return run_command(lambda: options.run(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program_name("lm"), description="Text to language model.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_build(commands.add_parser("build", help="learn from published corpora and text files"))
    adopting = commands.add_parser("adopt", help="take over somebody's ARPA file or KenLM binary")
    add_adopt_options(adopting)
    _add_common(adopting, run_adopt)
    for name, run, text in (
        ("query", _query, "score sentences word by word (log10)"),
        ("show", _show, "what a model was made of and how good it is"),
        ("verify", _verify, "check files, hashes and that the parts belong together"),
    ):
        command = commands.add_parser(name, help=text)
        command.add_argument("dir", metavar="DIR", help="a language model's folder, or a published name")
        if name == "query":
            command.add_argument(
                "text", metavar="TEXT", nargs="*", help="a sentence; without it, lines of standard input"
            )
        _add_common(command, run)
    _add_alphabet(commands.add_parser("alphabet", help="derive an alphabet file from corpora and text"))
    _add_sweep(commands.add_parser("sweep", help="perplexity against size for orders, prunings, structures"))
    report = commands.add_parser("report", help="write the HTML report of published models")
    report.add_argument("name", metavar="NAME", nargs="*", help="published names (default: all)")
    _add_common(report, _report)
    return parser


def _add_build(command: argparse.ArgumentParser) -> None:
    target = command.add_mutually_exclusive_group(required=True)
    target.add_argument("--out", metavar="DIR", type=Path, help="write the model into this folder")
    target.add_argument("--publish", metavar="NAME", help="publish it in the store under this name")
    command.add_argument("--text", metavar="FILE", nargs="+", type=Path, action="extend", default=[],
                         help="text files, folders, .gz .bz2 .xz .zst, tar archives, FILE.parquet[:COLUMN]")  # fmt: skip
    command.add_argument(
        "--corpora", metavar="NAME", nargs="*", help="published corpora (default: all; none: text only)"
    )
    command.add_argument(
        "--order", type=int, default=DEFAULT_ORDER, help=f"longest n-gram (default {DEFAULT_ORDER})"
    )
    command.add_argument(
        "--prune",
        metavar="N",
        type=int,
        nargs="+",
        default=[*DEFAULT_PRUNE],
        help="drop counts ≤ N, per order: 0 0 1",
    )
    command.add_argument("--vocabulary-size", metavar="N", type=int, help="keep the N most frequent words")
    command.add_argument(
        "--vocabulary", metavar="FILE", type=Path, help="keep the words of a list, one a line"
    )
    command.add_argument("--pronunciations", metavar="FILE", type=Path,
                         help="how words are said (word, then labels), for a network that writes sounds; --alphabet "
                         "then names its labels")  # fmt: skip
    command.add_argument("--interpolate", action="store_true",
                         help="one model of each source, mixed by weights tuned on dev")  # fmt: skip
    command.add_argument("--dev", metavar="FILE", type=Path,
                         help="sentences to tune the weights on, instead of the corpora's dev transcripts")  # fmt: skip
    command.add_argument("--keep-held-out", action="store_true",
                         help="learn also from sentences that equal dev or test (recorded)")  # fmt: skip
    command.add_argument("--alphabet", metavar="FILE", type=Path,
                         help="the letters of the text (python -m lm alphabet derives one); else those of --language, "
                         "of the corpora named, of English")  # fmt: skip
    command.add_argument("--language", metavar="TAG", help="of the text: de, ru, zh, …")
    command.add_argument("--bytes", action="store_true", help="for a network that writes the bytes of UTF-8")
    command.add_argument("--unit", choices=UNITS, default="",
                         help="what is counted (default: words; characters where the alphabet has no blank)")  # fmt: skip
    command.add_argument(
        "--binary", choices=("trie", "probing"), default="probing", help="small, or fast (default)"
    )
    command.add_argument(
        "--quantise", metavar="BITS", type=int, help="bits per probability (with --binary trie)"
    )
    command.add_argument("--workers", metavar="N", type=int, help="cleaning threads (default: one per core)")
    _add_common(command, _build)


def _add_alphabet(command: argparse.ArgumentParser) -> None:
    command.add_argument("out", metavar="FILE", type=Path, help="the alphabet file to write")
    command.add_argument("--text", metavar="FILE", nargs="+", type=Path, action="extend", default=[])
    command.add_argument("--corpora", metavar="NAME", nargs="+", default=[], help="published corpora")
    command.add_argument("--bytes", action="store_true", help="the bytes of UTF-8 instead of letters")
    _add_common(command, _alphabet)


def _alphabet(options: argparse.Namespace) -> int:
    from lm.text.letters import derive, write_alphabet

    if options.bytes:
        Alphabet.bytes().save(options.out)
        emit({"path": str(options.out), "labels": 255, "rare": []}, options.json, f"{options.out}: 255 bytes")
        return 0
    store = open_store(options.store)
    letters = derive([store.corpus(name) for name in options.corpora], options.text)
    alphabet = write_alphabet(options.out, letters)
    rare = {letter: letters.counts[letter] for letter in letters.rare}
    lines = [f"{options.out}: {len(alphabet.labels)} labels from {letters.total:,} letters"]
    lines += [
        f"{name}: {n:,} lines no UTF-8, read as Windows-1252" for name, n in letters.lines_not_utf8.items()
    ]
    if rare:
        lines.append(f"left out, please look: {', '.join(f'{sign} ({n})' for sign, n in rare.items())}")
    result = {
        "path": str(options.out),
        "labels": len(alphabet.labels),
        "rare": rare,
        "letters": letters.total,
        "lines_not_utf8": letters.lines_not_utf8,
    }
    emit({**result, "alphabet_hash": alphabet.hash}, options.json, "\n".join(lines))
    return 0


def _add_sweep(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--name", metavar="NAME", default=DEFAULT_NAME, help=f"of the page (default: {DEFAULT_NAME})"
    )
    command.add_argument("--text", metavar="FILE", nargs="+", type=Path, action="extend", default=[])
    command.add_argument(
        "--corpora", metavar="NAME", nargs="*", help="published corpora (default: all; none: text only)"
    )
    command.add_argument("--orders", metavar="N", type=int, nargs="+", default=[*SWEEP_ORDERS])
    command.add_argument(
        "--prune", metavar="'0 0 1'", action="append", help="thresholds to try, as one word; may be repeated"
    )
    _add_common(command, _sweep)


def _add_common(command: argparse.ArgumentParser, run: Any) -> None:
    command.add_argument(
        "--store", metavar="DIR", type=Path, help="the store (default $SPEECHMILL_STORE or var/store)"
    )
    command.add_argument("--json", action="store_true", help="one JSON object on standard output")
    command.set_defaults(run=run)


def _build(options: argparse.Namespace) -> int:
    result = build(
        BuildRequest(
            out=options.out,
            publish=options.publish,
            text=tuple(options.text),
            corpora=None if options.corpora is None else tuple(options.corpora),
            order=options.order,
            prune=tuple(options.prune),
            vocabulary_size=options.vocabulary_size,
            vocabulary=options.vocabulary,
            pronunciations=options.pronunciations,
            keep_held_out=options.keep_held_out,
            interpolate=options.interpolate,
            dev=options.dev,
            alphabet=options.alphabet,
            language=options.language,
            labels="bytes" if options.bytes else "characters",
            unit=options.unit,
            binary=options.binary,
            quantise=options.quantise,
            store=options.store,
            workers=options.workers,
        )
    )
    emit(result, options.json, f"{result['status']}: {result['path']}\n{summary(result)}")
    return 0


def _folder(options: argparse.Namespace) -> Path:
    """DIR as it stands, else as a published name."""
    return model_folder(options.dir, open_store(options.store))


def _query(options: argparse.Namespace) -> int:
    sentences = [" ".join(options.text)] if options.text else _standard_input()
    result = query(_folder(options), sentences)
    lines = []
    for sentence in result["sentences"]:
        if sentence["refused"]:
            lines.append(f"refused ({sentence['refused']}): {sentence['reason']}")
            continue
        words = "  ".join(
            f"{w['word']} {w['log10']:.4f}{' OOV' if w['oov'] else ''}" for w in sentence["words"]
        )
        lines.append(f"{words}\n  total {sentence['log10']:.4f}, perplexity {sentence['perplexity']}")
    lines.append(
        f"perplexity {result['perplexity']}, without unknown words {result['perplexity_without_oov']}"
    )
    if result["refused"]:
        lines.append(f"{result['refused']} of {len(sentences)} sentences refused, in no figure")
    emit(result, options.json, "\n".join(lines))
    return 0


def _standard_input() -> list[str]:
    """The lines; bytes that are no UTF-8 as surrogates, which `query` refuses by line."""
    return [line.rstrip(b"\r\n").decode("utf-8", "surrogateescape") for line in sys.stdin.buffer]


def _show(options: argparse.Namespace) -> int:
    manifest = read_manifest(_folder(options))
    emit(manifest, options.json, summary(manifest))
    return 0


def _verify(options: argparse.Namespace) -> int:
    folder = _folder(options)
    result = verify(folder)
    emit(result, options.json, f"{folder} is complete and its parts belong together")
    return 0


def _sweep(options: argparse.Namespace) -> int:
    from lm.sweep import Grid, sweep, write_sweep

    store = open_store(options.store)
    corpora = None if options.corpora is None else tuple(options.corpora)
    request = BuildRequest(publish=options.name, text=tuple(options.text), corpora=corpora, store=store.root)
    try:
        prunings = [tuple(int(n) for n in words.split()) for words in options.prune or ()]
    except ValueError as error:
        raise LanguageModelUsageError(f"--prune takes numbers such as '0 0 1' ({error})") from error
    grid = Grid(orders=tuple(options.orders))
    result = sweep(request, replace(grid, prunings=tuple(prunings)) if prunings else grid)
    pages = [str(path) for path in write_sweep(store, result)]
    lines = [
        f"{row['choice']}: perplexity {row['perplexity']:.1f}, {row['bytes'] / 1e6:,.1f} MB: {row['command']}"
        for row in result["choices"]
    ]
    emit({**result, "reports": pages}, options.json, "\n".join([*lines, *pages]))
    return 0


def _report(options: argparse.Namespace) -> int:
    from lm.pages.report import write_report

    store = open_store(options.store)
    paths = [str(write_report(store, name)) for name in options.name or store.language_model_names()]
    emit({"reports": paths}, options.json, "\n".join(paths) or "no language model is published yet")
    return 0


def summary(manifest: dict[str, Any]) -> str:
    """A few lines for a person."""
    if manifest.get("adopted"):
        return shown_adopted(manifest)
    sentences, dev = manifest["sentences"], manifest["dev"]
    refused = sum(sentences["refused"].values())
    asked = f" (asked: {manifest['order_asked']})" if manifest["order_asked"] != manifest["order"] else ""
    lines = [
        f"order {manifest['order']}{asked}, n-grams {' / '.join(f'{n:,}' for n in manifest['ngrams'])}, "
        f"vocabulary {manifest['vocabulary']:,}",
        f"learned from {sentences['kept']:,} sentences, {sentences['words']:,} words; "
        f"left out {sentences['left_out']:,} that equal dev or test, refused {refused:,}",
        *manifest["decisions"],
    ]
    if dev["perplexity"] is None:
        lines.append("perplexity: no corpus with dev transcripts in the store")
    else:
        lines.append(
            f"perplexity {dev['perplexity']:.1f} on all dev transcripts "
            f"({dev['perplexity_without_oov']} without unknown words), unknown words {dev['oov_rate']:.2%}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    raise SystemExit(main())

"""KenLM's programs: finding them, running them, and saying in one sentence why one of them stopped.

The only file that knows the command lines of `lmplz` and `build_binary`. It decides the order and the
discounts that a text is large enough for, and says what it decided. It does not clean text (`sentences.py`)
and does not query models (`native`).
"""

from __future__ import annotations

import itertools
import logging
import os
import re
import resource
import shlex
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import native
from lm.errors import LanguageModelUsageError, ResourceError, ToolFailedError, ToolMissingError
from store import checkout_root

LOWEST_ORDER, HIGHEST_ORDER = 2, 6
"""The orders that the binary formats and our build of KenLM can hold."""

SPECIAL_WORDS = ("<s>", "</s>", "<unk>", "<UNK>")
_MEBIBYTE = 1 << 20
_SORT = "exceeds total memory|below the minimum block size"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tools:
    """Where KenLM's programs are, and the version of the package they were built from."""

    lmplz: Path
    build_binary: Path
    version: str


@dataclass(frozen=True)
class EstimateOptions:
    """What is asked of `lmplz`: order, pruning thresholds per order, a vocabulary to stay in."""

    order: int
    prune: tuple[int, ...] = ()
    vocabulary_file: Path | None = None
    memory_bytes: int | None = None


@dataclass(frozen=True)
class Estimate:
    """What `lmplz` wrote: the order it came to, n-grams per order, and what had to be decided on the way."""

    order: int
    ngrams: tuple[int, ...]
    discount_fallback: bool
    decisions: tuple[str, ...]
    before_pruning: tuple[int, ...] = ()


@dataclass(frozen=True)
class BinaryOptions:
    """Data structure of the binary file; `quantise_bits` (2 to 25) only with `trie`."""

    structure: str = "probing"
    quantise_bits: int | None = None

    def arguments(self) -> list[str]:
        """The part of the command line that chooses the structure. Raises LanguageModelUsageError."""
        if self.structure not in ("probing", "trie"):
            raise LanguageModelUsageError(f"binary structure {self.structure!r} is neither probing nor trie")
        if self.quantise_bits is None:
            return [self.structure]
        if self.structure != "trie":
            raise LanguageModelUsageError(
                "--quantise needs --binary trie; probing tables cannot be quantised"
            )
        if not 2 <= self.quantise_bits <= 25:
            raise LanguageModelUsageError(f"--quantise {self.quantise_bits} is outside 2 to 25 bits")
        return ["-q", str(self.quantise_bits), "-b", str(self.quantise_bits), "-a", "22", "trie"]


def find_tools() -> Tools:
    """Finds the programs in build/kenlm/bin under $SPEECHMILL_ROOT (or this checkout), in the wheel, else on PATH.

    Raises ToolMissingError naming the program and the command that builds it.
    """
    root = checkout_root()
    built = root / "build" / "kenlm"
    carried = Path(native.__file__).parent / "bin"
    places = os.pathsep.join((str(built / "bin"), str(carried), os.environ.get("PATH", "")))
    found: dict[str, Path] = {}
    for name in ("lmplz", "build_binary"):
        path = shutil.which(name, path=places)
        if path is None:
            raise ToolMissingError(
                f"KenLM's program {name} is neither in {built / 'bin'} nor on PATH; `make setup` builds it"
            )
        found[name] = Path(path)
    folder = found["lmplz"].parent
    version = native.KENLM_VERSION if folder == carried else _version(folder.parent / "src")
    return Tools(found["lmplz"], found["build_binary"], version)


def _version(source: Path) -> str:
    """The version in the package information beside the sources, or "unknown" for foreign programs."""
    try:
        information = (source / "PKG-INFO").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    match = re.search(r"^Version: (\S+)", information, re.M)
    return match.group(1) if match else "unknown"


def check_order(order: int, prune: Sequence[int]) -> None:
    """Refuses orders and pruning that KenLM would refuse later. Raises LanguageModelUsageError."""
    if not LOWEST_ORDER <= order <= HIGHEST_ORDER:
        raise LanguageModelUsageError(f"order {order} is outside {LOWEST_ORDER} to {HIGHEST_ORDER}")
    if len(prune) > order:
        raise LanguageModelUsageError(f"--prune has {len(prune)} thresholds for a model of order {order}")
    if any(low > high for low, high in itertools.pairwise(prune)) or any(n < 0 for n in prune):
        raise LanguageModelUsageError(
            f"--prune {' '.join(map(str, prune))} must not fall from order to order"
        )
    if prune and prune[0] != 0:
        raise LanguageModelUsageError(
            "--prune must begin with 0: single words are limited by --vocabulary-size"
        )


def estimate(text: Path, arpa: Path, longest_sentence: int, options: EstimateOptions) -> Estimate:
    """Estimates n-grams from a file of one sentence per line; lowers the order for small text.

    `longest_sentence` is in words: with its two boundary marks it limits the order that can occur at all.
    Raises ToolMissingError, ToolFailedError, ResourceError.
    """
    check_order(options.order, options.prune)
    order = max(LOWEST_ORDER, min(options.order, longest_sentence + 2))
    decisions: list[str] = []
    if order < options.order:
        decisions.append(
            f"order lowered from {options.order} to {order}: the longest sentence has {longest_sentence} "
            f"{'word' if longest_sentence == 1 else 'words'}"
        )
    fallback = False
    while True:
        attempt = replace(options, order=order, prune=options.prune[:order])
        problem, output = _run_lmplz(text, arpa, attempt, fallback)
        if problem:
            fallback = True
            decisions.append(f"fallback discounts 0.5, 1, 1.5: the text is too small for its own ({problem})")
            continue
        ngrams = arpa_counts(arpa)
        filled = max((index + 1 for index, count in enumerate(ngrams) if count), default=0)
        if filled >= order or order == LOWEST_ORDER:
            before = _before_pruning(output, ngrams)
            return Estimate(order, tuple(ngrams), fallback, tuple(decisions), before)
        decisions.append(
            f"order lowered from {order} to {max(filled, LOWEST_ORDER)}: no longer n-grams are left"
        )
        order = max(filled, LOWEST_ORDER)


def _before_pruning(output: str, ngrams: Sequence[int]) -> tuple[int, ...]:
    """N-grams per order before pruning, from what `lmplz` says of each order ("3 kept/counted D1=…")."""
    counted = {int(m[1]): int(m[2]) for m in re.finditer(r"^(\d) \d+/(\d+) D1=", output, re.M)}
    return tuple(counted.get(order, count) for order, count in enumerate(ngrams, 1))


def _run_lmplz(text: Path, arpa: Path, options: EstimateOptions, fallback: bool) -> tuple[str | None, str]:
    """Runs `lmplz` once: why its discounts could not be calculated (None: all went well), and what it said."""
    memory = options.memory_bytes or default_memory_bytes()
    temporary = arpa.parent / "lmplz-"
    command = [str(find_tools().lmplz), "-o", str(options.order), "-S", f"{memory // _MEBIBYTE}M"]
    command += ["-T", str(temporary), "--text", str(text), "--arpa", str(arpa)]
    if options.prune and any(options.prune):
        command += ["--prune", *map(str, options.prune)]
    if options.vocabulary_file is not None:
        command += ["--limit_vocab_file", str(options.vocabulary_file)]
    if fallback:
        command.append("--discount_fallback")
    status, output = _run(command, arpa.parent)
    if status == 0:
        return None, output
    if "BadDiscountException" in output and not fallback:
        reason = re.search(r"for (\d)-grams with adjusted count \d", output) or re.search(
            r"(\d)-gram", output
        )
        return f"no discount for {reason.group(1)}-grams" if reason else "discounts out of range", output
    raise _explain("lmplz", status, output, arpa.parent)


def to_binary(arpa: Path, binary: Path, options: BinaryOptions) -> None:
    """Writes the memory-mapped form of an ARPA file. Raises ToolFailedError, ResourceError."""
    memory = default_memory_bytes() // _MEBIBYTE
    command = [str(find_tools().build_binary), "-T", str(binary.parent / "binary-"), "-S", f"{memory}M"]
    command += [*options.arguments(), str(arpa), str(binary)]
    status, output = _run(command, binary.parent)
    if status != 0:
        raise _explain("build_binary", status, output, binary.parent)


def default_memory_bytes() -> int:
    """Sort memory for KenLM: a quarter of what is free now, 128 MiB to 1 GiB; the result is the same."""
    return int(min(max(available_bytes() // 4, 128 * _MEBIBYTE), 1024 * _MEBIBYTE))


def available_bytes() -> int:
    """Memory that programs can have without swapping."""
    with Path("/proc/meminfo").open("rb") as file:
        for line in file:
            if line.startswith(b"MemAvailable:"):
                return int(line.split()[1]) * 1024
    return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _run(command: list[str], directory: Path) -> tuple[int, str]:
    """Runs one program, logs command line and cost, returns its status and what it wrote to stderr."""
    _log.info("%s", shlex.join(command))
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    environment = {**os.environ, "LC_ALL": "C", "TMPDIR": str(directory)}
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, env=environment, check=False
        )
    except OSError as error:
        raise ToolFailedError(
            f"{command[0]} cannot be started: {error}; `make setup` builds it anew"
        ) from error
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    name = Path(command[0]).name
    _log.info("%s: %.1f s, %.1f s of processor time", name, time.monotonic() - began, cpu_s)
    return done.returncode, done.stderr.decode("utf-8", "replace") + done.stdout.decode("utf-8", "replace")


def _explain(program: str, status: int, output: str, directory: Path) -> Exception:
    """Turns a program's last words into one sentence with its remedy."""
    if "No space left on device" in output or "ENOSPC" in output:
        free = shutil.disk_usage(directory).free // _MEBIBYTE
        return ResourceError(
            f"{program} ran out of disk in {directory} ({free} MiB free); free some space there"
        )
    if status in (-9, 137) or re.search(
        rf"bad_alloc|MallocException|Cannot allocate memory|ENOMEM|{_SORT}", output
    ):
        free = available_bytes() // _MEBIBYTE
        return ResourceError(
            f"{program} ran out of memory ({free} MiB free now); end other programs or prune more"
        )
    lines = [
        line.strip()
        for line in output.splitlines()
        if line.strip() and not set(line) <= set("-*=0123456789 ")
    ]
    words = " ".join(lines[-2:])[-400:] if lines else "no message"
    return ToolFailedError(f"{program} ended with status {status}: {words}")


def arpa_counts(arpa: Path) -> list[int]:
    """N-grams per order, from the head of an ARPA file. Raises ToolFailedError when there is no such head."""
    counts: list[int] = []
    with arpa.open("rb") as file:
        if file.readline().strip() != b"\\data\\":
            raise ToolFailedError(f"{arpa} does not begin with \\data\\, so it is no ARPA file")
        for line in file:
            if not line.startswith(b"ngram "):
                break
            counts.append(int(line.split(b"=")[1]))
    return counts


def arpa_words(arpa: Path) -> list[str]:
    """The words of an ARPA file in its own order, without the marks for sentence ends and unknown words."""
    section, pieces = b"\n\\1-grams:\n", [b""]
    with arpa.open("rb") as file:
        rest = b""
        while chunk := file.read(_MEBIBYTE):
            rest += chunk
            begin = rest.find(section)
            end = rest.find(b"\n\n", begin + len(section)) if begin >= 0 else -1
            if end >= 0:
                pieces = rest[begin + len(section) : end].split(b"\n")
                break
    words = b"\n".join(line.split(b"\t", 2)[1] for line in pieces if b"\t" in line).decode("utf-8")
    return [word for word in words.split("\n") if word and word not in SPECIAL_WORDS]

"""One decoder in a process of its own, told what to do by JSON lines; runs in the peer's own environment.

    worker.py ENGINE     engine: speechmill, flashlight, pyctcdecode, fast-ctc-decode

Commands: {"do": "decode", "task": DIR, "setting": {...}, "from": i, "to": j} answers {"cpu_s", "texts",
"frames"}; {"do": "memory", "lm": FILE} answers {"beyond_lm_bytes", "lm_bytes"}; "threads" and "long" are for
speechmill only. A failure answers {"error": text}. The clock is the process' CPU time around the decoding
alone: inputs are brought into each decoder's own form before it starts. Imports numpy and the one decoder.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ALPHA, BETA = 0.5, 1.5  # natural logarithms
_LN10 = 2.302585092994046

Decode = Callable[[Any], str]


class Task:
    """A folder of inputs: flat.npy, offsets.npy, task.json (labels, blank, language models, words)."""

    def __init__(self, folder: str) -> None:
        self.flat = np.load(Path(folder) / "flat.npy", mmap_mode="r")
        self.offsets = np.load(Path(folder) / "offsets.npy")
        description = json.loads((Path(folder) / "task.json").read_text(encoding="utf-8"))
        self.labels: list[str] = description["labels"]  # without the blank, which is the last output
        self.models: dict[str, str] = description["models"]
        self.words_file: str = description["words"]

    def rows(self, index: int) -> Any:
        """float32 [frames, labels], a copy."""
        return np.array(self.flat[self.offsets[index] : self.offsets[index + 1]])

    def words(self) -> list[str]:
        """The lexicon."""
        return Path(self.words_file).read_text(encoding="utf-8").split()


def speechmill(task: Task, setting: dict[str, Any]) -> tuple[Callable[[Any], Any], Decode]:
    """Ours."""
    import native

    alphabet = native.Alphabet(task.labels)
    model = setting.get("model", "probing")
    mode = native.Pruning(**setting["cuts"]) if "cuts" in setting else setting["mode"]
    scorer = native.Scorer.load(task.models[model], ALPHA, BETA) if model else None

    def decode(rows: Any) -> str:
        options = {"beam_width": setting["beam"], "threads": 1, "mode": mode}
        if setting.get("open"):
            options |= {"open_vocabulary": True}
        return native.decode(rows, [rows.shape[1]], alphabet, scorer, **options)[0][0].text

    def greedy(rows: Any) -> str:
        return native.greedy(rows, [rows.shape[1]], alphabet)[0].text

    return lambda rows: rows[None], greedy if setting["mode"] == "greedy" else decode


def flashlight(task: Task, setting: dict[str, Any]) -> tuple[Callable[[Any], Any], Decode]:
    """flashlight-text as torchaudio sets it up: unigram look-ahead by maximum, CTC, no log-add."""
    from flashlight.lib.text import decoder as fl
    from flashlight.lib.text.dictionary import Dictionary

    words = Dictionary(task.words())
    words.add_entry("<unk>")
    model = fl.KenLM(str(Path(task.models["probing"]) / "lm.binary"), words)
    space, blank = task.labels.index(" "), len(task.labels)
    trie = fl.Trie(blank + 1, space)
    start = model.start(False)
    for word in task.words():
        index = words.get_index(word)
        _, score = model.score(start, index)
        trie.insert([*(task.labels.index(c) for c in word), space], index, score)
    trie.smear(fl.SmearingMode.MAX)
    options = fl.LexiconDecoderOptions(
        beam_size=setting["beam"], beam_size_token=setting["labels"], beam_threshold=setting["threshold"],
        lm_weight=ALPHA * _LN10, word_score=BETA, unk_score=-np.inf, sil_score=0.0, log_add=False,
        criterion_type=fl.CriterionType.CTC,
    )  # fmt: skip
    unknown = words.get_index("<unk>")
    decoder = fl.LexiconDecoder(options, trie, model, space, blank, unknown, [], False)
    closing = np.full((1, blank + 1), -30.0, np.float32)  # without it the last word would be dropped
    closing[0, space] = 0.0

    def decode(rows: Any) -> str:
        best = decoder.decode(rows.ctypes.data, rows.shape[0], rows.shape[1])[0]
        return " ".join(words.get_entry(i) for i in best.words if i >= 0)

    return lambda rows: np.ascontiguousarray(np.concatenate([rows, closing])), decode


def pyctcdecode(task: Task, setting: dict[str, Any]) -> tuple[Callable[[Any], Any], Decode]:
    """pyctcdecode with its defaults but for the weights and the beam."""
    import pyctcdecode as peer

    model = str(Path(task.models["probing"]) / "lm.binary")
    decoder = peer.build_ctcdecoder([*task.labels, ""], model, task.words(), alpha=ALPHA, beta=BETA)
    return lambda rows: rows, lambda rows: str(decoder.decode(rows, beam_width=setting["beam"]))


def fast_ctc_decode(task: Task, setting: dict[str, Any]) -> tuple[Callable[[Any], Any], Decode]:
    """fast-ctc-decode: probabilities, the blank first, no language model."""
    import fast_ctc_decode as peer

    alphabet = "_" + "".join(task.labels)

    def prepare(rows: Any) -> Any:
        return np.ascontiguousarray(np.exp(np.concatenate([rows[:, -1:], rows[:, :-1]], 1)), np.float32)

    def decode(rows: Any) -> str:
        return " ".join(peer.beam_search(rows, alphabet, setting["beam"], setting["cut"])[0].split())

    return prepare, decode


ENGINES = {
    "speechmill": speechmill,
    "flashlight": flashlight,
    "pyctcdecode": pyctcdecode,
    "fast-ctc-decode": fast_ctc_decode,
}


class Worker:
    """Keeps every task and every decoder it was asked for."""

    def __init__(self, engine: str) -> None:
        self.make = ENGINES[engine]
        self.tasks: dict[str, Task] = {}
        self.decoders: dict[str, tuple[Callable[[Any], Any], Decode]] = {}

    def decode(self, command: dict[str, Any]) -> dict[str, Any]:
        """CPU seconds and texts of utterances `from` … `to`."""
        task, (prepare, decode) = self._ready(command)
        inputs = [prepare(task.rows(i)) for i in range(command["from"], command["to"])]
        start = time.process_time()
        texts = [decode(one) for one in inputs]
        cpu = time.process_time() - start
        frames = int(task.offsets[command["to"]] - task.offsets[command["from"]])
        return {"cpu_s": cpu, "texts": texts, "frames": frames}

    def long(self, command: dict[str, Any]) -> dict[str, Any]:
        """CPU seconds of utterances one by one, and of all of them as one; each ends with a space. `group` of
        them count as one."""
        task, (prepare, decode) = self._ready(command)
        space = np.full((1, task.flat.shape[1]), -30.0, np.float32)
        space[0, task.labels.index(" ")] = 0.0
        span = range(command["from"], command["to"])
        one_by_one = [np.concatenate([task.rows(i), space]) for i in span]
        group = command["group"]
        pieces = [np.concatenate(one_by_one[i : i + group]) for i in range(0, len(span), group)]
        inputs, joined = [prepare(piece) for piece in pieces], prepare(np.concatenate(pieces))
        start = time.process_time()
        for one in inputs:
            decode(one)
        middle = time.process_time()
        decode(joined)
        return {"apart_cpu_s": middle - start, "joined_cpu_s": time.process_time() - middle}

    def threads(self, command: dict[str, Any]) -> dict[str, Any]:
        """Wall and CPU seconds of one batch over one thread and over two."""
        import native

        task, _ = self._ready(command)
        lengths = np.diff(task.offsets)[command["from"] : command["to"]]
        batch = np.zeros((len(lengths), int(lengths.max()), task.flat.shape[1]), np.float32)
        for place, index in enumerate(range(command["from"], command["to"])):
            batch[place, : lengths[place]] = task.rows(index)
        scorer = native.Scorer.load(task.models["probing"], ALPHA, BETA)
        alphabet, answer = native.Alphabet(task.labels), {}
        for threads in (1, 2):
            wall, cpu = time.perf_counter(), time.process_time()
            native.decode(batch, lengths, alphabet, scorer, threads=threads, mode=command["setting"]["mode"])
            answer[f"wall_{threads}_s"] = time.perf_counter() - wall
            answer[f"cpu_{threads}_s"] = time.process_time() - cpu
        return answer

    def _ready(self, command: dict[str, Any]) -> tuple[Task, tuple[Callable[[Any], Any], Decode]]:
        name = command["task"]
        task = self.tasks.setdefault(name, Task(name)) if name not in self.tasks else self.tasks[name]
        key = json.dumps([name, command["setting"]], sort_keys=True)
        if key not in self.decoders:
            self.decoders[key] = self.make(task, command["setting"])
        return task, self.decoders[key]

    @staticmethod
    def memory(command: dict[str, Any]) -> dict[str, Any]:
        """Resident bytes of this process, those that map the language model's binary apart."""
        model, total, mapped, inside = str(Path(command["lm"]).resolve()), 0, 0, False
        for line in Path("/proc/self/smaps").read_text().splitlines():
            if not line.split()[0].endswith(":"):
                inside = line.endswith(model)
            elif line.startswith("Rss:"):
                kilobytes = int(line.split()[1])
                total += kilobytes
                mapped += kilobytes if inside else 0
        return {"beyond_lm_bytes": (total - mapped) * 1024, "lm_bytes": mapped * 1024}


def main() -> int:
    """Answers commands until standard input ends."""
    worker = Worker(sys.argv[1])
    out = sys.stdout
    sys.stdout = sys.stderr  # peers that print do not disturb the answers
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = getattr(worker, command["do"])(command)
        except Exception as error:  # the driver reports it
            answer = {"error": f"{type(error).__name__}: {error}"}
        out.write(json.dumps(answer) + "\n")
        out.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

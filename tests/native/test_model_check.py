"""KenLM binaries are checked before they are mapped: damage is a sentence, never a read outside of the file."""

from __future__ import annotations

import random
import struct
import subprocess
import sys
from pathlib import Path

import pytest

import native

ROOT = Path(__file__).resolve().parents[2]
KINDS = {
    "probing": ["probing"],
    "trie": ["trie"],
    "quantised": ["-q", "4", "-b", "3", "trie"],
    "array": ["-a", "22", "trie"],
    "both": ["-q", "4", "-b", "3", "-a", "22", "trie"],
}
SENTENCES = ["the cat sat on the mat", "the mat sat", "a dog", "", "the the the the the"]
COUNTS = 88 + 20  # where the numbers of n-grams stand
CHILD = """
import sys, pathlib, native
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.binary")):
    try:
        model = native.LanguageModel.load(path)
        for sentence in {sentences!r}:
            model.score_sentence(sentence)
        print("read")
    except native.ScorerError as error:
        assert str(path) in str(error), error
        print("refused")
"""


@pytest.fixture(scope="module")
def arpa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A 4-gram model of a few made sentences, with and without backoffs."""
    words = ["the", "cat", "sat", "on", "mat", "a", "dog", "log", "will", "go", "home", "now"]
    folder = tmp_path_factory.mktemp("arpa")
    picked = random.Random(4)
    lines = "\n".join(" ".join(picked.choice(words) for _ in range(picked.randint(3, 9))) for _ in range(400))
    lmplz = ROOT / "build/kenlm/bin/lmplz"
    done = subprocess.run(
        [lmplz, "-o", "4", "--discount_fallback", "-S", "100M", "-T", str(folder)],
        input=lines,
        capture_output=True,
        text=True,
        check=True,
    )
    path = folder / "lm.arpa"
    path.write_text(done.stdout, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def binaries(arpa: Path) -> dict[str, Path]:
    built = {}
    for kind, arguments in KINDS.items():
        built[kind] = arpa.with_name(f"{kind}.bin")
        tool = ROOT / "build/kenlm/bin/build_binary"
        subprocess.run([tool, *arguments, arpa, built[kind]], check=True, capture_output=True)
    return built


def answers(folder: Path) -> list[str]:
    """What became of every model of a folder, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", CHILD.format(sentences=SENTENCES), folder],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-500:])
    return done.stdout.split()


@pytest.mark.parametrize("kind", KINDS)
def test_a_whole_model_is_read_as_before(kind: str, arpa: Path, binaries: dict[str, Path]) -> None:
    expected, found = native.LanguageModel.load(arpa), native.LanguageModel.load(binaries[kind])
    assert found.order == expected.order == 4
    for sentence in SENTENCES:
        pairs = zip(found.score_sentence(sentence), expected.score_sentence(sentence), strict=True)
        assert all(
            one[1] == pytest.approx(other[1], abs=0.5 if "q" in KINDS[kind][0] else 1e-4)
            for one, other in pairs
        )


@pytest.mark.parametrize("kind", KINDS)
def test_damage_anywhere_ends_in_a_sentence_or_an_answer(
    kind: str, binaries: dict[str, Path], tmp_path: Path
) -> None:
    whole = binaries[kind].read_bytes()
    picked = random.Random(kind)
    count = 120
    for i in range(count):
        data = bytearray(whole)
        if i % 4 == 0:  # bits
            for _ in range(picked.choice([1, 8, 200])):
                data[picked.randrange(88, len(data))] ^= 1 << picked.randrange(8)
        elif i % 4 == 1:  # a run of one value
            at = picked.randrange(88, len(data))
            data[at : at + picked.randrange(1, 200)] = bytes(
                [picked.choice([0, 255, 127])]
            ) * picked.randrange(1, 200)
        elif i % 4 == 2:  # a cut
            del data[picked.randrange(88, len(data)) :]
        else:  # a number of the header
            struct.pack_into(
                "<Q", data, COUNTS + 8 * picked.randrange(4), picked.choice([0, 1, 2**32, 2**60, 2**64 - 1])
            )
        (tmp_path / f"{i:03}.binary").write_bytes(data)
    found = answers(tmp_path)
    assert len(found) == count and found.count("refused") >= count // 2


@pytest.mark.parametrize(
    ("at", "value", "sentence"),
    [
        (88, b"\x00", "its order is 0"),
        (88, b"\x07", "its order is 7"),
        (92, struct.pack("<f", float("nan")), "multiplier"),
        (96, struct.pack("<I", 6), "unknown kind 6"),
        (100, b"\x02", "mark of a vocabulary is 2"),
        (COUNTS, struct.pack("<Q", 2**62), "its number of 1-grams is"),
    ],
)
def test_a_header_out_of_range_is_named(
    at: int, value: bytes, sentence: str, binaries: dict[str, Path], tmp_path: Path
) -> None:
    data = bytearray(binaries["trie"].read_bytes())
    data[at : at + len(value)] = value
    path = tmp_path / "bent.binary"
    path.write_bytes(data)
    with pytest.raises(native.ScorerError, match=sentence) as caught:
        native.LanguageModel.load(path)
    assert "bent.binary" in str(caught.value)


def test_an_arpa_that_promises_more_than_it_has_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.arpa"
    path.write_text("\n\\data\\\nngram 1=9999999999\nngram 2=5\n\n\\1-grams:\n", encoding="utf-8")
    with pytest.raises(native.ScorerError, match="fewer bytes than n-grams"):
        native.LanguageModel.load(path)

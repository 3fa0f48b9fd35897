"""The command `speechmill`: its help, what it does with words it does not know, and completion in a real shell."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from native import command
from native.command import completion, wheel
from native.command.table import COMMANDS

ROOT = Path(__file__).resolve().parents[3]


def speechmill(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "native.command", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, **environment},
    )


def test_help_fits_a_screen_and_names_every_command() -> None:
    text = command.help_text()
    assert len(text.split("\n")) <= 25 and max(map(len, text.split("\n"))) <= 80
    for name, one in COMMANDS.items():
        assert f"  {name} " in text
        assert one.room is None or (ROOT / one.room / "__main__.py").is_file()
    for word in ("corpora", "lm", "training", "decode", "score", "transcribe"):
        assert word in COMMANDS


def test_without_a_word_it_shows_the_help_and_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert command.main([]) == 2
    assert capsys.readouterr().out == shown
    assert command.main(["--version"]) == 0
    assert "0." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["corpra"], "did you mean `speechmill corpora`?"),
        (["lm", "biuld"], "did you mean `speechmill lm build`?"),
        (["training", "evalute"], "did you mean `speechmill training evaluate`?"),
        (["xyzzy"], "there are: corpora, lm"),
    ],
)
def test_a_slip_of_the_finger_is_answered(
    words: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main(words) == 2
    assert hint in capsys.readouterr().err


def test_a_command_is_the_program_of_its_room(tmp_path: Path) -> None:
    reference, hypothesis = tmp_path / "ref.txt", tmp_path / "hyp.txt"
    reference.write_text("the cat sat\non the mat\n", encoding="utf-8")
    hypothesis.write_text("the bat sat\non mat now\n", encoding="utf-8")
    done = speechmill("score", "--ref", str(reference), "--hyp", str(hypothesis), "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    counts = {key: said[key] for key in ("words", "substitutions", "deletions", "insertions", "wer")}
    assert counts == {"words": 6, "substitutions": 1, "deletions": 1, "insertions": 1, "wer": 0.5}
    assert speechmill("score", "--help").stdout.startswith("usage: speechmill score [-h] --ref FILE")
    assert speechmill("lm", "--help").stdout.startswith("usage: speechmill lm [-h] COMMAND")
    assert "--beam-width" in speechmill("decode", "--help").stdout


def test_completion_answers_from_the_parsers() -> None:
    assert completion.answers(["co"]) == ["collect", "completion", "corpora"]
    assert completion.answers(["completion", ""]) == ["bash", "fish", "zsh"]
    assert {"build", "adopt"} <= {*completion.answers(["lm", ""])}
    assert completion.answers(["lm", "build", "--interp"]) == ["--interpolate"]
    assert completion.answers(["lm", "build", "--binary", ""]) == ["probing", "trie"]
    assert "--ref" in completion.answers(["score", "--"])
    assert completion.answers(["score", "--ref", ""]) == []  # a file: the shell's own affair
    assert completion.answers(["nothing", ""]) == []


def in_shell(folder: Path, *command: str) -> str:
    """What a shell prints that finds the command `speechmill`."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    program = folder / "speechmill"
    program.write_text(
        f'#!/bin/sh\ncd {ROOT}\nexec "{sys.executable}" -m native.command "$@"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    (folder / "build.txt").touch()
    environment = {**os.environ, "PATH": f"{folder}:{os.environ['PATH']}", "HOME": str(folder)}
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env=environment, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_bash_completes(tmp_path: Path) -> None:
    script = """eval "$(speechmill completion bash)"
      COMP_WORDS=(speechmill lm bu); COMP_CWORD=2; _speechmill; echo "${COMPREPLY[*]}" """
    assert in_shell(tmp_path, "bash", "-c", script).strip() == "build"


def test_fish_completes(tmp_path: Path) -> None:
    def typed(line: str) -> list[str]:
        script = f"speechmill completion fish | source; complete -C '{line}'"
        return in_shell(tmp_path, "fish", "--no-config", "-c", script).split()

    assert typed("speechmill lm bu") == ["build"]
    assert typed("speechmill lm build --binary ") == ["probing", "trie"]
    assert "build.txt" in typed("speechmill score --ref b")  # a file: the shell's own affair


def test_zsh_completes(tmp_path: Path) -> None:
    """In a terminal, as a person types; Control-X writes down what Tab made of the line."""
    script = r"""
      zmodload zsh/zpty
      zpty typist zsh -f -i
      zpty -w typist 'note() { print -r -- "$BUFFER" >>noted; BUFFER=; }; zle -N note; bindkey "^X" note'
      zpty -w typist 'autoload -Uz compinit; compinit -u -d ./dump; eval "$(speechmill completion zsh)"; print REA""DY'
      zpty -r typist said '*READY*'
      noted() { for moment in {1..150}; do [[ -e noted && $(wc -l <noted) -ge $1 ]] && break; sleep 0.2; done; }
      zpty -w -n typist $'speechmill lm bu\t\C-x'
      noted 1
      zpty -w -n typist $'speechmill score --ref buil\t\C-x'
      noted 2
      zpty -d typist
      cat noted
    """
    shown = in_shell(tmp_path, "zsh", "-f", "-c", script)
    assert [line.strip() for line in shown.splitlines()] == [
        "speechmill lm build",
        "speechmill score --ref build.txt",
    ]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_in_the_shells_language(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    done = subprocess.run(
        [shell, "-n"], input=completion.SCRIPTS[shell], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_missing_library_is_named_with_its_extra() -> None:
    finder = wheel._Missing({"pyarrow": "corpora"})
    assert finder.find_spec("numpy", None) is None
    with pytest.raises(wheel.MissingPartError, match=r"pip install 'speechmill\[corpora\]'") as caught:
        finder.find_spec("pyarrow", None)
    assert isinstance(caught.value, ModuleNotFoundError) and caught.value.exit_status == 2

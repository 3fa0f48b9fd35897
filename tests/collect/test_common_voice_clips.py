"""A campaign that begins with the clips of a Common Voice directory, written by our own fixture writer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import soundfile
from collect_sounds import RATE_HZ, voice
from sqlalchemy import select

from collect import commands
from collect.clips.listening import Judgement, to_judge, vote
from collect.database.engine import Database
from collect.database.tables import Clip, Sentence, Voice, Vote
from collect.errors import CollectError
from collect.people.campaigns import campaign_named
from collect.people.progress import progress
from collect.people.voices import voice_of
from collect.publishing.snapshot import snapshot_folder, write_snapshot
from collect.settings import Settings

COLUMNS = "client_id\tpath\tsentence_id\tsentence\tup_votes\tdown_votes\tage\tgender\taccents\tlocale"
ROWS = {
    "validated": ["anna\tgood.mp3\t1\tThe tall ship left the harbour.\t2\t0\ttwenties\tfemale_feminine\tCoast\ten"],
    "invalidated": ["bert\tbad.mp3\t2\tThe river runs past the mill.\t0\t2\t\t\t\ten"],
    "other": [
        "anna\topen.mp3\t3\tThe baker sells warm bread.\t1\t0\ttwenties\tfemale_feminine\tCoast\ten",
        "carl\tdigits.mp3\t4\tIt was 7 degrees.\t0\t0\t\t\t\ten",
        "carl\tgone.mp3\t5\tThe letter came late.\t0\t0",
        "carl\tsilent.mp3\t6\tThe captain saw the light.\t0\t0\t\t\t\ten",
        "too\tfew",
        "dora\tcopy.mp3\t7\tThe sailor heard the bell.\t0\t0\t\t\t\ten",
    ],
}  # fmt: skip


def release(folder: Path) -> Path:
    (folder / "en/clips").mkdir(parents=True)
    for table, rows in ROWS.items():
        (folder / f"en/{table}.tsv").write_text("\n".join([COLUMNS, *rows]) + "\n", "utf-8")
    sounds = {name: voice(seed) for seed, name in enumerate(("good", "bad", "open", "digits"))}
    sounds |= {"silent": voice(9) // 8000, "copy": sounds["good"]}
    for name, samples in sounds.items():
        soundfile.write(folder / f"en/clips/{name}.mp3", samples, RATE_HZ, format="MP3")
    return folder


def run(settings: Settings, directory: Path) -> dict[str, Any]:
    from argparse import Namespace

    said, told = commands.run(
        settings, Namespace(command="clips", campaign="harbour", from_common_voice=directory)
    )
    assert str(said["rows"]) in told
    return said


def test_clips_come_with_their_votes_and_every_row_is_counted(settings: Settings, tmp_path: Path) -> None:
    said = run(settings, release(tmp_path / "cv"))
    assert said["clips"] == {"accepted": 1, "refused": 1, "waiting": 1}
    assert said["left_out"] == {
        "a broken line": 1,
        "a copy": 1,
        "check silent": 1,
        "no sound": 1,
        "sentence numbers": 1,
    }
    assert said["rows"] == sum(len(rows) for rows in ROWS.values()) and said["there"] == 0
    database = Database(settings.database_url)
    with database.reading() as session:
        clips = {clip.state: clip for clip in session.scalars(select(Clip))}
        cast = {
            state: Counter(session.scalars(select(Vote.yes).where(Vote.clip_number == clip.number)))
            for state, clip in clips.items()
        }
        assert {state: (clip.yes, clip.no) for state, clip in clips.items()} == {
            "accepted": (2, 0), "refused": (0, 2), "waiting": (1, 0),
        }  # fmt: skip
        assert cast == {
            "accepted": Counter({True: 2}), "refused": Counter({False: 2}), "waiting": Counter({True: 1}),
        }  # fmt: skip
        anna = session.get_one(Voice, clips["accepted"].voice_id)
        assert (anna.age, anna.gender, anna.accent) == ("twenties", "female", "Coast")
        assert clips["waiting"].voice_id == anna.id
        taken = {
            one.text: one.takes for one in session.scalars(select(Sentence)) if one.source == "Common Voice"
        }
        assert taken["The tall ship left the harbour."] == 1 and taken["The river runs past the mill."] == 0
    database.close()


def test_a_second_run_takes_only_what_is_new_and_a_listener_here_decides(
    settings: Settings, volunteer: Any, tmp_path: Path
) -> None:
    directory = release(tmp_path / "cv")
    run(settings, directory)
    with (directory / "en/validated.tsv").open("a", encoding="utf-8") as table:
        table.write("emil\tnew.mp3\t8\tThe queen read the letter.\t2\t1\t\t\t\ten\n")
    soundfile.write(directory / "en/clips/new.mp3", voice(20), RATE_HZ, format="MP3")
    again = run(settings, directory)
    assert again["clips"] == {"accepted": 1} and again["there"] == 3
    person = volunteer()
    database = Database(settings.database_url)
    with database.writing() as session:
        campaign = campaign_named(session, "harbour")
        here = voice_of(session, person.client.cookies["voice_harbour"], campaign)
        assert here is not None and progress(session, campaign).voices == 5  # nobody who only listened there
        ((clip, sentence),) = to_judge(session, campaign, here, 5)
        assert sentence.text == "The baker sells warm bread."
        assert vote(session, campaign, here, clip.id, Judgement(True)) == "accepted"
        write_snapshot(session, campaign, settings.folder)
    database.close()
    folder = snapshot_folder(settings.folder, "harbour")
    rows = [
        json.loads(line) for path in folder.glob("clips/*.jsonl") for line in path.read_text().splitlines()
    ]
    assert sorted(row["state"] for row in rows) == ["accepted"] * 3 + ["refused"]
    assert {row["consent"] for row in rows} == {"common-voice-1"}
    assert len(list(folder.glob("sound/*/*.flac"))) == 3


def test_volunteers_are_not_asked_again_for_their_consent(
    settings: Settings, volunteer: Any, tmp_path: Path
) -> None:
    person = volunteer()
    run(settings, release(tmp_path / "cv"))
    assert person.get("/c/harbour/speak").status_code == 200


def test_a_folder_without_tables_is_named(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(CollectError, match=r"holds no validated\.tsv, invalidated\.tsv or other\.tsv"):
        run(settings, tmp_path)

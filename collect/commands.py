"""What the commands do, each answering a JSON object and a text for people."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from collect.clips import withdrawal
from collect.database.engine import Database
from collect.database.tables import Voice
from collect.errors import CollectError, NotFoundError
from collect.files import SoundFiles
from collect.people import admins, campaigns, invites
from collect.people.campaigns import NewCampaign, campaign_named
from collect.people.progress import progress
from collect.publishing.snapshot import forget_sounds, snapshot_folder, write_snapshot
from collect.sentences import supply
from collect.sentences.proposals import Intake, Origin, take_in
from collect.settings import Settings

Answer = tuple[dict[str, Any], str]


def run(settings: Settings, args: argparse.Namespace) -> Answer:
    """One command.

    Raises:
        CollectError: it cannot be done; says why.
    """
    settings.folder.mkdir(parents=True, exist_ok=True)
    if args.command == "publish":
        return _publish(settings, args)
    database = Database(settings.database_url)
    database.migrate()
    try:
        return _COMMANDS[args.command](settings, database, args)
    finally:
        database.close()


def _admin(_settings: Settings, database: Database, args: argparse.Namespace) -> Answer:
    with database.writing() as session:
        admin = admins.add_admin(session, args.name, args.password)
    return {"admin": admin.name}, f"{admin.name} may log in at /admin"


def _campaign(_settings: Settings, database: Database, args: argparse.Namespace) -> Answer:
    if args.name is None:
        return _list(database)
    new = NewCampaign(
        name=args.name,
        title=args.title or args.name,
        language=args.language,
        licence=args.licence,
        about=args.about,
        goal_hours=args.goal_hours,
        votes_to_decide=args.votes,
        takes_per_sentence=args.takes,
        open_registration=args.open,
        publish_every_s=args.publish_every,
        consent_text=_text(args.consent) if args.consent else "",
    )
    source, lines = args.source, _text(args.text).splitlines() if args.text else []
    if args.from_common_voice is not None:
        from collect.sentences.common_voice import sentences_of

        lines += sentences_of(args.from_common_voice)
        source = source or "Common Voice"
    with database.writing() as session:
        campaign = campaigns.begin(session, new)
        intake = take_in(session, campaign, lines, Origin(source, args.text_licence)) if lines else Intake()
        supply.order(session, campaign)
    return {"campaign": new.name, "sentences": intake.as_json()}, f"campaign {new.name}: {_told(intake)}"


def _text(path: Any) -> str:
    try:
        return str(path.read_text("utf-8-sig"))
    except (OSError, UnicodeDecodeError) as error:
        raise CollectError(f"{path} cannot be read as UTF-8 text: {error}") from error


def _list(database: Database) -> Answer:
    with database.reading() as session:
        found = [(one, progress(session, one)) for one in campaigns.all_campaigns(session)]
    said = [
        {
            "campaign": one.name,
            "title": one.title,
            "open": one.is_open,
            "accepted_hours": round(stands.hours.get("accepted", 0.0), 4),
            "goal_hours": one.goal_hours,
            "clips": stands.clips,
            "voices": stands.voices,
            "unread_sentences": stands.unread,
            "version": one.published_version,
        }
        for one, stands in found
    ]
    lines = [
        f"{one['campaign']:20} {one['accepted_hours']:8.2f} of {one['goal_hours']:g} h, {one['voices']} voices, "
        f"{one['unread_sentences']} sentences to read"
        for one in said
    ]
    return {"campaigns": said}, "\n".join(
        lines
    ) or "no campaign yet: python -m collect campaign NAME --text FILE"


def _told(intake: Intake) -> str:
    refused = "".join(f", {count} refused ({name})" for name, count in sorted(intake.refused.items()))
    examples = "".join(f"\n  line {line}: {reason}: {text}" for line, text, reason in intake.examples)
    return f"{intake.taken} sentences taken, {intake.doubles} doubled{refused}{examples}"


def _invite(_settings: Settings, database: Database, args: argparse.Namespace) -> Answer:
    with database.writing() as session:
        campaign = campaign_named(session, args.campaign)
        secret = invites.invite(session, campaign, args.label, args.uses, args.days)
    link = f"{args.url.rstrip('/')}/i/{secret}"
    return {"campaign": args.campaign, "link": link, "uses": args.uses, "days": args.days}, link


def _sentences(_settings: Settings, database: Database, args: argparse.Namespace) -> Answer:
    lines = _text(args.text).splitlines()
    with database.writing() as session:
        campaign = campaign_named(session, args.campaign)
        intake = take_in(session, campaign, lines, Origin(args.source, args.licence))
        supply.order(session, campaign)
    return {"campaign": args.campaign, "sentences": intake.as_json()}, _told(intake)


def _clips(settings: Settings, database: Database, args: argparse.Namespace) -> Answer:
    from collect.clips.common_voice import adopt

    with database.reading() as session:
        campaign = campaign_named(session, args.campaign)
    found = adopt(database, SoundFiles(settings.folder), campaign, args.from_common_voice)
    with database.writing() as session:
        supply.order(session, campaign_named(session, args.campaign))
    states = ", ".join(f"{count} {state}" for state, count in sorted(found.clips.items()))
    left_out = "".join(f"\n  left out: {count} ({why})" for why, count in sorted(found.left_out.items()))
    said = {
        "campaign": args.campaign,
        "rows": found.rows,
        "clips": dict(sorted(found.clips.items())),
        "there": found.there,
        "left_out": dict(sorted(found.left_out.items())),
    }
    return said, f"{found.rows} rows: {states or 'no new clip'}, {found.there} were here before{left_out}"


def _publish(settings: Settings, args: argparse.Namespace) -> Answer:
    from collect.publishing.jobs import note_publication
    from collect.publishing.publish import publish
    from native.errors import SpeechmillError

    note_publication(settings, args.campaign, "running", "")
    through = True if args.airflow else False if args.no_airflow else None
    try:
        done = publish(settings, args.campaign, through)
    except SpeechmillError as error:
        note_publication(settings, args.campaign, "failed", str(error))
        raise
    version = done.refresh.get("version", "")
    told = f"{args.campaign} {version}: {done.counts.get('accepted', 0)} clips accepted, {done.seconds:.1f} s"
    note_publication(settings, args.campaign, "done", told)
    return {"campaign": args.campaign, **done.as_json()}, told


def _withdraw(settings: Settings, database: Database, args: argparse.Namespace) -> Answer:
    with database.writing() as session:
        campaign = campaign_named(session, args.campaign)
        voice = session.get(Voice, args.voice)
        if voice is None or voice.campaign_id != campaign.id:
            raise NotFoundError(f"campaign {campaign.name} has no voice {args.voice!r}")
        if args.clip:
            gone = withdrawal.withdraw_clip(session, voice, args.clip)
        else:
            gone = withdrawal.withdraw_all(session, voice)
    SoundFiles(settings.folder).drop(campaign.name, gone.sounds)
    forget_sounds(settings.folder, campaign.name, gone.clips)
    made = withdrawal.heard_by(settings.store, campaign, args.voice)
    told = [f"{len(gone.clips)} clips are gone; publish the campaign to have a version without them"]
    told += [f"  made with earlier versions: {line}" for line in withdrawal.told(made)]
    return {
        "campaign": campaign.name,
        "voice": args.voice,
        "clips": list(gone.clips),
        "made": made,
    }, "\n".join(told)


def _export(settings: Settings, database: Database, args: argparse.Namespace) -> Answer:
    from collect.publishing.common_voice import export
    from store.errors import NotPublishedError
    from store.opening import open_store

    with database.reading() as session:
        write_snapshot(session, campaign_named(session, args.campaign), settings.folder)
    try:
        splits = open_store(settings.store).corpus(args.campaign).manifest.get("speaker_splits", {})
    except NotPublishedError:
        splits = {}
    rows = export(snapshot_folder(settings.folder, args.campaign), args.to.absolute(), splits)
    told = ", ".join(f"{count} {name}" for name, count in rows.items())
    return {"campaign": args.campaign, "to": str(args.to), "rows": rows}, f"{args.to}: {told}"


_COMMANDS: dict[str, Callable[[Settings, Database, argparse.Namespace], Answer]] = {
    "admin": _admin,
    "campaign": _campaign,
    "invite": _invite,
    "sentences": _sentences,
    "clips": _clips,
    "withdraw": _withdraw,
    "export": _export,
}

"""`hx provision`: what differs between the cluster and directory, topic table and settings, and its cure."""

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from agents import logs
from casework.directory import Directory
from casework.errors import EditRefusedError, RuleViolation
from operations.command_line.directory_options import CandidatesOption, chosen_candidates
from operations.command_line.exits import Exit, leave
from operations.command_line.output import AsJson
from operations.command_line.session import Session
from operations.directory.files import Candidates
from operations.drift import watch_drift
from operations.logs import directories
from operations.passwords import Passwords
from operations.provisioning import local_passwords, plan_cluster, provision_cluster
from operations.reading import TopicReader
from operations.setting_up import read_directory
from streams.cluster_plan import ClusterPlan
from streams.directory_trust import anchor_of
from streams.kafka_settings import access_of
from streams.principals import ADMIN

log = logging.getLogger(__name__)


def provision(
    context: typer.Context,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only show what would change; code 1 if anything.")
    ] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Make the changes.")] = False,
    watch: Annotated[
        int | None,
        typer.Option("--watch", min=1, help="Look every so many seconds and offer the count as metrics."),
    ] = None,
    passwords: Annotated[
        Path | None,
        typer.Option(help="Directory for new users' passwords, a file each; one that is there is used."),
    ] = None,
    candidates: CandidatesOption = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Name every change made, not only how many.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Compare or bring topics, configuration, users, rights and quotas to directory file and settings.

    What becomes of candidates must be the same as for the published version: give 'hx directory draft' or
    'publish' the same --candidates.

    Never shrinks a topic; may be repeated. Whoever the directory no longer gives access loses it here.

    Example: hx provision --plan
    """
    if [plan, apply, watch is not None].count(True) != 1:
        raise typer.BadParameter("give one of --plan, --apply and --watch", param_hint="--plan")
    session: Session = context.obj
    session.tell_if_silent()
    chosen = chosen_candidates(session, candidates)
    if watch is not None:
        logs.set_up()
        # It warns of each answer with thousands of rights, which takes longer to decode than it likes.
        logging.getLogger("kafka.net.selector").setLevel(logging.ERROR)
        asyncio.run(_watch(session, watch, chosen))
        return
    directory = read_directory(session.settings, session.clock.now_ms(), candidates=chosen)
    _require_not_older(session, directory)
    if plan:
        made = plan_cluster(session.admin_settings, directory)
    else:
        made = provision_cluster(
            session.admin_settings, directory, passwords=_passwords(session, passwords), on_plan=_announce
        )
    if as_json:
        print(made.to_json().decode())
    elif plan or verbose:
        print(made.to_text(is_applied=apply))
    else:
        print(made.sums(is_applied=True))
    if made.needs_a_person:
        leave(Exit.CONFIGURATION, "a difference is never resolved by provisioning: see REFUSED and STRANGE")
    if plan and not made.is_empty:
        raise typer.Exit(Exit.NO)


def _require_not_older(session: Session, directory: Directory) -> None:
    """Refuse a file older than what is published: it would give back what a later version took away.

    Raises:
        EditRefusedError: A higher version is published.
    """
    topics, settings = session.topics, session.settings
    with TopicReader(access_of(session.admin_settings, ADMIN)) as reader:
        if topics.directory not in reader.topics():
            return
        anchor = anchor_of(settings)
        newest = directories(reader, topics, settings.environment, session.clock, anchor).newest_version
    if newest > directory.version:
        text = (
            f"the file is version {directory.version}, published is {newest}: give the newer (HX_DIRECTORY)"
        )
        raise EditRefusedError(RuleViolation("version", "not_newer", text))


async def _watch(session: Session, every_s: int, candidates: Candidates) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await watch_drift(
        session.settings,
        session.clock,
        every_s=every_s,
        candidates=candidates,
        stop=stop,
        on_ready=lambda address: log.info("watching the cluster; metrics at %s", address),
    )


def _passwords(session: Session, given: Path | None) -> Passwords | None:
    """Where new users' passwords go: as told, else beside those of an embedded broker here."""
    if given is None and session.local_access is not None:
        return local_passwords(session.local_access)
    return None if given is None else Passwords(given)


def _announce(made: ClusterPlan) -> None:
    """Say what is about to be done, because hundreds of new topics take a while."""
    if not made.is_empty:
        print(f"working: {made.sums()}", file=sys.stderr, flush=True)


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(provision)

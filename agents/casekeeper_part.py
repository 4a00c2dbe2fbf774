"""Casekeeper as a part of a worker process: its app, the states it keeps, and what runs beside it."""

from collections.abc import Iterable

from agents import casekeeper as casekeepers
from agents import kept_contents
from agents.case_index import CaseIndex
from agents.casekeeper import Casekeeper
from agents.certificates import CertificateDays
from agents.dead_letters import DeadLetterBox
from agents.deadlines import Deadlines
from agents.health import Health, HealthServer
from agents.inbox_lag import InboxLag
from agents.metrics import CasekeeperMetrics
from agents.open_cases import OpenCases
from agents.parking import ParkedCases
from agents.sending import Sender
from agents.stored_cases import version_of
from agents.unparking import readers_of
from agents.worker_parts import Part, Shared
from casework.directory import ORPHAN_DESK
from streams.local_copies import LocalCopies
from streams.partition_state import PartitionState
from streams.worker import WorkerOptions, make_app


def casekeeper_part(shared: Shared, options: WorkerOptions) -> Part:
    """Answer the casekeeper of a process, with its states, timers, parked cases and lag of inboxes."""
    topics, settings = shared.topics, shared.settings
    group = shared.group(casekeepers.GROUP)
    app = make_app(group, options, fail_stop=shared.fail_stop)
    metrics = CasekeeperMetrics(OpenCases())
    sender = Sender(
        publisher=lambda: app.publisher,
        topics=topics,
        box=DeadLetterBox(topics.dead_letters, group),
        metrics=metrics,
        real_ms=shared.clock.real_ms,
        seal=shared.seal,
    )
    deadlines = Deadlines(
        topics=topics,
        environment=settings.environment,
        feed=shared.feed,
        clock=shared.clock,
        sender=sender,
        metrics=metrics,
        shrink_after_ms=settings.shrink_after_days * 86_400_000,
    )
    parked = ParkedCases(
        topics=topics,
        environment=settings.environment,
        feed=shared.feed,
        clock=shared.clock,
        sender=sender,
        metrics=metrics,
    )
    client = options.client_settings()
    index = CaseIndex(metrics, deadlines, parked, shared.fail_stop)
    agent = Casekeeper(
        topics=topics,
        feed=shared.feed,
        clock=shared.clock,
        sender=sender,
        metrics=metrics,
        index=index,
        readers=readers_of(client, topics.cases_admitted),
        faults=options.faults,
        turnstile=shared.turnstile,
    )
    copies = LocalCopies(settings.data_dir / "state", settings.instance_id or "worker")
    cases = PartitionState(
        app,
        follows=topics.cases_admitted,
        topic=topics.cases_status,
        client_settings=client,
        stores=copies,
        version=version_of,
        publish=sender.send,
        on_loaded=index.loaded,
        on_revoked=index.revoked,
        on_dropped=index.dropped,
    )
    contents = PartitionState(
        app,
        follows=topics.cases_admitted,
        topic=topics.cases_contents,
        client_settings=client,
        stores=copies,
        version=kept_contents.version_of,
        publish=sender.send,
    )
    agent.attach(cases, contents)
    casekeepers.declare(app, agent, topics, cases, contents)
    metrics.loading.set_function(lambda: len(cases.loading | contents.loading))
    metrics.directory_version.set_function(lambda: shared.feed.newest_version)
    metrics.directory_expires.set_function(shared.feed.expires_in_s)
    metrics.broker_silence.set_function(lambda: shared.silence(app))

    def not_ready() -> str | None:
        loading = len(cases.loading | contents.loading)
        return shared.not_ready(app) or (f"{loading} partitions are loading" if loading else None)

    metrics.unread_liaisons(shared.unread_liaisons)

    def members() -> Iterable[str]:
        directory = shared.feed.latest(shared.clock.now_ms())
        return [ORPHAN_DESK, *(member.id for member in directory.members if member.active)]

    lag = InboxLag(client=client, topics=topics, members=members, metrics=metrics)
    health = Health(not_ready)
    server = HealthServer(settings.metrics_host, settings.casekeeper_metrics_port, metrics.registry, health)
    part = Part((app,), (topics.cases_admitted,), server, health)
    part.tasks.append(CertificateDays(metrics.certificate_days, options.access).run)
    part.tasks.append(lambda: sender.learn_destinations(shared.feed, writes_feeds=True))
    part.tasks.append(lambda: deadlines.run(shared.fail_stop))
    part.closing += [cases.close, contents.close]
    part.tasks.append(lambda: parked.run(shared.fail_stop))
    part.tasks.append(lambda: lag.run(lambda: 0 in cases.stores()))
    return part

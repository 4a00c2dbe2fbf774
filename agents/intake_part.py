"""Intake as a part of a worker process: its apps, and how fast they may go."""

from agents import casekeeper as casekeepers
from agents import intake as intakes
from agents.certificates import CertificateDays
from agents.dead_letters import DeadLetterBox
from agents.health import Health, HealthServer
from agents.intake import Intake
from agents.metrics import IntakeMetrics
from agents.pace import GroupLag, Pace, Paced
from agents.sending import Sender
from agents.worker_parts import Part, Shared
from streams.untyped import FaustApp
from streams.worker import WorkerOptions, make_app


def intake_part(shared: Shared, options: WorkerOptions) -> Part:
    """Answer the intake of a process: an app for urgent reports and one for all else."""
    settings, topics = shared.settings, shared.topics
    metrics = IntakeMetrics()
    lag = GroupLag(
        options.client_settings(),
        topics.cases_admitted,
        settings.partitions,
        shared.group(casekeepers.GROUP),
    )
    pace = Paced(lag.measure, settings.max_admitted_backlog)
    metrics.admitted_backlog.set_function(lambda: pace.backlog)
    metrics.directory_version.set_function(lambda: shared.feed.newest_version)
    metrics.directory_expires.set_function(shared.feed.expires_in_s)
    metrics.broker_silence.set_function(lambda: shared.silence(normal, urgent))
    reads = intakes.read_by(topics)
    group = intakes.URGENT_GROUP
    urgent, urgent_sender = _intake_app(shared, options, metrics, group, None, *reads[group])
    group = intakes.GROUP
    normal, sender = _intake_app(shared, options, metrics, group, pace, *reads[group])
    normal.transport.listeners.append(pace)
    health = Health(lambda: shared.not_ready(urgent) or shared.not_ready(normal))
    server = HealthServer(settings.metrics_host, settings.intake_metrics_port, metrics.registry, health)
    part = Part((urgent, normal), topics.submissions, server, health)
    part.tasks.append(CertificateDays(metrics.certificate_days, options.access).run)
    part.tasks.append(lambda: urgent_sender.learn_destinations(shared.feed, writes_feeds=False))
    part.tasks.append(lambda: sender.learn_destinations(shared.feed, writes_feeds=False))
    part.closing.append(lag.close)
    return part


def _intake_app(
    shared: Shared,
    options: WorkerOptions,
    metrics: IntakeMetrics,
    name: str,
    pace: Pace | None,
    *topics: str,
) -> tuple[FaustApp, Sender]:
    group = shared.group(name)
    app = make_app(group, options, fail_stop=shared.fail_stop)
    sender = Sender(
        publisher=lambda: app.publisher,
        topics=shared.topics,
        box=DeadLetterBox(shared.topics.dead_letters, group),
        metrics=metrics,
        real_ms=shared.clock.real_ms,
        seal=shared.seal,
        own=(shared.topics.cases_admitted,),
    )
    agent = Intake(
        topics=shared.topics,
        environment=shared.settings.environment,
        feed=shared.feed,
        clock=shared.clock,
        sender=sender,
        metrics=metrics,
        pace=pace,
        turnstile=None if pace is None else shared.turnstile,
        faults=options.faults,
    )
    intakes.declare(app, agent, *topics)
    return app, sender

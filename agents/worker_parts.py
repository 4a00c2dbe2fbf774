"""What a worker process is made of: its parts, each with apps, metrics and health, and what they share."""

from collections.abc import Callable, Coroutine
from typing import Any

from agents.exchange_seal import ExchangeSeal
from agents.health import Health, HealthServer
from streams.clock import Clock
from streams.directory_feed import DirectoryFeed
from streams.fail_stop import FailStop
from streams.settings import Settings
from streams.topics import Topics
from streams.turnstile import Turnstile
from streams.untyped import FaustApp


class Part:
    """One kind of worker within the process.

    Attributes:
        apps: Its Faust apps.
        topics: Topics it reads.
        server: Its metrics and health.
        health: What the probes ask.
        tasks: What runs beside the app, started once it has its partitions.
        closing: What is closed when the app has stopped.
    """

    def __init__(
        self, apps: tuple[FaustApp, ...], topics: tuple[str, ...], server: HealthServer, health: Health
    ) -> None:
        self.apps = apps
        self.topics = topics
        self.server = server
        self.health = health
        self.tasks: list[Callable[[], Coroutine[Any, Any, None]]] = []
        self.closing: list[Callable[[], Coroutine[Any, Any, None]]] = []


class Shared:
    """What the parts of a process share.

    Attributes:
        settings: What the process was told.
        clock: The exchange's clock.
        feed: The directory.
        fail_stop: Ends the process.
        topics: Names of the topics.
        turnstile: One long calculation at a time.
        seal: What signs messages of the exchange.
        is_started: Whether all apps have their partitions.
    """

    def __init__(self, settings: Settings, clock: Clock, feed: DirectoryFeed, fail_stop: FailStop) -> None:
        self.settings = settings
        self.clock = clock
        self.feed = feed
        self.fail_stop = fail_stop
        self.topics = Topics(settings.topic_prefix)
        self.turnstile = Turnstile()
        self.seal = ExchangeSeal.from_settings(settings, lambda: feed.latest(clock.now_ms()), clock.real_ms)
        self.is_started = False

    def group(self, name: str) -> str:
        """Answer the name of a consumer group with the prefix of all of them."""
        return f"{self.settings.topic_prefix}{name}"

    def not_ready(self, app: FaustApp) -> str | None:
        """Answer why an app does not do its work now, or None."""
        if not self.is_started:
            return "starting"
        if app.rebalancing:
            return "partitions move"
        silence = self.silence(app)
        return None if silence <= self.settings.session_timeout_s else f"no broker for {silence:.0f} s"

    def unread_liaisons(self) -> tuple[str, ...]:
        """Answer the codes of the liaisons that escalations pass over, by the newest directory here."""
        directory = self.feed.known(self.feed.newest_version)
        return () if directory is None else directory.unread_liaisons

    def silence(self, *apps: FaustApp) -> float:
        """Answer for how many seconds one of these apps has not heard of its group; 0 before the start."""
        return max(app.broker_silence for app in apps) if self.is_started else 0.0

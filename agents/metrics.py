"""What the workers measure, for Prometheus: one registry for intake, one for casekeeper.

Labels are a member or a country, never both in a histogram, and never an address, a url key or a case id;
their values come from code lists and the directory, so a worker stays below 20,000 series. Everything is
counted per batch and after its confirmation. Times of people run on the exchange's clock, machine latency
on real time.
"""

from collections import Counter as Tally
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import disable_created_metrics as _disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from agents.open_cases import OpenCases
from casework.secrecy import label_for_statistics

PREFIX: Final = "hotline_exchange"
MINUTE: Final = 60.0
HOUR: Final = 3600.0
DAY: Final = 24 * HOUR

MACHINE_BUCKETS: Final = (
    *(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
    *(MINUTE, 5 * MINUTE, 15 * MINUTE, HOUR),
)
HUMAN_BUCKETS: Final = (
    *(15 * MINUTE, HOUR, 4 * HOUR, 8 * HOUR, DAY, 2 * DAY, 3 * DAY),
    *(7 * DAY, 14 * DAY, 28 * DAY, 60 * DAY, 90 * DAY),
)
"""Every limit of the domain (1 h, 4 h, 24 h, 3 d, 7 d, 28 d, 60 d, 90 d) is a bucket: shares are exact."""

STEPS: Final = ("acknowledged", "police_informed", "provider_informed", "removed")
MAX_RULES: Final = 100
OTHER: Final = "other"

# The creation times would double the counters' series and `promtool check metrics` takes them for gauges.
_disable_created_metrics()  # type: ignore[no-untyped-call]


class TurnedAwayMetrics:
    """What every worker that can refuse or give up a record counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._dead_letters = Counter(
            f"{PREFIX}_dead_letters", "Records given up, by class.", ["error_class"], registry=registry
        )
        self._refusals = Counter(
            f"{PREFIX}_refusals", "Submissions refused, by rule.", ["rule"], registry=registry
        )
        self._rules: set[str] = set()

    def dead_letters(self, by_class: Mapping[str, int]) -> None:
        """Count dead letters by their error class."""
        for error_class, count in by_class.items():
            self._dead_letters.labels(error_class).inc(count)

    def refusals(self, by_rule: Mapping[str, int]) -> None:
        """Count refusals; rules beyond the first hundred count as `other`."""
        for rule, count in by_rule.items():
            if len(self._rules) < MAX_RULES:
                self._rules.add(rule)
            self._refusals.labels(rule if rule in self._rules else OTHER).inc(count)


class IntakeMetrics(TurnedAwayMetrics):
    """What intake counts."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        super().__init__(self.registry)
        self._submissions = Counter(
            f"{PREFIX}_submissions",
            "Submissions admitted or refused, by kind and hosting country.",
            ["kind", "country"],
            registry=self.registry,
        )
        self._misplaced = Counter(
            f"{PREFIX}_misplaced_reports",
            "Reports that came in a slot of another country, by hosting country.",
            ["country"],
            registry=self.registry,
        )
        self._escalations = Counter(
            f"{PREFIX}_admission_escalations",
            "Escalations sent at admission, by reason.",
            ["reason"],
            registry=self.registry,
        )
        self._unproven = Counter(
            f"{PREFIX}_unproven",
            "Submissions whose sender nobody proved, by rule.",
            ["rule"],
            registry=self.registry,
        )
        self._clock_offset = Gauge(
            f"{PREFIX}_clock_offset_seconds",
            "How far this worker's clock was ahead of the broker's at the last confirmation.",
            registry=self.registry,
        )
        self.admitted_backlog = Gauge(
            f"{PREFIX}_admitted_backlog_records",
            "Admitted records that casekeeper has not finished, when intake last looked.",
            registry=self.registry,
        )
        self.directory_version = directory_version_gauge(self.registry)
        self.directory_expires = directory_expires_gauge(self.registry)
        self.certificate_days = certificate_days_gauge(self.registry)
        self.broker_silence = broker_silence_gauge(self.registry)

    def submissions(self, by_kind_and_country: Mapping[tuple[str, str], int]) -> None:
        """Count submissions; an unknown country counts as `invalid`."""
        for (kind, country), count in by_kind_and_country.items():
            self._submissions.labels(kind, country).inc(count)

    def unproven(self, by_rule: Mapping[str, int]) -> None:
        """Count submissions that may be by anybody."""
        for rule, count in by_rule.items():
            self._unproven.labels(rule).inc(count)

    def misplaced(self, by_country: Mapping[str, int]) -> None:
        """Count reports in a foreign slot."""
        for country, count in by_country.items():
            self._misplaced.labels(country).inc(count)

    def escalations(self, by_reason: Mapping[str, int]) -> None:
        """Count escalations sent at admission."""
        for reason, count in by_reason.items():
            self._escalations.labels(reason).inc(count)

    def clock_offset(self, seconds: float) -> None:
        """Note how far the own clock is ahead of the broker's."""
        self._clock_offset.set(seconds)


class CasekeeperMetrics(TurnedAwayMetrics):
    """What casekeeper and deadlines count.

    Attributes:
        open_cases: The collector behind the gauges of open cases.
    """

    def __init__(self, open_cases: OpenCases) -> None:
        self.registry = CollectorRegistry()
        super().__init__(self.registry)
        self.open_cases = open_cases
        self.registry.register(open_cases)
        self._machine = Histogram(
            f"{PREFIX}_machine_latency_seconds",
            "From the log-append time of a report to the confirmed delivery at the responsible hotline, "
            "by hosting country.",
            ["country"],
            buckets=MACHINE_BUCKETS,
            registry=self.registry,
        )
        self._machine_of: dict[str, Histogram] = {}
        self._human = Histogram(
            f"{PREFIX}_human_latency_seconds",
            "From assignment (scope leg) or public report (scope case) to a step, by responsible hotline.",
            ["step", "scope", "hotline"],
            buckets=HUMAN_BUCKETS,
            registry=self.registry,
        )
        self._facts = Counter(f"{PREFIX}_facts", "Facts by kind.", ["fact"], registry=self.registry)
        self._breaches = Counter(
            f"{PREFIX}_breaches", "Rules that facts broke, by kind.", ["breach"], registry=self.registry
        )
        self._receipts = Counter(
            f"{PREFIX}_receipts", "Receipts by outcome.", ["outcome"], registry=self.registry
        )
        self._deliveries = Counter(
            f"{PREFIX}_deliveries",
            "Deliveries confirmed, by receiving member.",
            ["member"],
            registry=self.registry,
        )
        self._mismatches = Counter(
            f"{PREFIX}_url_key_mismatches",
            "Reports split off because their address has another url key, by origin.",
            ["origin"],
            registry=self.registry,
        )
        self._wakeups = Counter(
            f"{PREFIX}_wakeups", "Wake-ups sent by deadlines, by step.", ["step"], registry=self.registry
        )
        self.loading = Gauge(
            f"{PREFIX}_partitions_loading",
            "Assigned partitions whose state is not loaded yet.",
            registry=self.registry,
        )
        self._inbox_lag = Gauge(
            f"{PREFIX}_inbox_lag_records",
            "Records in a member's inbox that it has not read yet.",
            ["member", "inbox"],
            registry=self.registry,
        )
        self._inbox_read = Gauge(
            f"{PREFIX}_inbox_last_read_timestamp_seconds",
            "When a member's client last looked into its inboxes, real time; absent if it never did.",
            ["member"],
            registry=self.registry,
        )
        self._parked = Gauge(
            f"{PREFIX}_parked_cases",
            "Parked cases of the partitions here, by the class of what stopped them.",
            ["error_class"],
            registry=self.registry,
        )
        self._unread = _UnreadLiaisons()
        self.registry.register(self._unread)
        self._measured: dict[str, set[str]] = {}
        self.directory_version = directory_version_gauge(self.registry)
        self.directory_expires = directory_expires_gauge(self.registry)
        self.certificate_days = certificate_days_gauge(self.registry)
        self.broker_silence = broker_silence_gauge(self.registry)

    def machine_latencies(self, latencies: Iterable[tuple[str, float]]) -> None:
        """Observe (hosting country, seconds) of deliveries."""
        for country, seconds in latencies:
            of_country = self._machine_of.get(country)
            if of_country is None:
                of_country = self._machine_of[country] = self._machine.labels(country)
            of_country.observe(max(seconds, 0.0))

    def human_latency(self, step: str, scope: str, hotline: str, seconds: float) -> None:
        """Observe one step of a case."""
        self._human.labels(step, scope, hotline).observe(max(seconds, 0.0))

    def counts(
        self, facts: "Tally[str]", breaches: "Tally[str]", receipts: "Tally[str]", deliveries: "Tally[str]"
    ) -> None:
        """Count what a batch brought forth."""
        for counter, tally in (
            (self._facts, facts),
            (self._breaches, breaches),
            (self._receipts, receipts),
            (self._deliveries, deliveries),
        ):
            for label, count in tally.items():
                counter.labels(label).inc(count)

    def url_key_mismatch(self, origin: str) -> None:
        """Count a report under a wrong url key."""
        self._mismatches.labels(origin).inc()

    def parked_cases(self, error_class: str, count: Callable[[], int]) -> None:
        """Show what `count` answers as the number of cases parked because of a class of errors."""
        self._parked.labels(error_class).set_function(count)

    def wakeups(self, by_step: Mapping[str, int]) -> None:
        """Count wake-ups sent; those of holds as `paused`, because a metric tells of no hold."""
        for step, count in by_step.items():
            self._wakeups.labels(label_for_statistics(step)).inc(count)

    def unread_liaisons(self, codes: Callable[[], Iterable[str]]) -> None:
        """Show the liaisons with the codes that `codes` answers as read by nobody."""
        self._unread.codes = codes

    def inbox(self, member: str, lags: Mapping[str, int], last_read_ms: int | None) -> None:
        """Note how far a member is behind; `lags` by inbox (`normal`, `urgent`)."""
        self._measured.setdefault(member, set()).update(lags)
        for inbox, lag in lags.items():
            self._inbox_lag.labels(member, inbox).set(lag)
        if last_read_ms is not None:
            self._inbox_read.labels(member).set(last_read_ms / 1000)

    def forget_inboxes(self, *, keep: Collection[str] = ()) -> None:
        """Remove the inbox gauges, except of the members in `keep`: nobody measures them here any more."""
        for member in self._measured.keys() - set(keep):
            self.forget_inbox(member)

    def forget_inbox(self, member: str) -> None:
        """Remove the inbox gauges of one member."""
        if member in self._measured:
            for inbox in self._measured.pop(member):
                self._inbox_lag.remove(member, inbox)
            self._inbox_read.remove(member)


class _UnreadLiaisons(Collector):
    """A series for each liaison that escalations pass over, as the directory in use says."""

    codes: Callable[[], Iterable[str]] = tuple

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the gauge; without such a liaison it has no series."""
        unread = GaugeMetricFamily(
            f"{PREFIX}_liaison_without_reader",
            "1 for each active liaison that escalations pass over, because nobody is known to read them.",
            labels=["liaison"],
        )
        for code in self.codes():
            unread.add_metric([code], 1)
        yield unread


def broker_silence_gauge(registry: CollectorRegistry) -> Gauge:
    """Answer the gauge that rises while no broker answers."""
    return Gauge(
        f"{PREFIX}_broker_silence_seconds",
        "How long the coordinator of this worker's group has not answered a heartbeat.",
        registry=registry,
    )


def directory_expires_gauge(registry: CollectorRegistry) -> Gauge:
    """Answer the gauge of the time until the newest directory expires."""
    return Gauge(
        f"{PREFIX}_directory_expires_seconds",
        "Real time until the newest directory expires and this worker decides nothing more.",
        registry=registry,
    )


def certificate_days_gauge(registry: CollectorRegistry) -> Gauge:
    """Make the gauge of how long the certificates that a worker relies on are still valid."""
    return Gauge(
        f"{PREFIX}_certificate_days_left",
        "Days until a certificate of the connection to Kafka ends; not a number if its file cannot be read.",
        ["name"],
        registry=registry,
    )


def directory_version_gauge(registry: CollectorRegistry) -> Gauge:
    """Make the gauge that shows which directory a worker decides with."""
    return Gauge(
        f"{PREFIX}_directory_version", "Newest directory version this worker knows.", registry=registry
    )

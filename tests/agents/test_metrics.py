from collections import Counter
from collections.abc import Iterable

from prometheus_client import CollectorRegistry, generate_latest

from agents.metrics import HUMAN_BUCKETS, MACHINE_BUCKETS, STEPS, CasekeeperMetrics, IntakeMetrics
from agents.open_cases import OpenCases
from casework import codes
from casework.countries import ALL_COUNTRIES
from casework.messages import Case
from casework.queues import QUEUES
from casework.states import STATES
from casework.transition_table import TABLE

HOUR, DAY = 3600, 86_400
HOTLINES = [f"h{number}" for number in range(60)]
MEMBERS = [*HOTLINES, *(f"police-{country}" for country in sorted(ALL_COUNTRIES))]
MAX_SERIES = 20_000


def series(registry: CollectorRegistry) -> int:
    """Answer the number of series an exposition holds."""
    return sum(line[:1] not in {b"#", b""} for line in generate_latest(registry).splitlines())


def test_every_limit_of_the_domain_is_a_bucket() -> None:
    """1 h, 4 h, 24 h, 3 d, 7 d, 28 d, 60 d and 90 d are boundaries, so shares within a limit are exact."""
    assert {HOUR, 4 * HOUR, DAY, 3 * DAY, 7 * DAY, 28 * DAY, 60 * DAY, 90 * DAY} <= set(HUMAN_BUCKETS)
    assert list(HUMAN_BUCKETS) == sorted(HUMAN_BUCKETS)
    assert list(MACHINE_BUCKETS) == sorted(MACHINE_BUCKETS)


def test_a_worker_stays_below_20000_series() -> None:
    """60 hotlines, all countries, all states, all codes and more rules than there are: still bounded."""
    open_cases = OpenCases()
    open_cases.start(0)
    keeper = CasekeeperMetrics(open_cases)
    for hotline in HOTLINES:
        for state in STATES:
            open_cases.changed(0, None, _case(hotline, state))
        for step in STEPS:
            for scope in ("leg", "case"):
                keeper.human_latency(step, scope, hotline, 1)
        open_cases._queues.add(0, [((queue, hotline), 1, 1) for queue in QUEUES])
    open_cases.complete(0)
    keeper.machine_latencies((country, 1.0) for country in ALL_COUNTRIES)
    for member in MEMBERS:
        keeper.inbox(member, {"normal": 1, "urgent": 1}, 1)
    facts = {fact for row in TABLE for fact in row.facts} | set(codes.ACTIONS.codes)
    keeper.counts(
        *(_tally(names) for names in (facts, codes.BREACHES.codes, codes.RECEIPT_OUTCOMES.codes, MEMBERS))
    )
    intake = IntakeMetrics()
    intake.submissions({(kind, c): 1 for kind in ("report", "action") for c in [*ALL_COUNTRIES, "invalid"]})
    for refusing in (intake, keeper):
        refusing.refusals({f"rule_{number}": 1 for number in range(500)})
    intake.misplaced(dict.fromkeys(ALL_COUNTRIES, 1))
    assert 10_000 < series(keeper.registry) + series(intake.registry) <= MAX_SERIES


def test_rules_beyond_the_hundredth_share_a_label() -> None:
    """A label whose values come from code that others extend is bounded all the same."""
    intake = IntakeMetrics()
    intake.refusals({f"rule_{number}": 1 for number in range(150)})
    assert intake.registry.get_sample_value("hotline_exchange_refusals_total", {"rule": "other"}) == 50


def test_inbox_gauges_vanish_with_the_duty_to_measure() -> None:
    """After another worker took over, this one shows no lag that would grow old."""
    keeper = CasekeeperMetrics(OpenCases())
    keeper.inbox("gb-iwf", {"normal": 3}, None)
    name = "hotline_exchange_inbox_lag_records"
    assert keeper.registry.get_sample_value(name, {"member": "gb-iwf", "inbox": "normal"}) == 3
    keeper.forget_inboxes()
    assert keeper.registry.get_sample_value(name, {"member": "gb-iwf", "inbox": "normal"}) is None


def test_liaisons_that_nobody_reads_are_named_while_the_directory_says_so() -> None:
    """The gauge follows the directory: a series for each such liaison, none once it has a reader again."""
    keeper = CasekeeperMetrics(OpenCases())
    name = "hotline_exchange_liaison_without_reader"
    unread = ["nl"]
    keeper.unread_liaisons(lambda: unread)
    assert keeper.registry.get_sample_value(name, {"liaison": "nl"}) == 1
    unread.clear()
    assert keeper.registry.get_sample_value(name, {"liaison": "nl"}) is None


def test_a_member_that_left_is_no_longer_shown() -> None:
    """Forgetting all but the present members leaves theirs as they were."""
    keeper = CasekeeperMetrics(OpenCases())
    for member in ("gb-iwf", "xx-left"):
        keeper.inbox(member, {"normal": 3, "urgent": 1}, 1000)
    keeper.forget_inboxes(keep=["gb-iwf"])
    lag, read = "hotline_exchange_inbox_lag_records", "hotline_exchange_inbox_last_read_timestamp_seconds"
    for member, shown in (("gb-iwf", (3, 1, 1)), ("xx-left", (None, None, None))):
        values = [
            *(
                keeper.registry.get_sample_value(lag, {"member": member, "inbox": i})
                for i in ("normal", "urgent")
            ),
            keeper.registry.get_sample_value(read, {"member": member}),
        ]
        assert tuple(values) == shown


def _tally(names: Iterable[str]) -> "Counter[str]":
    return Counter(list(names))


def _case(hotline: str, state: str) -> Case:
    return Case(
        url_key=b"k",
        case_id="c",
        source_offset=1,
        environment="test",
        number=1,
        state=state,
        round=1,
        leg=1,
        hosting_country="NL",
        assigned_hotline=hotline,
        received_at=1,
        opened_at=1,
        leg_started_at=1,
        last_now=1,
        directory_version=1,
        rules_version=1,
    )

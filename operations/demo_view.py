"""What the demo shows: flows between countries, times of delivery, who is late, open cases by age.

Everything comes from the workers' metrics endpoint and from the members' own ledger, as it would for
anybody else. `Picture` is pure and tested; `draw` makes a rich screen of it and `as_line` a line for where
there is no terminal.
"""

import datetime as dt
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from prometheus_client.parser import text_string_to_metric_families
from rich import box
from rich.columns import Columns
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table

from operations.beside import IN_METRICS
from operations.simulator.constants import DAY_MS
from operations.simulator.ledger import Ledger

_LATENCY: Final = "hotline_exchange_machine_latency_seconds_bucket"
_OPEN: Final = "hotline_exchange_open_cases"
_OLDEST: Final = "hotline_exchange_oldest_open_case_timestamp_seconds"
_FACTS: Final = "hotline_exchange_facts_total"
_SHOWN: Final = (_LATENCY, _OPEN + "{", _OLDEST, _FACTS)
_AGES: Final = (
    (1, "under 1 day"),
    (3, "1-3 days"),
    (7, "3-7 days"),
    (28, "7-28 days"),
    (math.inf, "over 28 days"),
)
_LATE_DAYS: Final = 7
_ROWS: Final = 8


class Measured(msgspec.Struct, frozen=True):
    """What the workers measured.

    Attributes:
        p50_s: Half of the reports were delivered within this many seconds; None before the first.
        p99_s: 99 of 100 were.
        open_cases: Open cases by responsible hotline.
        oldest_ms: When the public reported the oldest open case of each, milliseconds since epoch UTC.
        facts: Facts by kind.
    """

    p50_s: float | None = None
    p99_s: float | None = None
    open_cases: dict[str, int] = {}
    oldest_ms: dict[str, int] = {}
    facts: dict[str, int] = {}


class Picture(msgspec.Struct, frozen=True):
    """One moment of the demo.

    Attributes:
        now_ms: The exchange's clock.
        left_s: Real seconds left.
        phase: What is going on.
        measured: What the workers measured.
        submitted: Submissions sent.
        answered: Submissions answered.
        delivered: Deliveries the members got.
        flows: Countries of origin and host of delivered reports with their number, most first.
        ages: Open cases by age.
        late: Open cases older than a week by hotline, most first.
        restarts: How often the worker was started again.
        metrics: Metrics addresses.
    """

    now_ms: int
    left_s: float
    phase: str
    measured: Measured
    submitted: int
    answered: int
    delivered: int
    flows: tuple[tuple[str, str, int], ...]
    ages: tuple[tuple[str, int], ...]
    late: tuple[tuple[str, int], ...]
    restarts: int
    metrics: tuple[str, ...]


def read_metrics(text: str) -> Measured:
    """Answer what a casekeeper's metrics say."""
    buckets: Counter[float] = Counter()
    open_cases: Counter[str] = Counter()
    oldest: dict[str, int] = {}
    facts: Counter[str] = Counter()
    # The parser is slow, and a worker has thousands of lines that the view does not show.
    shown = "\n".join(line for line in text.splitlines() if line.startswith(_SHOWN))
    for family in text_string_to_metric_families(shown + "\n"):
        for sample in family.samples:
            if sample.name == _LATENCY:
                buckets[float(sample.labels["le"])] += int(sample.value)
            elif sample.name == _OPEN:
                open_cases[sample.labels["hotline"]] += int(sample.value)
            elif sample.name == _OLDEST:
                hotline, at = sample.labels["hotline"], int(sample.value * 1000)
                oldest[hotline] = min(oldest.get(hotline, at), at)
            elif sample.name == _FACTS:
                facts[sample.labels["fact"]] += int(sample.value)
    cumulated = sorted(buckets.items())
    p50, p99 = quantile(0.5, cumulated), quantile(0.99, cumulated)
    return Measured(p50, p99, dict(open_cases), oldest, dict(facts))


def quantile(share: float, cumulated: Sequence[tuple[float, int]]) -> float | None:
    """Answer the value below which a share of a histogram lies, as Prometheus' histogram_quantile does.

    Args:
        share: Share, 0 to 1.
        cumulated: Upper bound and cumulated count of each bucket, in order.
    """
    if not cumulated or not cumulated[-1][1]:
        return None
    wanted = share * cumulated[-1][1]
    lower, below = 0.0, 0
    for bound, count in cumulated:
        if count >= wanted:
            if math.isinf(bound) or count == below:
                return lower
            return lower + (bound - lower) * (wanted - below) / (count - below)
        lower, below = bound, count
    return lower


def ages_of(ledger: Ledger, now_ms: int) -> tuple[tuple[str, int], ...]:
    """Answer the open cases by age, youngest first."""
    counts: Counter[str] = Counter()
    for _, since in ledger.open_cases.values():
        days = (now_ms - since) / DAY_MS
        counts[next(name for limit, name in _AGES if days < limit)] += 1
    return tuple((name, counts[name]) for _, name in _AGES)


def late_of(ledger: Ledger, now_ms: int) -> tuple[tuple[str, int], ...]:
    """Answer the hotlines with cases open for more than a week, most first."""
    late = Counter(
        member for member, since in ledger.open_cases.values() if now_ms - since > _LATE_DAYS * DAY_MS
    )
    return tuple(late.most_common(_ROWS))


def as_line(picture: Picture) -> str:
    """Answer one line for where there is no terminal."""
    measured = picture.measured
    ages = ", ".join(f"{name}: {count}" for name, count in picture.ages if count) or "none"
    late = ", ".join(f"{member} {count}" for member, count in picture.late[:3]) or "nobody"
    return (
        f"{_day(picture.now_ms)} | {picture.phase} | submitted {picture.submitted}, "
        f"answered {picture.answered}, delivered {picture.delivered} | "
        f"delivery p50 {_seconds(measured.p50_s)} p99 {_seconds(measured.p99_s)} | "
        f"open {ages} | over {_LATE_DAYS} days: {late}"
    )


def draw(picture: Picture) -> RenderableType:
    """Answer the screen."""
    measured = picture.measured
    head = (
        f"[bold]{_day(picture.now_ms)}[/bold]   {picture.phase}, {max(picture.left_s, 0):.0f} s left   "
        f"delivery p50 [bold]{_seconds(measured.p50_s)}[/bold] p99 [bold]{_seconds(measured.p99_s)}[/bold]\n"
        f"submitted {picture.submitted}   answered {picture.answered}   delivered {picture.delivered}   "
        f"removed {measured.facts.get('removed', 0)}   worker restarts {picture.restarts}\n"
        f"metrics {'  '.join(picture.metrics)}"
    )
    flows = _table("flows", ("from", "to", "reports"), picture.flows)
    late = _table(
        f"open for more than {_LATE_DAYS} days",
        ("hotline", "cases", "oldest"),
        (
            (member, count, _age(measured.oldest_ms.get(member), picture.now_ms))
            for member, count in picture.late
        ),
    )
    ages = _table("open cases by age", ("age", "cases"), picture.ages)
    panel = Panel(head, title="Hotline Exchange, simulated members, metadata only")
    beside = _table("beside the straight way", ("what", "times"), casework_of(measured))
    return Group(panel, Columns([flows, ages, late, beside], padding=(0, 3)))


def casework_of(measured: Measured) -> Iterable[tuple[str, int]]:
    """Yield what has happened beside the straight way since the worker started, and how often."""
    return ((name, measured.facts.get(fact, 0)) for fact, name in IN_METRICS.items())


def _table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    table = Table(*columns, title=title, box=box.SIMPLE_HEAD, title_justify="left")
    for row in rows:
        table.add_row(*map(str, row))
    return table


def _day(at_ms: int) -> str:
    return dt.datetime.fromtimestamp(at_ms / 1000, tz=dt.UTC).strftime("%Y-%m-%d %H:%M")


def _age(since_ms: int | None, now_ms: int) -> str:
    return "" if since_ms is None else f"{(now_ms - since_ms) / DAY_MS:.1f} d"


def _seconds(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"

"""An exchange that has many open cases from the beginning: states and contents lie in their topics."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks import topics
from benchmarks.exchange import Exchange
from benchmarks.ground import Ground


@contextmanager
def with_open_cases(ground: Ground, count: int) -> Iterator[Exchange]:
    """An exchange with `count` open cases, those of the reports 0 to `count` - 1 of its splicer."""
    with Exchange(ground) as exchange:
        splicer = exchange.splicer()
        topics.fill(ground.bootstrap, exchange.topics.cases_status, splicer.placed_states(range(count)))
        topics.fill(ground.bootstrap, exchange.topics.cases_contents, splicer.placed_contents(range(count)))
        topics.fill(ground.bootstrap, exchange.topics.cases_admitted, splicer.placed_beginnings())
        yield exchange

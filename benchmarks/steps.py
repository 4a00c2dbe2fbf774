"""CPU time of each step in the life of a case, without Kafka: `python -m benchmarks.steps`.

A round tells the same story of many cases: a report, a second one by another hotline, then what the
responsible hotline does until the content is removed. Each step goes through intake and casekeeper of
`stages`, with their counts and timers. `before_and_after` runs this program over two checkouts.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from benchmarks.stages import Way, admitted_records, in_batches, records_of
from benchmarks.submissions import ORIGIN, prepared_reports
from casework.directory import Directory
from casework.ids import new_event_id
from casework.messages import Delivery
from casework.submissions import Admission
from connectors.drafts import ActionDraft
from connectors.preparing import Prepared, Sender, build_action
from operations.setting_up import read_directory
from schemas.codec import name_of
from streams import wire
from streams.clock import SystemClock
from streams.settings import Settings

REPORT: Final = "report"
LINKED: Final = "linked report"
ACTIONS: Final[dict[str, dict[str, Any]]] = {
    "acknowledged": {"reference": "bench"},
    "police_informed": {},
    "provider_informed": {"recipient_role": "host"},
    "observed": {"is_online": False},
    "removed": {},
}
STEPS: Final = (REPORT, LINKED, *ACTIONS)
AGENTS: Final = ("intake", "casekeeper")
_SECOND_ORIGIN: Final = "hu-nmhh"
_BATCH: Final = 500

Spent = dict[str, dict[str, float]]
"""Microseconds of CPU for each record, by step and agent."""


class Story:
    """What is the same for all rounds.

    Args:
        cases: Cases of a round.
    """

    def __init__(self, cases: int) -> None:
        self._cases = cases
        self._settings = Settings()
        self._clock = SystemClock()
        self._directory = read_directory(self._settings, self._clock.now_ms())
        self._offset = 0

    async def tell(self) -> Spent:
        """Measure one round."""
        way = Way(self._directory, self._settings.environment)
        spent: Spent = {}
        reports = list(self._reports(ORIGIN))
        spent[REPORT], sent = await self._through(way, reports)
        assigned = [one for one in _deliveries(sent) if one.kind == "assignment"]
        spent[LINKED], _ = await self._through(way, list(self._reports(_SECOND_ORIGIN)))
        for action, fields in ACTIONS.items():
            submissions = list(self._actions(assigned, action, fields))
            spent[action], _ = await self._through(way, submissions)
        return spent

    async def _through(self, way: Way, submitted: Sequence[Prepared]) -> tuple[dict[str, float], list[Any]]:
        """Send submissions through both agents; answer what it took, and what casekeeper sent."""
        count = len(submitted)
        gc.collect()
        intake = await _measured(way.intake.handle, records_of(submitted, self._directory))
        admitted = admitted_records(way.took(), self._offset)
        if len(admitted) != count:
            raise AssertionError(f"{count - len(admitted)} of {count} submissions were not admitted")
        self._offset += count
        gc.collect()
        casekeeper = await _measured(way.casekeeper.handle, admitted)
        return dict(zip(AGENTS, (intake / count, casekeeper / count), strict=True)), way.took()

    def _reports(self, origin: str) -> Iterator[Prepared]:
        now = self._clock.now_ms()
        return prepared_reports(self._cases, self._settings, self._directory, now, origin=origin)

    def _actions(
        self, assigned: Iterable[Delivery], action: str, fields: dict[str, Any]
    ) -> Iterator[Prepared]:
        now = self._clock.now_ms()
        admission = _admission(self._directory, self._settings.environment, now)
        seen = {"observed_at": now} if action == "observed" else {}
        for delivery in assigned:
            sender = Sender(
                member=delivery.recipient,
                environment=self._settings.environment,
                network_key=self._settings.network_key,
                new_id=lambda at: new_event_id(at, os.urandom(10)),
            )
            yield build_action(ActionDraft.about(delivery, action, **fields, **seen), sender, admission)


async def _measured(handle: Any, records: list[Any]) -> float:  # noqa: ANN401 - the handler of either agent
    """Answer the microseconds of CPU that an agent takes for records."""
    batches = in_batches(records, _BATCH)
    began = time.process_time_ns()
    for batch in batches:
        await handle((batch,))
    return (time.process_time_ns() - began) / 1000


def _admission(directory: Directory, environment: str, now: int) -> Admission:
    return Admission(directory=directory, environment=environment, admitted_at=now, submitted_at=now, size=0)


def _deliveries(sent: Iterable[Any]) -> Iterator[Delivery]:
    for out in sent:
        if out.value is not None and name_of(out.value) == "Delivery":
            yield wire.decode_as(Delivery, out.value)


def main() -> None:
    """Print medians; in turns with another program, one round as JSON for each line read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.steps", description=__doc__)
    parser.add_argument("--cases", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in-turns", action="store_true", help="a round as JSON for each line of input")
    options = parser.parse_args()
    story = Story(options.cases)
    if options.in_turns:
        for _ in sys.stdin:
            print(json.dumps(asyncio.run(story.tell())), flush=True)
        return
    rounds = [asyncio.run(story.tell()) for _ in range(options.rounds)]
    print(f"us of CPU a record, medians of {options.rounds} rounds with {options.cases} cases")
    print(f"{'step':<20}" + "".join(f"{agent:>12}" for agent in AGENTS))
    for step in STEPS:
        found = (statistics.median(spent[step][agent] for spent in rounds) for agent in AGENTS)
        print(f"{step:<20}" + "".join(f"{one:12.1f}" for one in found))


if __name__ == "__main__":
    main()

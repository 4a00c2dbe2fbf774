"""What simulated members do with what they receive: hotlines act on their cases, liaisons read.

A hotline's next step is planned when the one before is in Kafka, so the order of its actions is that of a
person's work, however late a worker or the machine is.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from casework.directory import Directory
from casework.messages import Delivery, Escalation, Receipt
from connectors.client import MemberClient
from connectors.drafts import ActionDraft, ReportDraft
from connectors.errors import NotConfirmedError
from connectors.preparing import Prepared
from operations.simulator.ledger import Ledger
from operations.simulator.marks import marked_action, marked_report
from operations.simulator.reports import SimulatedReport
from operations.simulator.schedule import Schedule
from streams.clock import Clock

Action = tuple[str, int, Mapping[str, Any]]
"""Code, time in milliseconds since epoch UTC, and further fields of an action."""

_SENDS: Final = 10


class World(msgspec.Struct, frozen=True):
    """What all simulated members share.

    Attributes:
        clock: The injected clock.
        directory: The directory in use.
        schedule: What happens when.
        ledger: Everybody's book.
        reports: What becomes of each report that was sent, by event id.
        mark: Stands in every address and note that is sealed, if there is one.
    """

    clock: Clock
    directory: Directory
    schedule: Schedule
    ledger: Ledger
    reports: dict[str, SimulatedReport]
    mark: str = ""

    def country_of(self, member: str) -> str | None:
        """Answer the country of a member, or None for an international or unknown one."""
        found = self.directory.members_by_id.get(member)
        return found.countries[0] if found is not None and found.countries else None


class Held(msgspec.Struct, frozen=True):
    """A case as the responsible hotline holds it: what an action must name.

    Attributes:
        case_id: Case id.
        url_key: Url key.
        hosting_country: Hosting country.
        round: Round of the case.
        leg: Leg of the round.
        since: When the hotline learnt of it, milliseconds since epoch UTC.
    """

    case_id: str
    url_key: bytes
    hosting_country: str
    round: int
    leg: int
    since: int


class SimulatedHotline:
    """One hotline: sends reports, and takes each case it is responsible for through the steps of its fate.

    Args:
        client: Its client, started.
        world: What all members share.
    """

    def __init__(self, client: MemberClient, world: World) -> None:
        self.client = client
        self.member = client.membership.member
        self._world = world
        self._country = world.country_of(self.member) or ""
        self.last_prepared: Prepared | None = None

    async def report(self, report: SimulatedReport, *, twice: bool = False) -> None:
        """Send a report; `twice` sends the same submission again, as a system does that lost the answer."""
        draft = self.draft(report)
        if self._world.mark:
            draft = marked_report(draft, self._world.mark)
        prepared = self.client.prepare(draft)
        self._world.reports[prepared.event_id] = report
        await self.send(prepared)
        if twice:
            self._world.ledger.repeated += 1
            await self.send(prepared)

    def draft(self, report: SimulatedReport) -> ReportDraft:
        """Answer the draft of a report, released now."""
        draft = report.draft(self._country)
        return msgspec.structs.replace(draft, occurred_at=min(report.occurred_at, self._world.clock.now_ms()))

    async def send(self, prepared: Prepared) -> None:
        """Send until Kafka confirms, and enter it in the ledger.

        Raises:
            NotConfirmedError: Kafka did not confirm ten times.
        """
        for attempt in range(1, _SENDS + 1):
            try:
                await self.client.send(prepared)
            except NotConfirmedError:
                if attempt == _SENDS:
                    raise
            else:
                self._world.ledger.sent(prepared.event_id, prepared.kind)
                return

    async def read(self) -> None:
        """Read the inbox until cancelled."""
        async for message in self.client.inbox():
            body = message.body
            if isinstance(body, Receipt):
                self._take_receipt(body)
            elif isinstance(body, Delivery):
                self._world.ledger.opens(message)
                self._take_delivery(body)
            else:
                self._world.ledger.unreadable += 1
            await message.done()

    def _take_receipt(self, receipt: Receipt) -> None:
        self._world.ledger.got_receipt(receipt)
        is_own = receipt.outcome == "accepted" and receipt.assigned_hotline == self.member
        report = self._world.reports.get(receipt.event_id)
        if not is_own or report is None or report.is_duplicate or receipt.state != "acknowledged":
            return
        if receipt.case_id is None or receipt.url_key is None:
            return
        held = Held(
            case_id=receipt.case_id,
            url_key=receipt.url_key,
            hosting_country=receipt.hosting_country or report.hosting_country,
            round=receipt.round or 1,
            leg=receipt.leg or 1,
            since=receipt.admitted_at,
        )
        self._take_on(held, report, steps_of(report)[1:])

    def _take_delivery(self, delivery: Delivery) -> None:
        world = self._world
        world.ledger.got_delivery(self.member, delivery, world.country_of(delivery.origin or ""))
        report = world.reports.get(delivery.report_event_id or "")
        if delivery.kind != "assignment" or report is None:
            return
        held = Held(
            case_id=delivery.case_id,
            url_key=delivery.url_key,
            hosting_country=delivery.hosting_country or report.hosting_country,
            round=delivery.round,
            leg=delivery.leg,
            since=delivery.admitted_at,
        )
        self._take_on(held, report, steps_of(report))

    def _take_on(self, held: Held, report: SimulatedReport, steps: tuple[Action, ...]) -> None:
        self._world.ledger.took_on(held.case_id, self.member, report.received_at)
        self._plan(held, report, steps, held.since)

    def _plan(
        self,
        held: Held,
        report: SimulatedReport,
        steps: tuple[Action, ...],
        not_before: int,
    ) -> None:
        if not steps:
            if report.fate.closed_at is not None:
                self._world.ledger.finished(held.case_id)
            return
        action, at, fields = steps[0]
        occurred_at = max(at, not_before)

        async def take() -> None:
            await self.act(held, action, occurred_at, fields)
            self._plan(held, report, steps[1:], occurred_at)

        self._world.schedule.at(occurred_at, take)

    async def act(self, held: Held, action: str, occurred_at: int, fields: Mapping[str, Any]) -> None:
        """Send one action on a case."""
        given = dict(fields)
        if "classification" in given:
            given["law_country"] = self._country
            given["assessed_at"] = occurred_at
        draft = ActionDraft(
            action=action,
            case_id=held.case_id,
            url_key=held.url_key,
            hosting_country=held.hosting_country,
            round=held.round,
            leg=held.leg,
            occurred_at=occurred_at,
            **given,
        )
        prepared = self.client.prepare(marked_action(draft, self._world.mark) if self._world.mark else draft)
        self.last_prepared = prepared
        await self.send(prepared)


class SimulatedLiaison:
    """A police liaison: reads the escalations of its country or organisation.

    Args:
        client: Its client, started.
        code: Code of its topic.
        ledger: Everybody's book.
    """

    def __init__(self, client: MemberClient, code: str, ledger: Ledger) -> None:
        self._client = client
        self._code = code
        self._ledger = ledger

    async def read(self) -> None:
        """Read the escalations until cancelled."""
        async for message in self._client.escalations(self._code):
            if isinstance(message.body, Escalation):
                self._ledger.opens(message)
                self._ledger.got_escalation(message.body)
            else:
                self._ledger.unreadable += 1
            await message.done()


def steps_of(report: SimulatedReport) -> tuple[Action, ...]:
    """Answer what a responsible hotline does with a report: action, time and fields, in order."""
    fate = report.fate
    steps: list[Action] = [("acknowledged", fate.acknowledged_at, {"reference": f"host/{report.reference}"})]
    if fate.outcome != "unavailable":
        judged = "not_illegal" if fate.outcome == "not_illegal" else report.classification
        steps.append(("assessed", fate.assessed_at, {"classification": judged}))
    if fate.police_informed_at is not None:
        steps.append(("police_informed", fate.police_informed_at, {}))
    if fate.provider_informed_at is not None:
        steps.append(("provider_informed", fate.provider_informed_at, {"recipient_role": "host"}))
    if fate.closed_at is not None:
        fields = {} if fate.reason_code is None else {"reason_code": fate.reason_code}
        steps.append((fate.outcome, fate.closed_at, fields))
    return tuple(steps)

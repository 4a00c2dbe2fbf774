"""What simulated hotlines do: report, take their cases through the steps of their fate, claim, answer.

A hotline's next step is planned when the one before is in Kafka, so the order of its actions is that of a
person's work, however late a worker or the machine is. It works on a case as long as it hears of no later
leg: then somebody else is responsible.
"""

from typing import Any, Final

import msgspec

from casework.messages import Delivery, Receipt
from connectors.client import MemberClient
from connectors.drafts import ReportDraft
from operations.simulator import constants
from operations.simulator.constants import HOUR_MS
from operations.simulator.liaisons import SimulatedLiaison
from operations.simulator.marks import marked_report
from operations.simulator.players import Action, Player
from operations.simulator.reports import SimulatedReport
from operations.simulator.turns import Turn
from operations.simulator.world import Held, World

_ENDS_A_HOLD: Final = frozenset({"released", "hold_expired", "hold_ended"})
_PATIENCE_MS: Final = 6 * HOUR_MS
_OF_THE_RESPONSIBLE: Final = frozenset(
    {"host_confirmed", "moved", "declined", "observed", "noted", "corrected"}
)


class _Work(msgspec.Struct, gc=False):
    """A case in work.

    Attributes:
        held: The case.
        report: The report it was handed over with.
        is_held: Whether police ask to wait with the notice.
        assessing: Event id of the own assessment.
    """

    held: Held
    report: SimulatedReport
    is_held: bool = False
    assessing: str = ""


class SimulatedHotline(Player):
    """One hotline.

    Args:
        client: Its client, started.
        world: What all members share.
        police: Whom it can call, by country.
    """

    def __init__(self, client: MemberClient, world: World, police: dict[str, SimulatedLiaison]) -> None:
        super().__init__(client, world)
        self._police = police
        self._country = world.country_of(self.member) or ""
        self._work: dict[str, _Work] = {}
        self._numbers: dict[str, int] = {}

    async def report(self, report: SimulatedReport, *, twice: bool = False) -> None:
        """Send a report; `twice` sends the same submission again, as a system does that lost the answer."""
        draft = self.draft(report)
        if self.world.mark:
            draft = marked_report(draft, self.world.mark)
        prepared = self.client.prepare(draft)
        self.world.reports[prepared.event_id] = report
        await self.send(prepared)
        if twice:
            self.world.ledger.repeated += 1
            await self.send(prepared)

    def draft(self, report: SimulatedReport) -> ReportDraft:
        """Answer the draft of a report, released now."""
        draft = report.draft(self._country)
        return msgspec.structs.replace(draft, occurred_at=min(report.occurred_at, self.world.clock.now_ms()))

    async def read(self) -> None:
        """Read the inbox until cancelled."""
        async for message in self.client.inbox():
            body = message.body
            if isinstance(body, Receipt):
                self._take_receipt(body)
            elif isinstance(body, Delivery):
                self.world.ledger.opens(message)
                self._take_delivery(body)
            else:
                self.world.ledger.unreadable += 1
            await message.done()

    async def read_desk(self) -> None:
        """Read the orphan desk until cancelled, and claim some of what waits there."""
        async for message in self.client.desk():
            body = message.body
            if isinstance(body, Delivery):
                self.world.ledger.got_delivery(f"{self.member}@{body.recipient}", body, None)
                if body.kind == "assignment":
                    self._claim(body)
            await message.done()

    def _take_receipt(self, receipt: Receipt) -> None:
        self.world.ledger.got_receipt(receipt)
        if receipt.fact_number is not None and receipt.outcome == "accepted":
            self._numbers[receipt.event_id] = receipt.fact_number
        report = self.world.reports.get(receipt.event_id)
        if report is None or receipt.outcome != "accepted" or receipt.case_id is None:
            return
        held = Held(
            case_id=receipt.case_id,
            url_key=receipt.url_key or b"",
            hosting_country=receipt.hosting_country or report.hosting_country,
            round=receipt.round or 1,
            leg=receipt.leg or 1,
            since=receipt.admitted_at,
        )
        self._plan_as_origin(held, report, receipt.event_id)
        is_own = receipt.assigned_hotline == self.member and receipt.state == "acknowledged"
        if is_own and not report.is_duplicate:
            self._take_on(held, report, steps_of(report)[1:])

    def _take_delivery(self, delivery: Delivery) -> None:
        world = self.world
        world.ledger.got_delivery(self.member, delivery, world.country_of(delivery.origin or ""))
        if delivery.needs_confirmation and world.draws.happens(constants.CONFIRMED_SHARE):
            self._answer(delivery, "confirmed", fact_number=delivery.fact_number)
        if delivery.kind == "offer":
            self._claim(delivery)
        report = world.reports.get(delivery.report_event_id or "")
        if delivery.kind == "assignment" and report is not None:
            self._take_on(self._held(delivery), report, steps_of(report))
        else:
            self._hear(delivery)

    def _hear(self, delivery: Delivery) -> None:
        work = self._work.get(delivery.case_id)
        if work is None:
            return
        if delivery.fact == "held":
            work.is_held = True
        elif delivery.fact in _ENDS_A_HOLD:
            work.is_held = False
        is_over = delivery.assigned_hotline != self.member or delivery.state == "closed"
        if is_over or (delivery.round, delivery.leg) != (work.held.round, work.held.leg):
            del self._work[delivery.case_id]

    def _claim(self, delivery: Delivery) -> None:
        draws = self.world.draws
        if draws.happens(constants.CLAIM_SHARE):
            self._answer(delivery, "claim", after_ms=int(draws.exponential(constants.CLAIM_MEAN_MS)))

    def _answer(self, delivery: Delivery, action: str, *, after_ms: int = 0, **fields: Any) -> None:  # noqa: ANN401 - those of a draft
        at, held = delivery.admitted_at + after_ms, self._held(delivery)

        async def answer() -> None:
            await self.act(held, action, max(at, self.world.clock.now_ms()), **fields)

        self.world.schedule.at(at, answer)

    @staticmethod
    def _held(delivery: Delivery) -> Held:
        return Held(
            case_id=delivery.case_id,
            url_key=delivery.url_key,
            hosting_country=delivery.hosting_country or "",
            round=delivery.round,
            leg=delivery.leg,
            since=delivery.admitted_at,
        )

    def _take_on(self, held: Held, report: SimulatedReport, steps: tuple[Action, ...]) -> None:
        self.world.ledger.took_on(held.case_id, self.member, report.received_at)
        work = self._work[held.case_id] = _Work(held, report)
        turns = [turn for turn in report.turns if turn.kind in _OF_THE_RESPONSIBLE]
        for turn in turns:
            self._plan_turn(work, turn)
        self._plan(work, steps, held.since)

    def _plan(self, work: _Work, steps: tuple[Action, ...], not_before: int) -> None:
        if not steps:
            if work.report.fate.closed_at is not None:
                self.world.ledger.finished(work.held.case_id)
            return
        action, at, fields = steps[0]
        occurred_at = max(at, not_before)

        async def take() -> None:
            if self._work.get(work.held.case_id) is not work:
                return
            if action == "provider_informed" and self._waits(work):
                self._plan(work, steps, occurred_at + _PATIENCE_MS)
                return
            event_id = await self._step(work, action, occurred_at, dict(fields))
            if action == "assessed":
                work.assessing = event_id
            if action == "police_informed":
                self._call_police(work)
            self._plan(work, steps[1:], occurred_at)

        self.world.schedule.at(occurred_at, take)

    def _waits(self, work: _Work) -> bool:
        return work.is_held and not self.world.draws.happens(constants.DESPITE_HOLD_SHARE)

    async def _step(self, work: _Work, action: str, occurred_at: int, fields: dict[str, Any]) -> str:
        if "classification" in fields:
            fields |= {"law_country": self._country, "assessed_at": occurred_at}
        held = work.held
        return await self.act(held, action, occurred_at, round=held.round, leg=held.leg, **fields)

    def _call_police(self, work: _Work) -> None:
        turn = next((turn for turn in work.report.turns if turn.kind == "held"), None)
        liaison = self._police.get(work.held.hosting_country)
        if turn is not None and liaison is not None and self.world.take(work.report, turn):
            liaison.called(work.held, turn)

    def _plan_turn(self, work: _Work, turn: Turn) -> None:
        at = max(turn.at, work.held.since)

        async def take() -> None:
            if self._work.get(work.held.case_id) is work:
                await self._turn(work, turn, at)

        self.world.schedule.at(at, take)

    async def _turn(self, work: _Work, turn: Turn, at: int) -> None:
        fields: dict[str, Any] = {}
        action: str = turn.kind
        country = work.held.hosting_country
        if turn.kind in {"moved", "host_confirmed"}:
            action = "moved" if turn.kind == "moved" else "hosting_confirmed"
            if turn.country != country:
                fields |= {"new_hosting_country": turn.country, "hosting_method": "trace", "observed_at": at}
            elif turn.kind == "moved":
                return
        elif turn.kind == "declined":
            action, fields = "decline", {"reason_code": turn.reason_code}
        elif turn.kind == "observed":
            fields = {"observation": "online", "observed_at": at, "observed_from": self._country}
        elif turn.kind == "noted":
            action, fields = "note", {"note": "seen on other pages of this host too", "note_language": "en"}
        elif turn.kind == "corrected":
            number = self._numbers.get(work.assessing)
            if number is None:
                return
            fields = {
                "fact_number": number,
                "reason_code": turn.reason_code,
                "classification": work.report.classification,
                "age_category": "pubescent",
                "analyst": "a-1",
                "second_analyst": "a-2",
            }
        if self.world.take(work.report, turn):
            await self._step(work, action, at, fields)

    def _plan_as_origin(self, held: Held, report: SimulatedReport, event_id: str) -> None:
        for turn in report.turns:
            if turn.kind in {"withdrawn", "reappeared"} and not report.is_duplicate:
                self._plan_own(held, report, event_id, turn)

    def _plan_own(self, held: Held, report: SimulatedReport, event_id: str, turn: Turn) -> None:
        at = max(turn.at, held.since)

        async def take() -> None:
            if not self.world.take(report, turn):
                return
            if turn.kind == "withdrawn":
                await self.act(
                    held, "withdraw", at, reason_code=turn.reason_code, case_id=None, report_event_id=event_id
                )
            else:
                await self.act(held, "reappeared", at, observed_at=at, observed_from=self._country)

        self.world.schedule.at(at, take)


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

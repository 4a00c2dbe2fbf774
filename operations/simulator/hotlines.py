"""What simulated hotlines do: report, take their cases through the steps of their fate, claim, answer.

A hotline's next step is planned when the one before is in Kafka, so the order of its actions is that of a
person's work, however late a worker or the machine is. It works on a case as long as it hears of no later
leg: then somebody else is responsible. While an action of its own may have made another one responsible, it
waits for the answer.
"""

from typing import Any, Final

import msgspec

from casework.messages import Delivery, Receipt
from casework.states import ACKNOWLEDGED, CLOSED
from connectors.client import MemberClient
from connectors.drafts import ReportDraft
from operations.simulator import constants
from operations.simulator.case_work import (
    LEAVING,
    OF_THE_RESPONSIBLE,
    Work,
    correction_of,
    hurried,
    notice_not_before,
    steps_of,
    turn_action,
)
from operations.simulator.claiming import Claiming
from operations.simulator.constants import DAY_MS, HOUR_MS
from operations.simulator.liaisons import ENDS_A_HOLD, LONGEST_HOLD_MS
from operations.simulator.marks import marked_report
from operations.simulator.origins import AsOrigin, Contacts
from operations.simulator.players import Action, Player
from operations.simulator.reports import SimulatedReport
from operations.simulator.turns import Turn
from operations.simulator.world import Held, World

_PATIENCE_MS: Final = 6 * HOUR_MS
_INTERPOL: Final = "interpol"


class SimulatedHotline(Player):
    """One hotline.

    Args:
        client: Its client, started.
        world: What all members share.
        contacts: Whom it can call.
    """

    def __init__(self, client: MemberClient, world: World, contacts: Contacts) -> None:
        super().__init__(client, world)
        self._contacts = contacts
        self._country = world.country_of(self.member) or ""
        self._claiming = Claiming(self)
        self._work: dict[str, Work] = {}
        self._origin = AsOrigin(self, self._country, self._work, contacts)
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

    async def read_desk(self) -> None:
        """Read the orphan desk until cancelled, and claim some of what waits there."""
        async for message in self.client.desk():
            if isinstance(message.body, Delivery):
                self.at_desk(message.body)
            await message.done()

    def at_desk(self, delivery: Delivery) -> None:
        """Take in what the orphan desk says, which several hotlines read."""
        self.world.ledger.got_delivery(delivery, None, f"{self.member}@{delivery.recipient}")
        self._claiming.queued(delivery)

    def answered(self, receipt: Receipt) -> None:
        """Plan what follows from an own report; go on after an own action that changed nothing."""
        is_accepted = receipt.outcome == "accepted"
        self._go_on(receipt, is_accepted=is_accepted)
        if receipt.fact_number is not None and is_accepted:
            self._numbers[receipt.event_id] = receipt.fact_number
        report = self.world.reports.get(receipt.event_id)
        if report is None or not is_accepted or receipt.case_id is None:
            return
        held = Held(
            case_id=receipt.case_id,
            url_key=receipt.url_key or b"",
            hosting_country=receipt.hosting_country or report.hosting_country,
            round=receipt.round or 1,
            leg=receipt.leg or 1,
            since=receipt.admitted_at,
        )
        if not report.is_duplicate:
            self._origin.plan(held, report, receipt.event_id)
        is_own = receipt.assigned_hotline == self.member and receipt.state == ACKNOWLEDGED
        if is_own and not report.is_duplicate:
            self._take_on(held, report, steps_of(report)[1:])

    def _go_on(self, receipt: Receipt, *, is_accepted: bool) -> None:
        work = None if receipt.case_id is None else self._work.get(receipt.case_id)
        if work is not None and work.waits_for == receipt.event_id:
            work.waits_for = ""
            is_elsewhere = receipt.assigned_hotline != self.member or receipt.state == CLOSED
            if is_accepted and (is_elsewhere or receipt.leg != work.held.leg):
                del self._work[work.held.case_id]

    def told(self, delivery: Delivery) -> None:
        """Take on what is assigned, claim what is offered, and learn what others did."""
        self._claiming.queued(delivery)
        report = self.world.reports.get(delivery.report_event_id or "")
        if delivery.kind == "assignment" and report is not None:
            self._take_on(Held.of(delivery), report, steps_of(report))
        else:
            self._hear(delivery)

    def _hear(self, delivery: Delivery) -> None:
        work = self._work.get(delivery.case_id)
        if work is None:
            return
        if (
            delivery.assigned_hotline != self.member
            or delivery.state == CLOSED
            or not work.is_of(Held.of(delivery))
        ):
            del self._work[delivery.case_id]
        elif delivery.fact == "held":
            work.quiet_until = delivery.until or 0
        elif delivery.fact in ENDS_A_HOLD:
            work.quiet_until = 0
        elif delivery.fact == "police_informed":
            work.police_at = delivery.admitted_at
        elif delivery.fact == "host_disputed":
            self._answer_doubt(work, delivery)

    def _answer_doubt(self, work: Work, delivery: Delivery) -> None:
        """Say that the host is where the case says, unless nobody looks in time."""
        at = delivery.admitted_at + 4 * HOUR_MS

        async def look() -> None:
            if self._work.get(work.held.case_id) is work and not work.waits_for:
                await self._step(work, "hosting_confirmed", at, {})

        if self.world.draws.happens(constants.DOUBT_ANSWERED_SHARE):
            self.world.schedule.at(at, look)

    def _take_on(self, held: Held, report: SimulatedReport, steps: tuple[Action, ...]) -> None:
        self.world.ledger.took_on(held.case_id, self.member, report.received_at)
        is_claimed = self._claiming.is_claimed(held)
        work = self._work[held.case_id] = Work(
            held, report, is_careless=self.world.draws.happens(constants.DESPITE_HOLD_SHARE)
        )
        if is_claimed and self.world.draws.happens(constants.HANDED_BACK_SHARE):
            steps = (("hand_back", held.since + HOUR_MS, {}),)
        else:
            if is_claimed and not self.world.draws.happens(constants.LEFT_SHARE):
                steps = hurried(steps, held.since + constants.CLAIMED_ASSESSED_MS)
            for turn in report.turns:
                if turn.kind in OF_THE_RESPONSIBLE:
                    self._plan_turn(work, turn)
        self._plan(work, steps, held.since)

    def _plan(self, work: Work, steps: tuple[Action, ...], not_before: int) -> None:
        if not steps:
            if work.report.fate.closed_at is not None:
                self.world.ledger.finished(work.held.case_id)
            return
        action, at, fields = steps[0]
        occurred_at = max(at, not_before)

        async def take() -> None:
            if self._work.get(work.held.case_id) is not work:
                return
            if work.waits_for or (action == "provider_informed" and self._waits(work, occurred_at)):
                self._plan(work, steps, occurred_at + _PATIENCE_MS)
                return
            if action != "police_informed" or work.police_at is None:
                event_id = await self._step(work, action, occurred_at, dict(fields))
                work.assessing = event_id if action == "assessed" else work.assessing
            if action == "police_informed":
                work.police_at = work.police_at or self.world.clock.now_ms()
                await self._call_police(work)
            self._plan(work, steps[1:], occurred_at)

        self.world.schedule.at(occurred_at, take)

    def _waits(self, work: Work, occurred_at: int) -> bool:
        rule = self.world.directory.country(work.held.hosting_country)
        is_early = max(occurred_at, self.world.clock.now_ms()) < notice_not_before(work, rule)
        return is_early and not work.is_careless

    async def _step(self, work: Work, action: str, occurred_at: int, fields: dict[str, Any]) -> str:
        if fields.get("classification") is not None:
            fields |= {"law_country": self._country, "assessed_at": occurred_at}
        held = work.held
        prepared = self.prepare(held, action, occurred_at, round=held.round, leg=held.leg, **fields)
        if action in LEAVING:
            work.waits_for = prepared.event_id
        await self.send(prepared)
        return prepared.event_id

    async def _call_police(self, work: Work) -> None:
        """Have a hold set: by police of the country, on their behalf, or by INTERPOL with their consent."""
        turn = next((turn for turn in work.report.turns if turn.kind == "held"), None)
        if turn is None or not self.world.take(work.report, turn):
            return
        chance, now = self.world.draws.uniform(), self.world.clock.now_ms()
        abroad = self._contacts.police.get(_INTERPOL)
        liaison = self._contacts.police.get(work.held.hosting_country)
        work.quiet_until = now + DAY_MS
        if chance < constants.HOLD_ASKED_SHARE and abroad is not None:
            abroad.called(work.held, turn)
        elif liaison is not None and chance > 1.0 - constants.HOLD_ON_BEHALF_SHARE:
            await self._step(work, "hold", now, {"hold_until": now + LONGEST_HOLD_MS})
            work.quiet_until = now + LONGEST_HOLD_MS
        elif liaison is not None:
            liaison.called(work.held, turn)

    def _plan_turn(self, work: Work, turn: Turn) -> None:
        at = max(turn.at, work.held.since)

        async def take() -> None:
            if self._work.get(work.held.case_id) is not work or work.waits_for:
                return
            found = self._action_of(work, turn, at)
            if found is not None and self.world.take(work.report, turn):
                action, fields = found
                if action in {"decline", "transfer"}:
                    self.world.given_back.add((work.held.case_id, self.member))
                await self._step(work, action, at, fields)

        self.world.schedule.at(at, take)

    def _action_of(self, work: Work, turn: Turn, at: int) -> tuple[str, dict[str, Any]] | None:
        if turn.kind == "transferred":
            colleague = self._colleague(work.held)
            fields = {"to_member": colleague, "reason_code": turn.reason_code}
            return None if colleague is None else ("transfer", fields)
        if turn.kind == "corrected":
            number = self._numbers.get(work.assessing)
            return None if number is None else ("corrected", correction_of(work, turn, number))
        return turn_action(work, turn, at, self._country)

    def _colleague(self, held: Held) -> str | None:
        directory, out = self.world.directory, {self.member}
        out |= {member for case, member in self.world.given_back if case == held.case_id}
        shares = directory.country(held.hosting_country).hotlines
        if all(share.member != self.member for share in shares):
            return None
        active = (share.member for share in shares if directory.is_active(share.member))
        return next((member for member in active if member not in out), None)

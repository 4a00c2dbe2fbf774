"""keep: what casekeeper does with one record, from the case before it to all that must be written and sent.

The agent around it only moves bytes: it hands in the newest confirmed case and the record, writes the facts,
sends the postings, stores the contents, and then writes the case. A record that was applied before changes
nothing, so a worker may repeat any stretch of the log.
"""

from typing import Final

import msgspec

from casework.action_rules import must_wait
from casework.answers import Answer, receipt
from casework.causes import Cause, cause_of, waiting_cause
from casework.decisions import decide_waiting, judge
from casework.directory import Directory
from casework.dsse import signed_statement
from casework.due import next_due
from casework.effects import effects
from casework.errors import BugError, ForeignRecordError, RuleViolation
from casework.events import ActionEvent, Event, ReportEvent, Source, Unpark, WakeUp
from casework.evolution import evolved
from casework.first_reports import first_report
from casework.kept import Kept, Rewrap
from casework.messages import Case, CaseContent, Fact
from casework.parking import wait
from casework.postings import Posting
from casework.preservations import is_erased
from casework.signatures import check_signature
from casework.states import AWAITED, CLOSED
from casework.timer_rules import fire
from casework.transitions import ERASES_CONTENTS, RULES_VERSION

CASE_LIMIT_BYTES: Final = 64 * 1024
"""Design 4: what a case may take as a record; copies and action_rules hold the parts that could grow."""

_NOT_TAKEN: Final = frozenset({"refused", "not_applicable"})
_WITHOUT_CONTENT: Final = _NOT_TAKEN | {"rewrapped", "erased"}
"""Facts of actions whose content is not stored: nobody is told, it is that of a report, or none may stay."""

__all__ = [
    "CASE_LIMIT_BYTES",
    "RULES_VERSION",
    "ActionEvent",
    "Event",
    "Kept",
    "Posting",
    "ReportEvent",
    "Source",
    "Unpark",
    "WakeUp",
    "keep",
    "keep_waiting",
]


def keep(case: Case | None, event: Event, directory: Directory, source: Source) -> Kept:
    """Answer what one admitted record does to its case.

    Timers that are due by the record's time are applied before it, in due order and each with its own time.
    After a report come the actions that waited for it, in the order of their coming.
    A record of a parked case waits untried. An unpark is taken apart by the agent, which alone can read what
    waits; here it means nothing.

    Args:
        case: The newest confirmed case of the url key, or None.
        event: The record, decoded.
        directory: The version stamped on the record.
        source: Where the record stands in the topic of admitted records; its offset guards against replays.

    Raises:
        ForeignRecordError: The record is for another environment than its case, or not signed by its sender.
        BugError: The program contradicts itself; the case must be parked.
    """
    if case is not None and source.offset <= case.source_offset:
        return Kept(case)
    if isinstance(event, Unpark):
        return Kept(case)
    _check(case, event)
    _prove(event, directory)
    if case is not None and case.parked is not None:
        return wait(case, event, source)
    return _applied(case, event, directory, source)


def keep_waiting(case: Case | None, event: Event, directory: Directory, source: Source) -> Kept:
    """Answer what a record that waited does to its case; `source` is where it has always stood.

    Raises:
        ForeignRecordError: The record is for another environment than its case, or not signed by its sender.
        BugError: The program contradicts itself; the case must stay parked.
    """
    _check(case, event)
    _prove(event, directory)
    if case is not None and case.parked is not None:
        case = msgspec.structs.replace(case, parked=None)
    return _applied(case, event, directory, source)


def _check(case: Case | None, event: Event) -> None:
    if case is None:
        return
    if case.environment != event.admitted.environment:
        raise ForeignRecordError(
            RuleViolation("environment", "wrong_environment", "the case belongs to another environment")
        )
    if case.url_key != event.admitted.url_key:
        raise BugError("a record of another url key was handed in with this case")


def _prove(event: Event, directory: Directory) -> None:
    """Check once more that a member said what an admitted record says.

    Intake has done it, but more than intake may write admitted records: operators send them again.
    """
    if not isinstance(event, ReportEvent | ActionEvent):
        return
    admitted, submission, statement = event.admitted, event.submission, event.statement
    named = (admitted.sender, admitted.event_id, admitted.url_key, admitted.environment)
    if named != (statement.sender, statement.event_id, statement.url_key, statement.environment):
        text = "the sender, event, place and environment of the statement in it"
        raise ForeignRecordError(RuleViolation("admitted", "foreign_statement", text))
    violation = check_signature(
        directory,
        statement.sender,
        message=signed_statement(admitted.kind, submission.statement),
        signature=submission.signature,
        key_id=submission.key_id,
        signed_at=admitted.submitted_at,
    )
    if violation is not None:
        raise ForeignRecordError(violation)


def _applied(case: Case | None, event: Event, directory: Directory, source: Source) -> Kept:
    if case is None and isinstance(event, ReportEvent):
        kept = first_report(event, directory, source)
        if kept is not None:
            return kept
    return by_the_rules(case, event, directory, source)


def by_the_rules(case: Case | None, event: Event, directory: Directory, source: Source) -> Kept:
    """Answer what a record does to a case that is not parked, fact by fact."""
    admitted = event.admitted
    now = admitted.admitted_at if case is None else max(case.last_now, admitted.admitted_at)
    trigger = cause_of(event, now, directory, source)
    work = _Work(case, event)
    work.apply_timers(trigger)
    decision = judge(work.case, event, trigger)
    work.apply(decision.facts, decision.answer, trigger)
    if isinstance(event, ReportEvent) and decision.facts:
        work.store(event, now)
        work.apply_waiting(trigger)
    elif isinstance(event, ActionEvent):
        work.take_rewrap(event, decision.facts)
        work.store_action(event, decision.facts, now)
    return work.kept()


class _Work:
    """The case while one record is applied, with all that comes out."""

    def __init__(self, case: Case | None, event: Event) -> None:
        self.case = case
        self._event = event
        self._facts: list[Fact] = []
        self._postings: list[Posting] = []
        self._contents: list[CaseContent] = []
        self._erases = False
        self._told_before = 0
        self._rewrap: Rewrap | None = None
        self._dropped: list[str] = []

    def apply(self, facts: tuple[Fact, ...], answer: Answer | None, cause: Cause) -> None:
        """Evolve the case by the facts of one decision, then answer its sender."""
        for fact in facts:
            before = self.case
            self.case, notices = evolved(before, fact)
            if fact.fact in ERASES_CONTENTS:
                self._erase()
            if fact.fact in _NOT_TAKEN and before is not None and _has_waited(before, fact):
                self._dropped.append(fact.input_id)
            if notices or fact.fact == "escalated":
                self._postings.extend(effects(before, self.case, fact, self._event, notices))
        self._facts.extend(facts)
        if answer is not None:
            self._postings.append(receipt(answer, self.case, facts, cause))

    def apply_timers(self, trigger: Cause) -> None:
        """Fire what is due, one at a time, because a timer may change the others."""
        while self.case is not None:
            due = next_due(self.case)
            if due is None or due.at > trigger.now:
                return
            fired = fire(self.case, due, trigger)
            self.apply(fired.facts, fired.answer, fired.cause)

    def apply_waiting(self, trigger: Cause) -> None:
        """Decide the actions whose report has come; the others go on waiting."""
        if self.case is None:
            return
        for waiting in self.case.waiting:
            if not must_wait(self.case, waiting.sender, waiting):
                cause = waiting_cause(waiting, trigger)
                decision = decide_waiting(self.case, waiting, cause)
                self.apply(decision.facts, decision.answer, cause)

    def store_action(self, event: ActionEvent, facts: tuple[Fact, ...], now: int) -> None:
        """Keep the content of an action that waits for its report, or that may have to be told again."""
        may_stay = self.case is None or not is_erased(self.case)
        is_told = bool(facts) and facts[0].fact not in _WITHOUT_CONTENT
        if event.submission.content is not None and is_told and may_stay:
            self.store(event, now)

    def store(self, event: ReportEvent | ActionEvent, now: int) -> None:
        """Keep a submission for those who are entitled to it later."""
        admitted = event.admitted
        if self.case is None or admitted.submission is None:
            raise BugError("an admitted submission has a case")
        self._contents.append(
            CaseContent(
                report_event_id=admitted.event_id,
                case_id=self.case.case_id,
                url_key=admitted.url_key,
                sender=admitted.sender,
                stored_at=now,
                submission=admitted.submission,
                source_offset=self.case.source_offset,
            )
        )

    def take_rewrap(self, event: ActionEvent, facts: tuple[Fact, ...]) -> None:
        """Note the content of a re-wrap that was accepted."""
        if facts and facts[0].fact == "rewrapped":
            fact = facts[0]
            if event.submission.content is None or fact.report_event_id is None:
                raise BugError("an accepted re-wrap has a content and a report")
            content = event.submission.content
            self._rewrap = Rewrap(fact.report_event_id, content, fact.by == fact.origin, fact.number)

    def _erase(self) -> None:
        """Note that nothing is stored of the case from here on; what is stored later in this record stays."""
        self._erases = True
        self._contents.clear()
        self._told_before = len(self._postings)

    def _after_erasure(self) -> tuple[Posting, ...]:
        """Answer all postings; those after an erasure hand on nothing that was stored before it."""
        stored = {content.report_event_id for content in self._contents}
        return tuple(
            posting
            if index < self._told_before or posting.content_of in stored
            else msgspec.structs.replace(posting, content_of=None)
            for index, posting in enumerate(self._postings)
        )

    def kept(self) -> Kept:
        """Answer what came out; without a report or a waiting action there is no case any more."""
        case = self.case
        if case is not None and case.state == AWAITED and not case.waiting:
            case = None
        postings = self._after_erasure() if self._erases else tuple(self._postings)
        facts, contents = tuple(self._facts), tuple(self._contents)
        # A late report of a closed case is for those who have closed it, not to be kept.
        ends = (
            case is not None
            and case.state == CLOSED
            and (bool(contents) or any(fact.fact == "closed" for fact in facts))
        )
        return Kept(
            case,
            facts,
            postings,
            contents,
            erases_contents=self._erases,
            rewrap=self._rewrap,
            dropped=tuple(self._dropped),
            erases_credentials=ends,
        )


def _has_waited(case: Case, fact: Fact) -> bool:
    return any(waiting.event_id == fact.input_id for waiting in case.waiting)

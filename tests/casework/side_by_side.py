"""One history told to both models of the rules at once, event by event; they must say the same."""

from typing import Any

import case_in_both
import comparison
import laws
import real_unparking
from model import variants, world
from real_network import directory_of, record_of

from casework.casekeeping import Event, Kept, Source, Unpark, keep
from casework.evolution import evolved
from casework.ids import new_event_id
from casework.messages import Case, Delivery, Escalation, Fact
from casework.timeline.moments import Moment

START = 1_760_000_000_000


class SideBySide:
    """A case in both models."""

    def __init__(self) -> None:
        self.case: Case | None = None
        self.facts: list[Fact] = []
        self.sent: list[Delivery] = []
        self.escalated: list[Escalation] = []
        self.moments: list[Moment] = []
        self.case_ids: list[str] = []
        self.history: list[dict[str, Any]] = []
        self.naive = world.replay([])
        self.now = START
        self.version, self.suspended, self.rules = 1, (), variants.AS_EVER
        self.offset = 0
        self.records: dict[int, real_unparking.Record] = {}
        self.failures: dict[int, int] = {}
        self.ids = 0

    def new_id(self) -> str:
        """Answer the next event id."""
        self.ids += 1
        return new_event_id(START, self.ids.to_bytes(10, "big"))

    def happen(self, event: dict[str, Any]) -> None:
        """Let an event happen in both models and hold what comes of it together."""
        self.offset += 1
        self.now += 60_000
        by = {"version": self.version, "suspended": self.suspended, "rules": self.rules}
        event = {"at": self.now, "failures": 0, **by, **event}
        if event["kind"] not in {"wake", "unpark"}:
            event.setdefault("position", f"submitted/1/{self.offset}")
        self.history.append(event)
        facts_before = len(self.naive["facts"])
        kept = self._kept(event)
        self._note(kept)
        world.happen(self.naive, event)
        said = self.naive["answers"][-1]
        _agree(event, "facts", comparison.facts(kept, said["facts"]), said["facts"])
        _agree(event, "deliveries", comparison.deliveries(kept), said["deliveries"])
        _agree(event, "escalations", comparison.escalations(kept), said["escalations"])
        _agree(event, "receipts", comparison.receipts(kept), said["receipts"])
        if self.case is None:
            assert not self.naive["facts"]
        else:
            _agree(
                event, "case", [case_in_both.of_code(self.case)], [case_in_both.of_model(self.naive["facts"])]
            )

        sent = [posting.body for posting in kept.postings if isinstance(posting.body, Delivery)]
        self.sent += sent
        self.escalated += [one.body for one in kept.postings if isinstance(one.body, Escalation)]
        laws.each_message_has_an_id_of_its_own(self.sent, self.escalated)
        laws.after_each_event(self.case, self.moments, sent, self.naive, facts_before)

    def end(self) -> None:
        """Hold the whole log to the laws."""
        laws.at_the_end(self.case, self.facts)

    def _kept(self, event: dict[str, Any]) -> Kept:
        """Answer what comes of an event in the code."""
        record = record_of(event, self.case_ids)
        directory = directory_of(event["version"], event["suspended"], event["rules"])
        source = Source("cases.admitted", 3, self.offset)
        if isinstance(record, Unpark):
            return real_unparking.go_on(self.case, record, source, self.records, event["how"], self._fails)
        self.records[self.offset] = record, directory
        self.failures[id(record)] = event["failures"]
        is_parked = self.case is not None and self.case.parked is not None
        if not is_parked and self._fails(record):
            return real_unparking.fail(self.case, record, source)
        return keep(self.case, record, directory, source)

    def _fails(self, record: Event) -> bool:
        """Answer whether a record fails now; it does so as often as its event says."""
        left = self.failures[id(record)]
        self.failures[id(record)] = max(0, left - 1)
        return left > 0

    def _note(self, kept: Kept) -> None:
        self.case = kept.case
        for fact in kept.facts:
            if fact.number == 1:
                self.facts, self.moments = [], []
                self.case_ids.append(fact.case_id)
            before = self.moments[-1].after if self.moments else None
            after, notices = evolved(before, fact)
            self.moments.append(Moment(before, fact, after, notices, is_known=True))
            self.facts.append(fact)


def _agree(event: dict[str, Any], what: str, code: list[dict[str, Any]], model: list[dict[str, Any]]) -> None:
    """Hold what both say together; where they differ, show the event and only what differs."""
    if code == model:
        return
    lines = [f"the two differ in {what} after {event}"]
    if len(code) != len(model):
        lines += [f"code:  {_short(code)}", f"model: {_short(model)}"]
    else:
        for one, other in zip(code, model, strict=True):
            for name in dict.fromkeys([*one, *other]):
                if one.get(name) != other.get(name):
                    lines.append(
                        f"{name}: code {one.get(name)!r}, model {other.get(name)!r} ({_short([other])})"
                    )
    raise AssertionError("\n".join(lines))


def _short(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    names = ("number", "kind", "fact", "by", "rule", "recipient", "step", "outcome", "state")
    return [{name: one[name] for name in names if one.get(name) is not None} for one in said]

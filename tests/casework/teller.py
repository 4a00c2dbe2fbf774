"""Turns the lines of a history into plain events, and tells them to both models."""

from collections.abc import Sequence
from typing import Any, TypeVar

from histories import EVERYBODY, FINAL, RULES, STEPS, Line
from side_by_side import SideBySide

T = TypeVar("T")
NOT_SENT = {
    "what",
    "delay",
    "play",
    "usual",
    "seen",
    "host_seen",
    "occurred",
    "received",
    "aim",
    "which",
    "swapped",
    "ahead",
    "some",
    "by_anybody",
}
"""What a line says for the teller alone."""


class Teller:
    """Turns the lines of a history into plain events, by what is the case when they are written."""

    def __init__(self) -> None:
        self.both = SideBySide()
        self.held: list[tuple[int, dict[str, Any]]] = []
        self.reports: list[dict[str, Any]] = []
        self.trouble_ahead: Line | None = None
        self.until_unpark = 0

    def tell(self, lines: list[Line]) -> SideBySide:
        """Let all lines happen, and at the end what was held back."""
        for line in lines:
            getattr(self, line["what"])(line)
            self._let_go()
            self._go_on()
        while self.held:
            self._let_go()
        self.both.end()
        return self.both

    def report(self, line: Line) -> None:
        """Send a report."""
        event = self._submission("report", line | {"received_at": self.both.now + line["received"]})
        self.reports.append(event)
        self._send(line["delay"], event)

    def act(self, line: Line) -> None:
        """Send an action."""
        action, usual = self._play(*line["play"])
        sender = line["by_anybody"] or self._who(usual)
        event = self._submission("action", line | line["some"] | {"action": action, "sender": sender})
        self._aim(event, line["aim"])
        if action in {"key_mismatch", "withdraw"} and event["case"] is not None and self.reports:
            whole = action == "withdraw" and line["role"] == "registrar"
            event["report"] = None if whole else self._one_of([report["id"] for report in self.reports[-6:]])
            if action == "withdraw" and not line["by_anybody"]:
                event["sender"] = self._reporter_of(event)
        if usual == "maker" and self.both.case is not None and self.both.case.stated:
            ends = [one for one in self.both.case.stated if one.fact in FINAL and one.counts]
            is_over = self.both.case.state == "closed" and ends
            stated = ends[-1] if is_over else self._one_of(self.both.case.stated[-5:])
            event["fact_number"] = stated.number
            event["sender"] = line["by_anybody"] or stated.by
        if usual == "asked" and self.both.case is not None and self.both.case.asked:
            asked = self._one_of(self.both.case.asked)
            event |= {"fact_number": asked.fact_number, "sender": self._one_of(asked.members)}
        if action == "note":
            number = len(self.both.history)
            event["related"] = [f"{number * 3 % 60 + one:08}-0000-4000-8000-000000000000" for one in range(3)]
            event["priority"] = self._one_of([None, "low", "normal", "high"])
        if action in {"hold", "release"}:
            self._hold(event, line)
        self._send(line["delay"], event)

    def _reporter_of(self, event: dict[str, Any]) -> str:
        """Answer who sent the report that an event names; its sender where it names none."""
        senders = {report["id"]: str(report["sender"]) for report in self.reports}
        return senders.get(event["report"], str(event["sender"]))

    def _play(self, action: str, usual: str) -> tuple[str, str]:
        """Let the responsible hotline take a step where the play fits no such case."""
        case = self.both.case
        fits = usual not in {"pool", "maker", "asked"} or (
            case is not None
            and {
                "pool": case.state in {"offered", "orphaned"},
                "maker": bool(case.stated),
                "asked": bool(case.asked),
            }[usual]
        )
        return (action, usual) if fits else (self._one_of(STEPS), "responsible")

    def _hold(self, event: dict[str, Any], line: Line) -> None:
        case = self.both.case
        if line["ahead"] is not None and event["action"] == "hold":
            event["hold_until"] = self.both.now + line["ahead"] // 5
        event.pop("to_member", None)
        event.pop("fact_number", None)
        if line["role"] == "host":
            event["to_member"] = "nl-police"
        if line["fact_number"] is not None and case is not None and case.hold_requests:
            event["fact_number"] = self._one_of(case.hold_requests).fact_number
        elif line["fact_number"] == -1 and case is not None and case.hold is not None:
            event["fact_number"] = case.hold.fact_number

    def rewrap(self, line: Line) -> None:
        """Send a re-wrap of one of the last reports."""
        event = self._submission("rewrap", line | {"sender": self._who(line["usual"]), "action": "rewrap"})
        self._aim(event, line["aim"])
        event["report"] = event["id"]
        if self.reports:
            report = self.reports[max(0, len(self.reports) - 1 - line["which"])]
            event |= {"report": report["id"]}
            if not line["swapped"]:
                event["digest"] = report["id"]
        self._send(line["delay"], event)

    def copy(self, line: Line) -> None:
        """Send an earlier submission again: the same record, the same statement, or another under its id."""
        sent = [event for event in self.both.history if event["kind"] not in {"wake", "unpark"}]
        if not sent:
            return
        event = {
            k: v
            for k, v in sent[-1 - line["which"] % len(sent)].items()
            if k not in {"at", "version", "suspended", "rules", "failures"}
        }
        if line["how"] != "repeated":
            del event["position"]
        if line["how"] == "altered":
            event["said"] += " altered"
        self._happen(event)

    def later(self, line: Line) -> None:
        """Let time pass, or the next record come from a partition whose clock is behind."""
        self.both.now += line["duration"]

    def wake(self, line: Line) -> None:
        """Let an agent say that time has passed."""
        facts, case = self.both.naive["facts"], self.both.case
        event = {"kind": "wake", "id": self.both.new_id(), "step": line["step"].split(maxsplit=1)[0]}
        late = line["step"] == "shrink too late"
        event["facts_then"] = len(facts) - late
        event["offset_then"] = -1 if case is None else case.source_offset - late
        self._happen(event)

    def directory(self, line: Line) -> None:
        """Publish another version of the directory."""
        self.both.version += 1
        self.both.suspended = line["suspended"]
        self.both.rules = tuple(line[matter] for matter in RULES)

    def trouble(self, line: Line) -> None:
        """Let the rules fail on the next record, once or more."""
        self.trouble_ahead = line

    def _happen(self, event: dict[str, Any]) -> None:
        line, self.trouble_ahead = self.trouble_ahead, None
        if line is not None:
            event |= {"failures": line["failures"]}
            self.until_unpark, self.how = line["waits"], line["how"]
        self.both.happen(event)

    def _go_on(self) -> None:
        """Let a parked case go on after a while."""
        case = self.both.case
        if case is not None and case.parked is not None:
            self.until_unpark -= 1
            if self.until_unpark < 0:
                self.until_unpark = 3
                self.both.happen({"kind": "unpark", "id": self.both.new_id(), "how": self.how})

    def _submission(self, kind: str, line: Line) -> dict[str, Any]:
        event_id, now = self.both.new_id(), self.both.now
        event = {k: v for k, v in line.items() if k not in NOT_SENT}
        seen = line.get("seen")
        event |= {"kind": kind, "id": event_id, "said": event_id, "digest": event_id}
        event["occurred_at"] = now + line.get("occurred", 0)
        if line.get("sealed_for") is None:
            event["digest"] = None
        if kind == "report":
            event["host_seen_at"] = None if line["host_seen"] is None else now + line["host_seen"]
        if line.get("ahead") is not None and event["action"] == "preserve":
            event["preserve_until"] = now + line["ahead"]
        if line.get("fact_number") is not None:
            event["fact_number"] = max(1, len(self.both.facts) + 1 + line["fact_number"])
        event["observed_at"] = None if seen is None else now + seen
        if event.get("sealed_for") == []:
            event["sealed_for"] = [event["sender"]]
        return event

    def _who(self, sender: str) -> str:
        case = self.both.case
        if sender in EVERYBODY or case is None:
            return sender if sender in EVERYBODY else "nl-offlimits"
        police = [code for code in ("nl-police", "de-police") if case.hosting_country in code.upper()]
        who = {
            "responsible": [case.assigned_hotline or "ie-hotline"],
            "origin": [one.member for one in case.origins],
            "former": list(case.former),
            "pool": [*case.pool, "ie-hotline"],
            "police": [*police, "interpol", "europol", "nl-police"],
        }.get(sender, [])
        return self._one_of(who) if who else "nl-offlimits"

    def _one_of(self, values: Sequence[T]) -> T:
        return values[len(self.both.history) % len(values)]

    def _aim(self, event: dict[str, Any], aim: str) -> None:
        case = self.both.case
        event["case"] = len(self.both.case_ids) if case is not None else 0
        if aim == "other":
            event["case"] = 0
        if aim in {"own report", "an own report", "a report"}:
            mine = [one for one in self.reports if one["sender"] == event["sender"] or aim == "a report"]
            one_of_mine = self._one_of(mine) if aim == "an own report" and mine else (mine or [None])[-1]
            event["report"] = one_of_mine["id"] if one_of_mine else self.both.new_id()
            event["case"] = None
        if aim == "stale" and case is not None:
            event |= {"round": max(1, case.round - 1), "leg": case.leg + 1}
        if aim == "this leg" and case is not None and case.round:
            event |= {"round": case.round, "leg": case.leg}

    def _send(self, delay: int, event: dict[str, Any]) -> None:
        if event["sender"] == "secretariat" and event["action"] not in {"note", "confirmed", "erase"}:
            return  # intake takes nothing else from it
        if delay:
            self.held.append((delay, event))
        else:
            self._happen(event)

    def _let_go(self) -> None:
        due = [event for left, event in self.held if left <= 1]
        self.held = [(left - 1, event) for left, event in self.held if left > 1]
        for event in due:
            self._happen(event)

"""Random histories, told to the code and to a naive second model of the same rules (tests/casework/model)."""

import os
import random
from collections.abc import Sequence
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from model import network
from side_by_side import SideBySide

T = TypeVar("T")
EXAMPLES = int(os.environ.get("HX_MODEL_EXAMPLES", "60"))
EVENTS = int(os.environ.get("HX_MODEL_EVENTS", "60"))
MOST_EVENTS = max(EVENTS, 200)
"""Of every sixth of the long histories."""

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
HOTLINES = [name for name, one in network.MEMBERS.items() if one["kind"] == "hotline"]
EVERYBODY = [*network.MEMBERS, "nobody"]
FINAL = ("removed", "unavailable", "not_illegal")
STEPS = [*["acknowledged"] * 2, *["assessed"] * 3, *["police_informed"] * 2, *["provider_informed"] * 3]
PLAYS = [
    *[(step, "responsible") for step in [*STEPS, "removed", "unavailable", "not_illegal", "key_mismatch"]],
    *[("corrected", "maker")] * 4,
    *[("confirmed", "asked")] * 2,
    *[("moved", "responsible"), ("hosting_confirmed", "responsible"), ("moved", "origin")],
    *[("observed", "origin"), ("observed", "police"), ("reappeared", "origin")],
    *[("note", "former"), ("note", "secretariat"), ("withdraw", "origin")],
    *[("acknowledged", "police")] * 2,
    *[("preserve", "police")] * 2,
    ("erase", "secretariat"),
    *[("hold", "police")] * 4,
    *[("hold", "responsible")] * 2,
    *[("release", "police")] * 3,
    ("release", "responsible"),
    *[("claim", "pool")] * 6,
    *[("hand_back", "responsible"), ("decline", "responsible"), ("decline", "responsible")],
    ("transfer", "responsible"),
]
"""Actions, each with who would send it in earnest."""
SOME = [
    {
        "law_country": law,
        "is_online": online,
        "hosting_status": status,
        "observation": observation,
        "corrected_action": corrected,
        "analyst": "a" if online else None,
        "second_analyst": analyst,
        "has_police_reference": reference,
        "to_member": member,
    }
    for law, online, status, observation, corrected, analyst, reference, member in [
        ("NL", True, None, None, None, "b", False, "de-eco"),
        ("NL", False, "provisional", "online", "removed", "b", True, "de-fsm"),
        ("NL", True, "confirmed", "geo_blocked", "assessed", None, False, "fr-point"),
        (None, True, None, "moved", None, "b", True, "fr-phare"),
        ("NL", False, None, "moved", "police_informed", "b", True, "fr-phare"),
        ("DE", True, "provisional", "offline", "unavailable", "b", False, "nl-offlimits"),
    ]
]
"""What actions may say beside, put together beforehand because each choice costs time."""
REPORTED = ["NL", "NL", "NL", "DE", "DE", "FR", "FR", "FR", "IE", "UK", "HK", "XT", "ZZ"]
SEALED = [None, None, [], [], ["nl-offlimits"], ["nl-offlimits", "de-eco"], ["de-fsm", "ie-hotline"]]
DELAYS = [0, 0, 0, 0, 0, 0, 1, 3, 7]
REPORTS = {
    "what": ["report"],
    "delay": DELAYS,
    "sender": [*HOTLINES, "gb-iwf", "gb-iwf"],
    "country": REPORTED,
    "urgency": [[], [], [], ["possible_new_victim"], ["abuse_in_progress"]],
    "classification": [None, None, "unassessed", "baseline", "national", "not_illegal"],
    "seen": [None, 0, -HOUR, DAY],
    "host_seen": [None, None, 0, -HOUR],
    "hosting_status": ["confirmed", "confirmed", "provisional"],
    "sealed_for": SEALED,
}
ACTS = {
    "what": ["act"],
    "delay": DELAYS,
    "play": PLAYS,
    "aim": [*["case"] * 24, "other", "own report", "own report", "a report", "stale", *["this leg"] * 4],
    "by_anybody": [*[None] * 100, "nobody", *EVERYBODY],
    "reason": ["other", "other", "wrong_country", "key_mismatch", None],
    "role": [None, None, "host", "registrar"],
    "classification": ["baseline", "national", "not_illegal", "national", "unassessed", None],
    "seen": [None, 0, -HOUR, DAY],
    "new_country": ["NL", "DE", "FR", "HK", "XT", "ZZ", None, None],
    "fact_number": [None, None, -1, -2, -4],
    "ahead": [DAY, 200 * DAY, -HOUR, 400 * DAY, None],
    "some": SOME,
}
REWRAPS = {
    "what": ["rewrap"],
    "delay": DELAYS,
    "usual": ["origin", "origin", "former", "responsible"],
    "aim": [*["case"] * 6, "other"],
    "which": [0, 1, 2],
    "swapped": [*[False] * 6, True],
    "sealed_for": SEALED,
}
COPIES = {"what": ["copy"], "how": ["repeated", "resent", "altered"], "which": list(range(60))}
PASSING = [
    MINUTE,
    HOUR // 2,
    HOUR,
    3 * HOUR,
    5 * HOUR,
    5 * HOUR,
    7 * HOUR,
    DAY,
    2 * DAY,
    8 * DAY,
    100 * DAY,
    -HOUR,
]
TIMES = {"what": ["later"], "duration": PASSING}
WAKES = {"what": ["wake"], "step": ["acknowledge", "reassign", "reassign", "shrink", "shrink too late"]}
SUSPENDED = [
    (),
    (),
    (),
    ("nl-offlimits",),
    ("de-eco",),
    ("de-eco", "de-fsm"),
    ("nl-police", "nl-offlimits"),
    ("fr-phare",),
    ("interpol",),
]
DIRECTORIES = {"what": ["directory"], "suspended": SUSPENDED}
LINES = [*[REPORTS] * 3, *[ACTS] * 18, REWRAPS, COPIES, *[TIMES] * 3, WAKES, DIRECTORIES]
"""All lines a history may have, each with what may stand in its fields; what is likely stands there often."""

Line = dict[str, Any]
histories = st.lists(
    st.one_of(
        [st.fixed_dictionaries({name: st.sampled_from(of) for name, of in one.items()}) for one in LINES]
    ),
    max_size=EVENTS,
)


def dice(seed: int, length: int) -> list[Line]:
    """Answer a history in which choices are as likely as the tables say: hypothesis heeds no such thing."""
    choose = random.Random(seed).choice  # noqa: S311 - the same again for the same seed
    return [{name: choose(values) for name, values in choose(LINES).items()} for _ in range(length)]


NOT_SENT = {
    "what",
    "delay",
    "play",
    "usual",
    "seen",
    "host_seen",
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

    def tell(self, lines: list[Line]) -> SideBySide:
        """Let all lines happen, and at the end what was held back."""
        for line in lines:
            getattr(self, line["what"])(line)
            self._let_go()
        while self.held:
            self._let_go()
        self.both.end()
        return self.both

    def report(self, line: Line) -> None:
        """Send a report."""
        event = self._submission("report", line | {"received_at": self.both.now - HOUR})
        self.reports.append(event)
        self._send(line["delay"], event)

    def act(self, line: Line) -> None:
        """Send an action."""
        action, usual = self._play(*line["play"])
        sender = line["by_anybody"] or self._who(usual)
        event = self._submission("action", line | line["some"] | {"action": action, "sender": sender})
        self._aim(event, line["aim"])
        if action == "key_mismatch" and event["case"] is not None and self.reports:
            event["report"] = self._one_of([report["id"] for report in self.reports[-3:]])
        if usual == "maker" and self.both.case is not None and self.both.case.stated:
            ends = [one for one in self.both.case.stated if one.fact in FINAL and one.counts]
            is_over = self.both.case.state == "closed" and ends
            stated = ends[-1] if is_over else self._one_of(self.both.case.stated[-5:])
            event["fact_number"] = stated.number
            event["sender"] = line["by_anybody"] or stated.by
        if usual == "asked" and self.both.case is not None and self.both.case.asked:
            asked = self._one_of(self.both.case.asked)
            event |= {"fact_number": asked.fact_number, "sender": self._one_of(asked.members)}
        if action in {"hold", "release"}:
            self._hold(event, line)
        self._send(line["delay"], event)

    def _play(self, action: str, usual: str) -> tuple[str, str]:
        """Let the responsible hotline take a step where the play fits no such case."""
        case = self.both.case
        fits = case is not None and {
            "pool": case.state in {"offered", "orphaned"},
            "maker": bool(case.stated),
            "asked": bool(case.asked),
        }.get(usual, True)
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
        sent = [event for event in self.both.history if event["kind"] != "wake"]
        if not sent:
            return
        event = {
            k: v
            for k, v in sent[-1 - line["which"] % len(sent)].items()
            if k not in {"at", "version", "suspended"}
        }
        if line["how"] != "repeated":
            del event["position"]
        if line["how"] == "altered":
            event["said"] += " altered"
        self.both.happen(event)

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
        self.both.happen(event)

    def directory(self, line: Line) -> None:
        """Publish another version of the directory."""
        self.both.version += 1
        self.both.suspended = line["suspended"]

    def _submission(self, kind: str, line: Line) -> dict[str, Any]:
        event_id, now = self.both.new_id(), self.both.now
        event = {k: v for k, v in line.items() if k not in NOT_SENT}
        seen = line.get("seen")
        event |= {"kind": kind, "id": event_id, "said": event_id, "digest": event_id, "occurred_at": now}
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
        if aim in {"own report", "a report"}:
            mine = [one for one in self.reports if one["sender"] == event["sender"] or aim == "a report"]
            event["report"] = mine[-1]["id"] if mine else self.both.new_id()
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
            self.both.happen(event)

    def _let_go(self) -> None:
        due = [event for left, event in self.held if left <= 1]
        self.held = [(left - 1, event) for left, event in self.held if left > 1]
        for event in due:
            self.both.happen(event)


@settings(
    max_examples=EXAMPLES // 3,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
    report_multiple_bugs=False,
)
@given(histories)
def test_the_code_says_what_a_naive_reading_of_the_rules_says(lines: list[Line]) -> None:
    """After every event of a random history facts, messages, state and timers are those of the model."""
    Teller().tell(lines)


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_long_histories_come_to_the_same(seed: int) -> None:
    """Code and model agree about long histories too, in which one matter leads to the next."""
    Teller().tell(dice(seed, EVENTS if seed % 6 else MOST_EVENTS))


def said(action: str, by: str, **fields: object) -> Line:
    """Answer the line of an action that is sent in earnest."""
    return {name: values[0] for name, values in ACTS.items()} | {"play": (action, by), **fields}


def reported(country: str, **fields: object) -> Line:
    """Answer the line of a report."""
    return {name: values[0] for name, values in REPORTS.items()} | {"country": country, **fields}


def passed(duration: int) -> Line:
    """Answer the line of passing time."""
    return {"what": "later", "duration": duration}


NOTICED = {"what": "wake", "step": "acknowledge"}
AS_REMOVED = ("removed", "responsible")
POLICE = {"by_anybody": "nl-police", "ahead": 200 * DAY}
STORIES: dict[str, list[Line]] = {
    "a claim that is only acknowledged ends": [
        reported("FR"),
        said("claim", "pool"),
        said("acknowledged", "responsible"),
        passed(DAY),
        NOTICED,
    ],
    "many moves are told once": [
        reported("NL"),
        *[said("moved", "responsible", new_country=country) for country in ("DE", "NL", "DE", "NL", "DE")],
    ],
    "an end is taken back after all reports were": [
        reported("NL"),
        said(*AS_REMOVED),
        said("withdraw", "origin", aim="own report"),
        said("corrected", "maker"),
        passed(8 * DAY),
        NOTICED,
    ],
    "police take back that they have an escalation": [
        reported("NL") | {"urgency": ("possible_new_victim",)},
        said("acknowledged", "police", **POLICE),
        said("corrected", "maker"),
        passed(5 * HOUR),
        NOTICED,
    ],
    "police take back that they read their feed": [
        reported("NL"),
        said("acknowledged", "police", **POLICE),
        said("corrected", "maker"),
        said("police_informed", "responsible"),
        said("acknowledged", "police", **POLICE),
    ],
    "a hotline renews a hold of police": [
        reported("NL"),
        said("hold", "police", **POLICE),
        said("hold", "responsible", ahead=205 * DAY),
        said("release", "responsible"),
        said("release", "police", **POLICE),
    ],
    "two holds pause the clock one after the other": [
        reported("NL"),
        *[said("hold", "police", **POLICE), passed(5 * HOUR), said("release", "police", **POLICE)] * 2,
        passed(8 * DAY),
        NOTICED,
    ],
    "a case becomes a stub and is reported again": [
        reported("NL"),
        said(*AS_REMOVED),
        passed(100 * DAY),
        NOTICED,
        passed(8 * DAY),
        NOTICED,
        {"what": "wake", "step": "shrink"},
        reported("DE"),
    ],
}
"""What dice rarely throw."""


@pytest.mark.parametrize("name", STORIES)
def test_rare_stories_come_to_the_same(name: str) -> None:
    """What takes many steps in one order is told to both on purpose."""
    Teller().tell(STORIES[name])

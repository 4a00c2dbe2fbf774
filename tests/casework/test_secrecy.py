"""A hold protects an investigation: nobody but those concerned may learn of it, whatever happens."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import generate_latest

from agents.batch_outcome import Step
from agents.case_measures import Measures
from agents.metrics import CasekeeperMetrics
from agents.open_cases import OpenCases
from casework.due import due_times
from casework.messages import Delivery
from casework.secrecy import HOLD_FACTS, kind_for_statistics, label_for_statistics

if TYPE_CHECKING:
    from tests.casework.conftest import Story

HOUR = 3_600_000
SECRET = b"unit seven, our reference tulip"
TELLING = re.compile(
    rb"hold(?!er|s? the report)|held|releas|unit seven|tulip|[a-z]+-police|interpol|europol", re.IGNORECASE
)
"""What must be in nothing that a stranger to a hold is sent, and in no metric."""
HOTLINES = ("de-eco", "de-fsm", "de-jugendschutz")
POLICE = ("de-police", "nl-police", "fr-police", "interpol")
RESPONSIBLE = "responsible"
"""Stands for the hotline that is responsible when its turn comes."""
MEMBERS = (*HOTLINES, *POLICE, "gb-iwf", "nl-offlimits", RESPONSIBLE)

requests = st.tuples(
    st.sampled_from(MEMBERS),
    st.sampled_from(("hold", "release")),
    st.fixed_dictionaries(
        {},
        optional={
            "hold_until": st.integers(1, 60 * 24).map(lambda hours: ("ahead", hours * HOUR)),
            "fact_number": st.integers(1, 12),
        },
    ),
)
steps = st.tuples(
    st.sampled_from((RESPONSIBLE, RESPONSIBLE, *HOTLINES, "gb-iwf", "nl-offlimits")),
    st.sampled_from(
        (
            "acknowledged",
            "police_informed",
            "provider_informed",
            "provider_informed",
            "observed",
            "removed",
            "moved",
            "claim",
            "hand_back",
            "decline",
            "transfer",
            "corrected",
            "note",
        )
    ),
    st.fixed_dictionaries(
        {
            "new_hosting_country": st.sampled_from(("DE", "NL", "HK")),
            "hosting_method": st.just("geoip"),
            "reason_code": st.just("capacity"),
            "to_member": st.sampled_from(HOTLINES),
            "fact_number": st.integers(1, 12),
            "is_online": st.just(value=True),
        },
        optional={"recipient_role": st.sampled_from(("host", "registrar"))},
    ),
)
others = st.tuples(
    st.sampled_from(("report", "later", "leave")),
    st.sampled_from(("gb-iwf", "nl-offlimits")),
    st.integers(1, 400),
)
histories = st.lists(st.one_of(requests, requests, steps, others), min_size=5, max_size=30)


def told(story: "Story", step: tuple[str, str, object]) -> None:
    """Let one step of a history happen."""
    first, second, third = step
    if first == "report":
        story.report(second, "DE", observed_at=story.now)
    elif first == "later":
        story.later(int(str(third)) * HOUR).wake()
    elif first == "leave":
        without = story.case.assigned_hotline
        members = tuple(
            msgspec.structs.replace(m, status="suspended" if m.id == without else m.status)
            for m in story.directory.members
        )
        version = story.directory.version + 1
        story.directory = msgspec.structs.replace(story.directory, members=members, version=version)
        story.wake("reassign")
    else:
        assert isinstance(third, dict)
        fields = {
            name: story.now + value[1] if name == "hold_until" else value for name, value in third.items()
        }
        sender = (story.case.assigned_hotline or "de-eco") if first == RESPONSIBLE else first
        content = SECRET if second in {"hold", "release"} else b"note"
        story.act(sender, second, content=content, observed_at=story.now, **fields)


@settings(deadline=None)
@given(history=histories)
def test_nobody_else_learns_of_a_hold(
    new_story: "Callable[[], Story]", history: list[tuple[str, str, object]]
) -> None:
    """In any history a stranger to the holds of a case is sent no word of them, and metrics name none."""
    metrics = CasekeeperMetrics(OpenCases())
    measures = Measures(metrics)
    story = new_story()
    story.claimable().report("gb-iwf", "DE")
    for step in history:
        before, count = story.case, len(story.events)
        sent = len(story.postings)
        told(story, step)
        feeds = {f"feed.{liaison}" for liaison in POLICE}
        knowing = {*POLICE, *feeds, "hk-police", before.assigned_hotline, story.case.assigned_hotline}
        for posting in story.postings[sent:]:
            if posting.recipient not in knowing and posting.inbox != "escalations":
                shown = msgspec.msgpack.encode(posting.body)
                assert not TELLING.search(shown), (posting.recipient, TELLING.findall(shown), posting.body)
                stored = [f.fact for f in story.last.facts if f.input_id == posting.content_of]
                assert not HOLD_FACTS.intersection(stored)
        for event, _, _ in story.events[count:]:
            measures.observe([Step(event, before, story.last)], story.now)
    labels = {label_for_statistics(due.step) for due in due_times(story.case)}
    lines = generate_latest(metrics.registry).splitlines()
    text = b"\n".join(line for line in lines if b"_deliveries_total{member=" not in line)
    assert not TELLING.search(text), TELLING.findall(text)
    assert not any(TELLING.search(label.encode()) for label in labels)


@settings(deadline=None)
@given(history=histories)
def test_each_pause_is_told_once_and_ends_once(
    new_story: "Callable[[], Story]", history: list[tuple[str, str, object]]
) -> None:
    """An origin that was never responsible sees pauses begin and end in turn, as the holds of the case do."""
    story = new_story()
    story.claimable().report("gb-iwf", "DE")
    for step in history:
        told(story, step)
    seen = [d.fact for d in story.deliveries("gb-iwf") if d.fact in {"paused", "resumed"}]
    assert seen == ["paused", "resumed"] * (len(seen) // 2) + ["paused"] * (len(seen) % 2)
    assert (len(seen) % 2 == 1) == (story.case.hold is not None)


def test_a_pause_tells_nothing_but_itself(opened: "Story") -> None:
    """An origin sees that the case is paused, without a time, a reason, a name or a content."""
    opened.act("nl-police", "hold", hold_until=opened.now + HOUR, occurred_at=opened.now - HOUR)
    shown = opened.deliveries("gb-iwf")[-1]
    assert isinstance(shown, Delivery)
    assert (shown.fact, shown.by, shown.occurred_at) == ("paused", "exchange", shown.admitted_at)
    nothing = (shown.until, shown.reason_code, shown.details, shown.statement, shown.signature, shown.content)
    assert nothing == (None,) * 6


def test_a_pause_shows_nothing_that_police_claimed_beside_it(opened: "Story") -> None:
    """Whatever fields a hold fills, a stranger's news of it is that of any other pause of the case."""
    claimed = {"recipient_role": "registrar", "is_online": False, "observed_at": opened.now - HOUR}
    opened.act("nl-police", "hold", **claimed, classification="baseline", law_country="NL")
    shown = opened.deliveries("gb-iwf")[-1]
    assert (shown.recipient_role, shown.is_online, shown.observed_at) == (None, None, None)
    assert (shown.classification, shown.law_country) == (None, None)


def test_those_concerned_get_what_police_sealed(opened: "Story") -> None:
    """The responsible hotline gets statement and sealed content: reason, unit and reference."""
    opened.act("nl-police", "hold", content=SECRET)
    shown = opened.deliveries("nl-offlimits")[-1]
    assert (shown.fact, shown.by, shown.content) == ("held", "nl-police", SECRET)
    assert shown.statement is not None
    assert shown.until == opened.case.hold.until


def test_a_breach_of_a_hold_is_no_word_of_the_hold(opened: "Story") -> None:
    """The origin learns that the provider was told, not that it was told in spite of a hold."""
    opened.act("nl-police", "hold")
    kept = opened.act("nl-offlimits", "provider_informed")
    assert kept.facts[0].breaches == ("despite_hold",)
    shown = [d for d in opened.deliveries("gb-iwf") if d.fact == "provider_informed"]
    assert [d.breaches for d in shown] == [()]


def test_a_hold_counts_as_paused_and_resumed(opened: "Story") -> None:
    """Whoever reads the metrics sees that clocks stop and go on, and nothing of who asked police for what."""
    opened.act("fr-police", "hold")
    opened.act("nl-police", "hold", fact_number=opened.case.number, hold_until=opened.now + 2 * HOUR)
    opened.act("nl-police", "hold", hold_until=opened.now + 30 * HOUR)
    opened.later(10 * HOUR).wake()
    opened.act("nl-police", "release")
    opened.act("nl-police", "release")
    of_hold = [fact for fact in opened.facts if fact.fact in HOLD_FACTS]
    assert [fact.fact for fact in of_hold] == ["hold_asked", "held", "held", "hold_warned", "released"]
    assert [kind_for_statistics(fact) for fact in of_hold] == [None, "paused", None, None, "resumed"]

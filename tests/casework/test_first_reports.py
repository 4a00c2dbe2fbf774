from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from casework.casekeeping import by_the_rules
from casework.directory import Directory
from casework.events import ReportEvent, Source
from casework.first_reports import first_report
from operations.directory.document import build

HOUR = 3_600_000
DIGESTS = st.none() | st.binary(min_size=64, max_size=64)
NETWORK = build(environment="test", published_at=0, candidates="admit")


def _subscribed(feeds: dict[str, str]) -> Directory:
    members = tuple(msgspec.structs.replace(m, feed=feeds.get(m.id, "none")) for m in NETWORK.members)
    return msgspec.structs.replace(NETWORK, members=members)


NETWORKS = (NETWORK, _subscribed({"nl-police": "all_hosted"}), _subscribed({"interpol": "all_confirmed"}))
TIMES = st.integers(-30, 20).map(lambda hours: hours * HOUR)


@given(data=st.data())
def test_a_first_report_is_decided_as_the_rules_do(
    data: st.DataObject, new_story: Callable[..., Any]
) -> None:
    """Case, facts, messages and content are equal, whatever the report says; the rest goes to the rules."""
    story = new_story(directory=data.draw(st.sampled_from(NETWORKS)))
    fields: dict[str, Any] = {
        "occurred_at": story.now + data.draw(TIMES),
        "received_at": story.now + data.draw(TIMES),
        "observed_at": data.draw(st.none() | TIMES.map(lambda time: story.now + time)),
        "reference": data.draw(st.text(max_size=5)),
        "content_topic": data.draw(st.sampled_from([None, "grooming"])),
        "classification": data.draw(st.sampled_from([None, "unassessed", "baseline", "national"])),
        "hosting_status": data.draw(st.sampled_from(["provisional", "confirmed"])),
        "law_country": data.draw(st.sampled_from([None, "DE", "UK"])),
        "urgency": data.draw(st.sampled_from([(), (), (), ("possible_new_victim",)])),
    }
    sender = data.draw(st.sampled_from(["gb-iwf", "de-eco", "nl-offlimits", "us-ncmec"]))
    country = data.draw(st.sampled_from(["NL", "UK", "DE", "US", "HK", "T1", "ZZ"]))
    event: ReportEvent = story.report_event(sender, country, **fields)
    submission = msgspec.structs.replace(
        event.submission,
        signature=data.draw(DIGESTS),
        key_id=data.draw(st.none() | st.just("k1")),
        content=data.draw(st.none() | st.just(b"c")),
    )
    stamps = {
        "clock_skew": data.draw(st.booleans()),
        "event_id": data.draw(st.sampled_from([event.admitted.event_id] * 5 + [story.new_id()])),
        "admitted_at": story.now + data.draw(st.integers(0, HOUR)),
    }
    event = ReportEvent(msgspec.structs.replace(event.admitted, **stamps), submission, event.statement)
    source = Source("cases.admitted", 3, data.draw(st.integers(0, 2**40)))
    found = first_report(event, story.directory, source)
    expected = by_the_rules(None, event, story.directory, source)
    if found is not None:
        assert found == expected
    is_plain = [fact.fact for fact in expected.facts] == ["opened", "assigned"]
    assert (found is not None) == (is_plain and event.admitted.event_id == event.statement.event_id)

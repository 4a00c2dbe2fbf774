import pytest

from casework.errors import BugError
from streams.topics import Topic, Topics

DAY_MS = 86_400_000


def _table(prefix: str = "") -> dict[str, Topic]:
    topics = Topics(prefix).all_for(
        ["nl-offlimits", "bg-hotline"], ["NL", "interpol"], slot_count=20, partitions=12, feeds=["nl-police"]
    )
    return {topic.name: topic for topic in topics}


def test_the_table_holds_exactly_the_topics_of_the_design() -> None:
    """Nothing is forgotten and nothing is made that nobody uses."""
    assert set(_table()) == {
        "reports.submitted",
        "reports.urgent",
        "actions.submitted",
        "cases.admitted",
        "cases.events",
        "cases.status",
        "cases.contents",
        "dead-letters",
        "directory",
        "operations.journal",
        "inbox.nl-offlimits",
        "inbox.nl-offlimits.urgent",
        "inbox.bg-hotline",
        "inbox.bg-hotline.urgent",
        "inbox.desk-orphans",
        "inbox.desk-orphans.urgent",
        "escalations.nl",
        "escalations.interpol",
        "feed.nl-police",
    }


def test_every_name_carries_the_prefix_verbatim() -> None:
    """Two exchanges with other prefixes share no topic."""
    assert {name.removeprefix("t1.") for name in _table("t1.")} == set(_table())
    assert all(name.startswith("t1.") for name in _table("t1."))


def test_partitions_follow_slots_or_p() -> None:
    """Reports have one partition per slot, everything about cases has P and never grows."""
    topics = _table()
    assert {topics[name].partitions for name in ("reports.submitted", "reports.urgent")} == {20}
    by_case = ("actions.submitted", "cases.admitted", "cases.events", "cases.status", "cases.contents")
    assert {(topics[name].partitions, topics[name].may_grow) for name in by_case} == {(12, False)}
    assert {topics[name].partitions for name in ("directory", "escalations.nl", "feed.nl-police")} == {1}


def test_every_topic_is_stamped_by_the_broker_and_takes_2_mib() -> None:
    """Retention and the replay window never depend on a sender's clock."""
    for topic in _table().values():
        assert topic.config["message.timestamp.type"] == "LogAppendTime"
        headers = 65536 if topic.name.endswith("dead-letters") else 0
        assert int(topic.config["max.message.bytes"]) == 2097152 + headers


def test_content_is_gone_at_the_erasure_limit_segment_included() -> None:
    """Retention plus the day a segment stays open is at most the limit wherever content passes.

    Only facts, which hold signed statements without content, and the journal are kept for longer.
    """
    table = Topics().all_for(
        ["nl-offlimits"], ["nl"], slot_count=1, partitions=1, feeds=["nl-police"], erasure_days=30
    )
    longer = {
        topic.name
        for topic in table
        if topic.config["cleanup.policy"] == "delete"
        and int(topic.config["retention.ms"]) + int(topic.config["segment.ms"]) > 30 * DAY_MS
    }
    assert longer == {"cases.events", "operations.journal"}


def test_states_and_contents_are_compacted_and_states_stay_a_day() -> None:
    """A zombie's older state can be outdone within a day before compaction decides."""
    topics = _table()
    compacted = {name for name, topic in topics.items() if topic.config["cleanup.policy"] == "compact"}
    assert compacted == {"cases.status", "cases.contents", "directory"}
    assert int(topics["cases.status"].config["min.compaction.lag.ms"]) >= DAY_MS


def test_an_inbox_is_known_by_its_member_and_escalations_by_their_liaison() -> None:
    """Member and topic name are inverse, for both inboxes."""
    topics = Topics("t1.")
    for name in (topics.inbox("nl-offlimits"), topics.inbox_urgent("nl-offlimits")):
        assert topics.member_of_inbox(name) == "nl-offlimits"
    assert topics.member_of_inbox(topics.cases_events) is None
    assert topics.liaison_of_escalations(topics.escalations("NL")) == "nl"
    assert topics.liaison_of_escalations(topics.inbox("nl-offlimits")) is None


@pytest.mark.parametrize("member", ["", "NL-offlimits", "nl.offlimits", "nl offlimits", "-nl", "x" * 81])
def test_what_is_no_member_id_makes_no_topic(member: str) -> None:
    """A dot in an id could name another member's topic, so it is refused."""
    with pytest.raises(BugError, match="topic name"):
        Topics().inbox(member)

"""The whole plan: what is counted, what is told, and in which order."""

import json

import pytest

from streams.access_plan import AccessPlan
from streams.access_rights import Right
from streams.cluster_plan import ClusterPlan
from streams.quotas import Quota, RateChange
from streams.topic_plan import Change, Plan
from streams.topics import Topics

TOPIC = Topics().all_for((), (), slot_count=1, partitions=1)[0]
NO_TOPICS = Plan((), (), (), (), ("a",), 1)
TOPICS = Plan(
    create=(TOPIC,),
    grow=(Change("b", "partitions", "1", "2"),),
    configure=(Change("c", "retention.ms", "1", "2"),),
    refused=(),
    unchanged=(),
    replication=1,
)
READ, WRITE, WIDE = (
    Right("User:gb-iwf", "topic", "directory", "read"),
    Right("User:gb-iwf", "topic", "directory", "write"),
    Right("User:other", "topic", "*", "read"),
)
ACCESS = AccessPlan(revoke=(WRITE,), drop=("gone",), grant=(READ,), add=("new",))
RATES = (RateChange(Quota("gb-iwf", "user", "producer_byte_rate"), None, 5),)


def test_a_plan_is_told_in_the_order_in_which_it_is_done() -> None:
    """What is taken away stands first, then topics and quotas, then what is given, then the sums."""
    lines = ClusterPlan(TOPICS, RATES, ACCESS).to_text().splitlines()
    assert [line.split()[0] for line in lines] == [
        *("revoke", "drop", "create", "grow", "configure", "quota", "grant", "add", "topics:")
    ]
    assert lines[-1] == (
        "topics: 1 to create, 1 to grow, 0 unchanged, 0 refused; values: 1 to change; quotas: 1 to set; "
        "rights: 1 to give, 1 to take away, 0 strange; users: 1 to add, 1 to take away"
    )
    assert "1 created" in (done := ClusterPlan(TOPICS, RATES, ACCESS).sums(is_applied=True))
    assert "to " not in done


def test_drift_counts_by_kind() -> None:
    """Every difference is counted once, under what it is about."""
    assert ClusterPlan(TOPICS, RATES, ACCESS).drift() == {
        "topic": 2,
        "config": 1,
        "user": 2,
        "acl": 2,
        "quota": 1,
    }
    assert set(ClusterPlan(NO_TOPICS).drift().values()) == {0}


@pytest.mark.parametrize(
    ("access", "is_empty", "needs_a_person"),
    [(None, True, False), (AccessPlan(), True, False), (AccessPlan(strange=(WIDE,)), False, True)],
)
def test_a_strange_right_is_a_difference_that_stays(
    access: AccessPlan | None, is_empty: bool, needs_a_person: bool
) -> None:
    """It is shown, makes the plan not empty, and is left to a person."""
    made = ClusterPlan(NO_TOPICS, access=access)
    assert (made.is_empty, made.needs_a_person) == (is_empty, needs_a_person)
    assert ("STRANGE    User:other read topic *" in made.to_text()) == needs_a_person


def test_a_refused_topic_needs_a_person_too() -> None:
    """So does what provisioning never does to a topic."""
    refused = Plan((), (), (), (Change("a", "partitions", "2", "1", "no"),), (), 1)
    assert ClusterPlan(refused).needs_a_person


def test_a_plan_reads_well_for_machines() -> None:
    """The JSON names rights by their parts."""
    told = json.loads(ClusterPlan(TOPICS, RATES, ACCESS).to_json())
    assert told["access"]["revoke"][0]["operation"] == "write"
    assert told["rates"][0]["quota"]["name"] == "gb-iwf"
    assert told["topics"]["grow"][0]["after"] == "2"

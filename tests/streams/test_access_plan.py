"""The difference between rights wanted and found: what is ours, what is others', and what covers both."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from operations.directory.document import build
from streams.access_plan import Access, Ours, plan_access
from streams.access_rights import Right, rights, users
from streams.topics import Topics

TOPICS = Topics("x.")
DIRECTORY = build(environment="test", published_at=1, candidates="admit")
WANTED = rights(DIRECTORY, TOPICS)
USERS = users(DIRECTORY)
NAMES = {right.name for right in WANTED if right.resource == "topic"} | {"x.inbox.xx-gone"}
OURS = Ours(TOPICS, NAMES, [member.id for member in DIRECTORY.members])

FOREIGN = Right("User:other", "topic", "billing", "read")
SURPLUS = (
    Right("User:other", "topic", "x.cases.admitted", "read"),
    Right("User:other", "group", "x.casekeeper", "read"),
    Right("User:*", "topic", "x.directory", "write"),
    Right("User:gb-iwf", "topic", "x.billing", "read"),
    Right("User:gb-iwf", "topic", "*", "read"),
    Right("User:gb-iwf", "topic", "x.inbox.", "read", "prefixed"),
    Right("User:gb-iwf", "cluster", "kafka-cluster", "alter"),
    Right("User:hx-intake", "topic", "x.cases.status", "write"),
    Right("User:xx-gone", "topic", "x.inbox.xx-gone", "read"),
    Right("User:gb-iwf", "topic", "x.directory", "read", permission="deny"),
    Right("User:gb-iwf", "topic", "x.directory", "read", host="10.0.0.1"),
)
STRANGE = (
    Right("User:other", "topic", "*", "read"),
    Right("User:other", "topic", "x.inbox.", "read", "prefixed"),
    Right("User:other", "group", "*", "read"),
)
UNTOUCHED = (
    FOREIGN,
    Right("User:gb-iwf", "topic", "y.inbox.gb-iwf", "read"),
    Right("User:hx-intake", "group", "y.intake", "read"),
    Right("User:other", "topic", "bill", "read", "prefixed"),
    Right("User:other", "cluster", "kafka-cluster", "describe"),
    Right("User:other", "transactional_id", "*", "write"),
)


def test_an_empty_cluster_gets_everything_and_a_complete_one_nothing() -> None:
    """All rights and users are given once."""
    first = plan_access(Access(frozenset(), frozenset()), WANTED, USERS, OURS)
    assert (set(first.grant), set(first.add), first.revoke, first.drop) == (WANTED, USERS, (), ())
    assert plan_access(Access(WANTED, USERS), WANTED, USERS, OURS).is_empty


def test_what_is_too_much_for_ours_goes_and_what_is_others_stays() -> None:
    """Rights on our topics or of our users go, wide ones of others are shown, the rest is left alone."""
    found = Access(WANTED | {*SURPLUS, *STRANGE, *UNTOUCHED}, USERS)
    made = plan_access(found, WANTED, USERS, OURS)
    assert set(made.revoke) == set(SURPLUS)
    assert set(made.strange) == set(STRANGE)
    assert not made.grant


def test_users_that_were_ours_go_and_strangers_stay() -> None:
    """A former member, an unknown process and a password for a super user's name go, others stay."""
    found = Access(WANTED, USERS | {"xx-gone", "hx-forgotten", "stranger", "broker-1"})
    assert plan_access(found, WANTED, USERS, OURS).drop == ("broker-1", "hx-forgotten", "xx-gone")


def test_who_is_suspended_loses_writing_and_who_left_everything() -> None:
    """Two changes of status in the directory are two revocations, and one dropped user."""
    status = {"gb-iwf": "suspended", "nl-offlimits": "left"}
    members = tuple(
        msgspec.structs.replace(member, status=status.get(member.id, member.status))
        for member in DIRECTORY.members
    )
    later = msgspec.structs.replace(DIRECTORY, members=members)
    made = plan_access(Access(WANTED, USERS), rights(later, TOPICS), users(later), OURS)
    lost = {(right.user, right.operation) for right in made.revoke}
    assert ("gb-iwf", "write") in lost
    assert {right.name for right in made.revoke if right.user == "gb-iwf"}.isdisjoint(
        {"x.inbox.gb-iwf", "x.inbox.gb-iwf.urgent", "x.directory"}
    )
    assert {r for r in made.revoke if r.user == "nl-offlimits"} == {
        r for r in WANTED if r.user == "nl-offlimits"
    }
    assert made.drop == ("nl-offlimits",)
    assert not made.grant


@given(st.sets(st.sampled_from(sorted(WANTED))), st.sets(st.sampled_from([*SURPLUS, *UNTOUCHED])))
def test_applying_a_plan_leaves_nothing_to_do(missing: set[Right], extra: set[Right]) -> None:
    """Whatever is missing or too much, after the changes of the plan there is no difference of ours."""
    found = (WANTED - missing) | extra
    made = plan_access(Access(found, USERS), WANTED, USERS, OURS)
    after = (found - set(made.revoke)) | set(made.grant)
    assert plan_access(Access(after, USERS), WANTED, USERS, OURS).is_empty
    assert after - WANTED == extra & set(UNTOUCHED)

"""Rights as pure data: what members, their status and their kind give, and what nobody gets."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.directory import ORPHAN_DESK, Directory, Member
from operations.directory.document import build
from streams.access_rights import Right, rights, users
from streams.principals import ADMIN, OWN, RESERVED
from streams.topics import Topics

TOPICS = Topics("x.")
SHIPPED = build(environment="test", published_at=1, candidates="admit")
STATUSES = st.sampled_from(["candidate", "active", "suspended", "left"])


def members_of(*members: Member) -> Directory:
    """Answer a directory with these members only."""
    return msgspec.structs.replace(SHIPPED, members=members)


def of(user: str, directory: Directory = SHIPPED) -> set[tuple[str, str, str]]:
    """Answer a user's rights as resource, name without prefix, operation."""
    found = rights(directory, TOPICS)
    return {(r.resource, r.name.removeprefix("x."), r.operation) for r in found if r.user == user}


HOTLINE = Member("nl-one", "hotline", "One", ("NL",), status="active")
READS = {
    ("topic", "directory", "read"),
    ("topic", "inbox.nl-one", "read"),
    ("topic", "inbox.nl-one.urgent", "read"),
    ("group", "member.nl-one", "read"),
}
WRITES = {("topic", f"{name}.submitted", "write") for name in ("reports", "actions")} | {
    ("topic", "reports.urgent", "write")
}


@pytest.mark.parametrize(
    ("changes", "expected"),
    {
        "hotline": ({}, READS | WRITES),
        "with the desk": (
            {"mandates": ("orphans",)},
            READS | WRITES | {("topic", f"inbox.{ORPHAN_DESK}{tail}", "read") for tail in ("", ".urgent")},
        ),
        "police": (
            {"kind": "law_enforcement", "liaison": "nl"},
            READS
            | {("topic", "actions.submitted", "write")}
            | {("topic", name, "read") for name in ("escalations.nl", "feed.nl-one")},
        ),
        "authority": ({"kind": "authority"}, READS | {("topic", "actions.submitted", "write")}),
        "secretariat": ({"kind": "secretariat"}, READS | {("topic", "actions.submitted", "write")}),
        "suspended": ({"status": "suspended", "mandates": ("orphans",)}, READS),
        "suspended police": ({"status": "suspended", "kind": "law_enforcement", "liaison": "nl"}, READS),
        "candidate": ({"status": "candidate"}, set()),
        "left": ({"status": "left"}, set()),
    }.values(),
)
def test_a_member_has_the_rights_of_its_kind_and_status(
    changes: dict[str, object], expected: set[tuple[str, str, str]]
) -> None:
    """Each kind and each status has exactly these rights, and no other member has them too."""
    member = msgspec.structs.replace(HOTLINE, **changes)
    assert of("nl-one", members_of(member)) == expected


def test_a_liaison_reads_its_own_feed_and_no_other() -> None:
    """A feed is read by the active liaison it is named after, and by nobody else."""
    police = [
        Member(name, "law_enforcement", name, status="active", liaison=name)
        for name in ("europol", "interpol")
    ]
    left = Member("fr-police", "law_enforcement", "f", status="suspended", liaison="fr")
    everybody = members_of(*police, left, HOTLINE)
    readers = {
        user: {name for _, name, operation in of(user, everybody) if operation == "read" and "feed." in name}
        for user in (*(member.id for member in everybody.members), "hx-casekeeper")
    }
    assert readers == {
        "europol": {"feed.europol"},
        "interpol": {"feed.interpol"},
        "fr-police": set(),
        HOTLINE.id: set(),
        "hx-casekeeper": set(),
    }


def test_every_topic_has_who_writes_and_who_reads_it() -> None:
    """Of the whole table nothing is left without a writer or a reader, and no right names another topic."""
    table = TOPICS.all_for(
        [member.id for member in SHIPPED.members],
        SHIPPED.liaison_codes(),
        slot_count=2,
        partitions=1,
        feeds=SHIPPED.police(),
    )
    found = [right for right in rights(SHIPPED, TOPICS) if right.resource == "topic"]
    names = {topic.name for topic in table}
    for operation in ("read", "write"):
        assert {right.name for right in found if right.operation == operation} == names
    assert {right.name for right in found} == names


def test_states_and_the_directory_have_one_writer_each() -> None:
    """What the exchange decides and whom it trusts each have one writer."""
    writers: dict[str, set[str | None]] = {}
    for right in rights(SHIPPED, TOPICS):
        if right.operation == "write":
            writers.setdefault(right.name.removeprefix("x."), set()).add(right.user)
    for name in ("cases.events", "cases.status", "cases.contents"):
        assert writers[name] == {"hx-casekeeper"}
    assert writers["directory"] == {"hx-secretariat"}
    assert writers["dead-letters"] == {"hx-intake", "hx-casekeeper"}


@given(st.lists(st.tuples(STATUSES, st.sampled_from(["hotline", "authority", "secretariat"])), max_size=6))
def test_rights_are_literal_allow_only_and_about_their_own_prefix(rows: list[tuple[str, str]]) -> None:
    """Whatever the directory: no pattern, denial or host, no name outside of the prefix, no super user."""
    members = [
        msgspec.structs.replace(HOTLINE, id=f"m-{number}", status=status, kind=kind)
        for number, (status, kind) in enumerate(rows)
    ]
    directory = members_of(*members)
    found = rights(directory, TOPICS)
    for right in found:
        assert (right.pattern, right.permission, right.host) == ("literal", "allow", "*")
        assert right.name.startswith("x.") or right.resource == "cluster"
        assert "*" not in right.name
        assert right.user != ADMIN
    expected = {m.id for m in members if m.status in {"active", "suspended"}}
    assert users(directory) == expected | set(OWN)
    assert {right.user for right in found} == users(directory)


def test_processes_have_names_that_no_member_may_have() -> None:
    """The names of processes begin so that the directory refuses them as ids."""
    assert all(name.startswith(RESERVED) for name in (*OWN, ADMIN))


def test_a_right_reads_well() -> None:
    """What is unusual about an entry is said, the rest is not."""
    assert str(Right("User:a", "topic", "t", "read")) == "User:a read topic t"
    odd = Right("User:*", "group", "t.", "all", "prefixed", "deny", "10.0.0.1")
    assert str(odd) == "User:* all group t.* DENY from 10.0.0.1"

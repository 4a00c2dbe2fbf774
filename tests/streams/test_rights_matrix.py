"""Every principal against every topic and group of a secured broker: only what the operators' page says."""

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import msgspec
import pytest
from asking import ALLOWED, CLUSTER_REFUSED, GROUP_REFUSED, REFUSALS, TOPIC_REFUSED, Asker

from casework.directory import Directory
from operations.directory.document import build
from operations.embedded_kafka import EmbeddedKafka
from operations.provisioning import local_passwords, plan_cluster, provision_cluster
from streams import access_control, provision
from streams.kafka_access import KafkaAccess
from streams.kafka_settings import access_of
from streams.principals import ADMIN
from streams.settings import Settings
from streams.topics import Topics

pytestmark = pytest.mark.kafka

PAGE = Path(__file__).parents[2] / "docs" / "for-operators.md"
#: Who plays: by id, what differs from the shipped directory.
CAST: Final = {
    "gb-iwf": {"mandates": ("orphans",)},
    "nl-offlimits": {"mandates": ()},
    "de-eco": {"status": "suspended", "mandates": ("orphans",)},
    "fr-point-de-contact": {"status": "left"},
    "be-child-focus": {"status": "candidate"},
    "nl-police": {},
    "gb-police": {"status": "suspended"},
    "interpol": {},
    "nl-atkm": {},
    "inhope": {},
}
PROCESSES: Final = ("hx-intake", "hx-casekeeper", "hx-operator", "hx-secretariat", "hx-metrics")
HOTLINES: Final = ("gb-iwf", "nl-offlimits")
LIAISONS: Final = {"nl-police": "nl", "interpol": "interpol"}
WITH_ACCESS: Final = (*HOTLINES, "de-eco", *LIAISONS, "gb-police", "nl-atkm", "inhope")
#: They have a password in this test and nothing else.
WITHOUT_RIGHTS: Final = ("fr-point-de-contact", "be-child-focus", "stranger")
PRINCIPALS: Final = (*WITH_ACCESS, *PROCESSES, *WITHOUT_RIGHTS)
#: What the words of the page mean in this cast, apart from "that member" and "that active liaison".
WORDS: Final = {
    "active hotlines": HOTLINES,
    "active hotlines with the mandate": ("gb-iwf",),
    "active liaisons": tuple(LIAISONS),
    "active authorities": ("nl-atkm",),
    "the active secretariat": ("inhope",),
    "members": WITH_ACCESS,
    **{f"`{name}`": (name,) for name in PROCESSES},
}


class Ground(msgspec.Struct, frozen=True):
    """A provisioned exchange and how its principals connect."""

    settings: Settings
    directory: Directory
    topics: Topics
    users: Settings

    def access(self, user: str) -> KafkaAccess:
        """Answer a principal's access."""
        return access_of(self.users, user)


def cast() -> Directory:
    """Answer the shipped directory with the cast of this page only."""
    whole = build(environment="test", published_at=1, candidates="admit")
    members = tuple(
        msgspec.structs.replace(member, **CAST[member.id]) for member in whole.members if member.id in CAST
    )
    return msgspec.structs.replace(whole, members=members, slot_count=2, slots={}, rest_slots=(0, 1))


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedKafka]:
    """Start a secured broker of this page alone: elsewhere principals have rights of other tests too."""
    home = tmp_path_factory.mktemp("matrix")
    with EmbeddedKafka.start(home, heap_mb=192, quick=True, dies_with_parent=True) as started:
        yield started


@pytest.fixture(scope="module")
def ground(broker: EmbeddedKafka) -> Ground:
    """Return an exchange whose rights are as provisioning makes them."""
    passwords = local_passwords(broker.local_access)
    assert passwords is not None
    base = Settings(environment="test", topic_prefix="matrix.", partitions=2)
    settings = broker.local_access.admin_settings(base)
    directory = cast()
    provision_cluster(settings, directory, passwords=passwords)
    with provision.connect(access_of(settings, ADMIN)) as admin:
        access_control.set_passwords(admin, {user: passwords.of(user) for user in WITHOUT_RIGHTS})
    with Asker(access_of(settings, ADMIN).client_settings()) as asker:
        asker.wait_for_coordinator("warm")
    users = broker.local_access.settings(base)
    return Ground(settings, directory, Topics("matrix."), users)


@pytest.fixture(scope="module")
def askers(ground: Ground) -> Iterator[dict[str, Asker]]:
    """Return an open connection of every principal."""
    with ExitStack() as stack:
        yield {user: stack.enter_context(Asker(ground.access(user).client_settings())) for user in PRINCIPALS}


def rows(head: str) -> Iterator[tuple[str, str, str]]:
    """Yield the rows of the page's table with this head, one for each name in the first column."""
    text = PAGE.read_text(encoding="utf-8").partition(head)[2]
    for line in text.splitlines()[2:]:
        if not line.startswith("|"):
            return
        names, *cells = [cell.strip() for cell in line.strip("|").split("|")]
        for name in re.findall(r"`([^`]+)`", names):
            yield name, cells[0], cells[1]


def meant(words: str, member: str | None = None) -> set[str]:
    """Answer the principals that the words of one cell name."""
    found: set[str] = set()
    for word in re.split(r", (?![^`]*`,)", words):
        if word in {"that member", "that active liaison"}:
            found |= {member} & {*WITH_ACCESS}
        else:
            found.update(WORDS[word])
    return found


def filled(head: str) -> dict[str, tuple[set[str], set[str]]]:
    """Answer the two columns of a table by topic or group, with its placeholders filled in."""
    table: dict[str, tuple[set[str], set[str]]] = {}
    for name, first, second in rows(head):
        everybody = {"<member>": {user: user for user in CAST}, "<liaison>": {**LIAISONS, "gb-police": "gb"}}
        place = next((mark for mark in everybody if mark in name), None)
        if place is None:
            table[name] = (meant(first), meant(second))
            continue
        for member, code in everybody[place].items():
            reader = member if place == "<member>" or member in LIAISONS else None
            table[name.replace(place, code)] = (meant(first, reader), meant(second, reader))
    return table


TOPICS: Final = filled("| topic | writes | reads |")
GROUPS: Final = filled("| group | joins or commits | looks |")
Call = Callable[[Asker, list[str]], dict[str, int]]
NOBODY: Final = dict.fromkeys(TOPICS, frozenset[str]())


def asked(askers: dict[str, Asker], names: set[str], call: Call) -> dict[str, set[str]]:
    """Ask everybody about all names; answer who was allowed, by name; anything but yes and no fails."""
    allowed: dict[str, set[str]] = {name: set() for name in names}
    refused = 0
    for user, asker in askers.items():
        codes = call(asker, [f"matrix.{name}" for name in sorted(names)])
        assert set(codes.values()) <= ALLOWED | REFUSALS
        for name in names:
            if codes[f"matrix.{name}"] in ALLOWED:
                allowed[name].add(user)
            else:
                refused += 1
    assert refused == len(names) * len(askers) - sum(map(len, allowed.values()))
    return allowed


def test_the_page_names_every_topic_and_every_group(ground: Ground) -> None:
    """No topic of the table is missing from the page, and the page has none that does not exist."""
    table = ground.topics.all_for(CAST, ground.directory.liaison_codes(), slot_count=2, partitions=2)
    assert {f"matrix.{name}" for name in TOPICS} == {topic.name for topic in table}
    assert len(TOPICS) == 10 + 2 * (len(CAST) + 1) + 3
    assert set(GROUPS) == {"intake", "intake-urgent", "casekeeper", *(f"member.{user}" for user in CAST)}


def test_exactly_those_write_who_are_named(askers: dict[str, Asker]) -> None:
    """Of all principals and topics a record is taken in the named cells and refused in all others."""
    allowed = asked(askers, set(TOPICS), Asker.write)
    assert allowed == {name: writers for name, (writers, _) in TOPICS.items()}
    # Of 16 principals and 35 topics; counted by hand.
    assert (len(askers) * len(TOPICS), sum(map(len, allowed.values()))) == (560, 98)


def test_exactly_those_read_who_are_named(askers: dict[str, Asker]) -> None:
    """Of all principals and topics a fetch is answered in the named cells and refused in all others."""
    allowed = asked(askers, set(TOPICS), Asker.read)
    assert allowed == {name: readers for name, (_, readers) in TOPICS.items()}
    assert sum(map(len, allowed.values())) == 72


def test_who_reads_or_writes_sees_offsets_and_beside_them_only_the_watch(askers: dict[str, Asker]) -> None:
    """The end of a topic is told to its readers and writers and to hx-metrics, to nobody else."""
    allowed = asked(askers, set(TOPICS), Asker.look)
    expected = {name: {*writers, *readers, "hx-metrics"} for name, (writers, readers) in TOPICS.items()}
    assert allowed == expected


@pytest.mark.parametrize("call", [Asker.create, Asker.alter, Asker.grow, Asker.delete])
def test_nobody_creates_changes_or_deletes_a_topic(askers: dict[str, Asker], call: Call) -> None:
    """All cells are refused, whoever asks."""
    assert asked(askers, set(TOPICS), call) == NOBODY
    assert asked(askers, {"another"}, call) == {"another": set()}


def test_only_the_watch_sees_configuration(askers: dict[str, Asker]) -> None:
    """hx-metrics may look at the configuration of every topic, and nobody else of any."""
    assert asked(askers, set(TOPICS), Asker.settings) == {name: {"hx-metrics"} for name in TOPICS}


def test_groups_are_joined_and_seen_by_those_who_are_named(askers: dict[str, Asker]) -> None:
    """Joining is for the first column, committed offsets are for both, deleting is for nobody."""
    assert asked(askers, set(GROUPS), Asker.join) == {name: users for name, (users, _) in GROUPS.items()}
    assert asked(askers, set(GROUPS), Asker.offsets) == {
        name: users | lookers for name, (users, lookers) in GROUPS.items()
    }
    assert asked(askers, set(GROUPS), Asker.delete_groups) == dict.fromkeys(GROUPS, frozenset())


def test_a_reader_reports_its_position_of_its_own_inbox_only(askers: dict[str, Asker]) -> None:
    """A member commits to its own group what it may read, outside of any group protocol, and nothing else."""
    for user in WITH_ACCESS:
        asker = askers[user]
        assert asker.commit(f"matrix.member.{user}", f"matrix.inbox.{user}") == 0
        other = "gb-iwf" if user != "gb-iwf" else "nl-offlimits"
        assert asker.commit(f"matrix.member.{other}", f"matrix.inbox.{user}") == GROUP_REFUSED
        assert asker.commit(f"matrix.member.{user}", f"matrix.inbox.{other}") == TOPIC_REFUSED


def test_only_who_writes_gets_the_id_of_an_idempotent_producer(askers: dict[str, Asker]) -> None:
    """No right on the cluster is needed for it, and none is given."""
    writers = set[str]().union(*(writers for writers, _ in TOPICS.values()))
    got = {user: asker.producer_id() for user, asker in askers.items()}
    assert {user for user, code in got.items() if code == 0} == writers, got
    assert {code for user, code in got.items() if user not in writers} == {CLUSTER_REFUSED}


def test_nothing_that_was_asked_has_changed_the_cluster(ground: Ground) -> None:
    """Whatever was asked before, topics, configuration, users, rights and quotas are as provisioned."""
    made = plan_cluster(ground.settings, ground.directory)
    assert made.access is not None
    # Two of the cast have a password here although they have no access.
    assert set(made.access.drop) == {"fr-point-de-contact", "be-child-focus"}
    assert made.drift() == {"topic": 0, "config": 0, "user": 2, "acl": 0, "quota": 0}

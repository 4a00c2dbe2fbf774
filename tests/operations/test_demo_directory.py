import pytest

from casework.directory import Directory
from casework.directory_checks import check
from casework.routing import later_contacts
from operations.chaos.exchange import small_network
from operations.demo_directory import (
    ALL_HOSTED,
    CLAIM,
    POLICE_FIRST,
    SECOND_CODE,
    SECOND_CONTACT,
    with_everything,
)
from operations.directory.document import build
from operations.simulator.cast import choose_cast


@pytest.fixture(scope="module")
def shipped() -> Directory:
    """Return the shipped directory with everybody admitted."""
    return build(environment="demo", published_at=1, candidates="admit")


def test_each_rule_of_casework_has_somebody_to_whom_it_applies(shipped: Directory) -> None:
    """Claims, the order of notices, a second contact and both feeds are there, and nothing breaks a rule."""
    directory = with_everything(shipped)
    assert check(directory) == ()
    assert directory.country(CLAIM).routing == "claim"
    assert directory.country(POLICE_FIRST).notice_rule == "police_first"
    assert later_contacts(directory, SECOND_CONTACT, None)[0] == SECOND_CODE
    feeds = {member.id: member.feed for member in directory.subscribers}
    assert feeds == {"interpol": "all_confirmed", f"{ALL_HOSTED.lower()}-police": "all_hosted"}
    played = choose_cast(directory, 2022)
    assert {*feeds, f"{SECOND_CONTACT.lower()}-police-second", played.secretariat} <= {*played.members}
    served = {code for member in played.hotlines for code in directory.member(member).countries}
    assert {CLAIM, POLICE_FIRST} <= served


def test_the_shipped_directory_says_none_of_it(shipped: Directory) -> None:
    """The file of what is known and assumed of each member is not changed for a show."""
    assert shipped.subscribers == ()
    assert {rule.notice_rule for rule in shipped.countries} == {"any"}
    assert all(rule.routing != "claim" and rule.second_liaison is None for rule in shipped.countries)


def test_who_is_not_admitted_is_left_as_it_is() -> None:
    """In a network without the members concerned there is nothing to choose, and no rule is broken."""
    bare = build(environment="demo", published_at=1, candidates="keep")
    assert check(with_everything(bare)) == ()
    assert with_everything(bare).subscribers == ()


def test_the_small_network_of_chaos_runs_keeps_all_of_it(shipped: Directory) -> None:
    """Whoever is played is there, and the second contact of a country without a hotline is listed."""
    small = small_network(with_everything(shipped))
    assert set(choose_cast(small, 2022).members) == {member.id for member in small.members}
    assert later_contacts(small, SECOND_CONTACT, None)[0] == SECOND_CODE

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casework.countries import ALL_COUNTRIES, COUNTRY_ALIASES
from casework.directory import CountryRule, Directory, HotlineShare, MemberStatus
from casework.errors import UnknownCountryError
from casework.routing import Route, Traits, rendezvous, route
from operations.directory.document import build

replace = msgspec.structs.replace
DIRECTORY = build(environment="test", published_at=0, candidates="admit")
KEY = b"\x01" + bytes(32)
GROOMING, TEXT = Traits(content_topic="grooming"), Traits(content_topic="csam_textual")

keys = st.binary(min_size=32, max_size=32).map(lambda tail: b"\x01" + tail)


def with_status(member_id: str, status: MemberStatus, directory: Directory = DIRECTORY) -> Directory:
    """Answer the directory with one member's status changed."""
    members = tuple(replace(m, status=status) if m.id == member_id else m for m in directory.members)
    return replace(directory, members=members)


def with_rule(rule: CountryRule) -> Directory:
    """Answer the directory with one country's rule replaced."""
    return replace(
        DIRECTORY, countries=tuple(rule if r.code == rule.code else r for r in DIRECTORY.countries)
    )


@given(st.sampled_from([*ALL_COUNTRIES, *COUNTRY_ALIASES]), keys)
def test_every_valid_country_routes_to_somebody(country: str, key: bytes) -> None:
    """A report never falls between chairs: a hotline, a desk or a liaison gets it, and a slot carries it."""
    found = route(DIRECTORY, country, key)
    assert found.assigned_hotline or found.desk or found.liaisons
    assert (found.assigned_hotline is None) == found.escalates
    assert found.liaisons
    assert 0 <= DIRECTORY.slot(country, key) < DIRECTORY.slot_count
    assert found == route(DIRECTORY, country, key)


@pytest.mark.parametrize(
    ("country", "expected"),
    [
        ("NL", Route("NL", "NL", "nl-offlimits", None, ("nl",), "responsible")),
        ("UK", Route("GB", "GB", "gb-iwf", None, ("gb",), "responsible")),
        ("HK", Route("HK", "HK", None, "desk-orphans", ("hk",), "no_hotline")),
        ("CM", Route("CM", "CM", None, "desk-orphans", ("interpol",), "no_hotline")),
        ("T1", Route("XT", "XT", None, None, ("interpol", "europol"), "tor")),
        ("ZZ", Route("ZZ", "ZZ", None, "desk-orphans", ("interpol", "europol"), "unknown_host")),
    ],
)
def test_each_kind_of_host_has_its_way(country: str, expected: Route) -> None:
    """Hotline, alias, orphan with and without own police, Tor and unknown host are routed as documented."""
    assert route(DIRECTORY, country, KEY) == expected


def test_an_invalid_country_is_refused() -> None:
    """What is no country is routed nowhere."""
    with pytest.raises(UnknownCountryError):
        route(DIRECTORY, "XX", KEY)


@pytest.mark.parametrize("status", ["candidate", "suspended", "left"])
def test_only_active_hotlines_are_routed_to(status: MemberStatus) -> None:
    """A country whose only hotline is not active has its reports on the orphan desk and its police told."""
    found = route(with_status("nl-offlimits", status), "NL", KEY)
    assert (found.assigned_hotline, found.desk, found.reason) == (None, "desk-orphans", "no_hotline")
    assert found.liaisons == ("nl",)


def test_escalations_fall_back_to_who_is_left() -> None:
    """Without its own police a country is INTERPOL's, then Europol's; without all, a desk still gets Tor."""
    directory = with_status("nl-police", "suspended")
    assert route(directory, "NL", KEY).liaisons == ("interpol",)
    directory = with_status("interpol", "left", directory)
    assert route(directory, "NL", KEY).liaisons == ("europol",)
    directory = with_status("europol", "left", directory)
    tor = route(directory, "XT", KEY)
    assert (tor.liaisons, tor.desk) == ((), "desk-orphans")


@given(st.lists(keys, min_size=1, max_size=50), st.sampled_from(["de-eco", "de-fsm", "de-jugendschutz"]))
def test_a_hotline_that_goes_moves_only_its_own_share(many: list[bytes], gone: str) -> None:
    """What others were responsible for stays with them when one hotline of their country is suspended."""
    after = with_status(gone, "suspended")
    for key in many:
        before = route(DIRECTORY, "DE", key).assigned_hotline
        now = route(after, "DE", key).assigned_hotline
        assert now != gone
        assert before in {gone, now}


def test_shares_follow_the_weights() -> None:
    """Of 4,000 fixed keys each hotline gets its weight's part, within three points."""
    shares = [HotlineShare("de-eco", 7), HotlineShare("de-fsm", 2), HotlineShare("de-jugendschutz", 1)]
    won = Counter(rendezvous(shares, number.to_bytes(33, "big")) for number in range(4_000))
    assert {m: round(won[m] / 4_000, 2) for m in won} == pytest.approx(
        {"de-eco": 0.7, "de-fsm": 0.2, "de-jugendschutz": 0.1}, abs=0.03
    )


@given(keys, st.sampled_from(["de-eco", "de-fsm", "de-jugendschutz"]))
def test_a_hotline_keeps_what_it_found_at_home(key: bytes, origin: str) -> None:
    """Own reports stay with their analyst, unless the country shares them too."""
    assert route(DIRECTORY, "DE", key, origin=origin).assigned_hotline == origin
    assert route(DIRECTORY, "NL", key, origin=origin).assigned_hotline == "nl-offlimits"
    shared = with_rule(replace(DIRECTORY.country("DE"), own_reports="share"))
    assert route(shared, "DE", key, origin=origin) == route(DIRECTORY, "DE", key)


@given(keys)
def test_remits_decide_before_weights(key: bytes) -> None:
    """A hotline with a remit gets its topics and no others; without it the rest serve them."""
    shares = (
        HotlineShare("de-eco", 5),
        HotlineShare("de-fsm", 1, ("grooming",)),
        HotlineShare("de-jugendschutz", 5),
    )
    directory = with_rule(replace(DIRECTORY.country("DE"), routing="remit", hotlines=shares))
    assert route(directory, "DE", key, traits=GROOMING).assigned_hotline == "de-fsm"
    assert route(directory, "DE", key, traits=TEXT).assigned_hotline != "de-fsm"
    without = with_status("de-fsm", "left", directory)
    assert route(without, "DE", key, traits=GROOMING).assigned_hotline in {
        "de-eco",
        "de-jugendschutz",
    }


VALUES = ("a", "b")
lists = st.lists(st.sampled_from(VALUES), unique=True, max_size=2).map(tuple)
shares = st.builds(
    HotlineShare,
    member=st.sampled_from(["de-eco", "de-fsm", "de-jugendschutz"]),
    weight=st.integers(1, 3),
    remit=lists,
    site_types=lists,
    classifications=lists,
    content_types=lists,
)
values = st.none() | st.sampled_from(VALUES)


@given(st.lists(shares, min_size=2, max_size=3, unique_by=lambda share: share.member), st.data(), keys)
def test_a_remit_names_what_a_hotline_takes(
    several: list[HotlineShare], data: st.DataObject, key: bytes
) -> None:
    """Who gets a report fits it and names something, else names nothing, else is any of them."""
    traits = Traits(*(data.draw(values) for _ in range(4)))
    directory = with_rule(replace(DIRECTORY.country("DE"), routing="remit", hotlines=tuple(several)))

    def lists_of(share: HotlineShare) -> list[tuple[tuple[str, ...], str | None]]:
        return [
            (share.remit, traits.content_topic),
            (share.site_types, traits.site_type),
            (share.content_types, traits.content_type),
            (share.classifications, traits.classification),
        ]

    naming = [share for share in several if any(taken for taken, _ in lists_of(share))]
    fitting = [s for s in naming if all(value in taken for taken, value in lists_of(s) if taken)]
    expected = fitting or [share for share in several if share not in naming] or several
    found = route(directory, "DE", key, traits=traits).assigned_hotline
    assert found in {share.member for share in expected}
    assert found == rendezvous(expected, key)


@given(keys, st.sets(st.sampled_from(["de-eco", "de-fsm", "de-jugendschutz"])))
def test_who_gave_a_case_back_counts_as_not_available(key: bytes, declined: set[str]) -> None:
    """The choice is that of a country without them; a claim is open to the others only."""
    ways = {}
    for rule in ("weights", "claim"):
        directory = with_rule(replace(DIRECTORY.country("DE"), routing=rule))
        less = directory
        for member in declined:
            less = with_status(member, "suspended", less)
        ways[rule] = route(directory, "DE", key, declined=tuple(declined))
        assert ways[rule] == route(less, "DE", key)
    left = {"de-eco", "de-fsm", "de-jugendschutz"} - declined
    assert ways["weights"].assigned_hotline in (left or {None})
    assert set(ways["claim"].pool) == (left if len(left) > 1 else set())
    assert ways["claim"].escalates == (not left)

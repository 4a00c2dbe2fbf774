import msgspec
import pytest

from casework.directory import HOUR_MS, CaseworkLimits, Deadlines, Directory, HotlineShare
from casework.directory_keys import NetworkKeys
from casework.network_keys import holders
from operations.directory.differences import differences
from operations.directory.document import build
from operations.directory.equipping import Equipment, equip
from operations.directory.network_keys import seal_network_key
from streams.key_rings import PrivateKey

AT = 1_760_000_000_000
replace = msgspec.structs.replace


@pytest.fixture(scope="module")
def equipment() -> Equipment:
    """A network with keys."""
    return equip(build(environment="test", published_at=5, candidates="admit"), at=AT)


def changed(directory: Directory, member_id: str, **fields: object) -> Directory:
    """Answer the next version, in which one member is different."""
    members = tuple(replace(m, **fields) if m.id == member_id else m for m in directory.members)
    return replace(directory, version=2, members=members)


def test_the_same_again_is_told_in_two_sentences(equipment: Equipment) -> None:
    """Number and validity are always told, and nothing is invented."""
    assert differences(equipment.directory, replace(equipment.directory, version=2)) == (
        "Version 2 follows version 1.", "It is valid from 1970-01-01 00:00:00Z and expires never.",
    )  # fmt: skip


def test_a_signer_reads_who_gets_and_loses_what(equipment: Equipment) -> None:
    """Status, keys, signers, protection and expiry are named with whole key ids, for people to compare."""
    directory = equipment.directory
    sign, seal = directory.member("nl-offlimits").keys
    other = equip(directory, at=AT).directory
    new_sign = other.member("nl-offlimits").keys[0]
    keys = (new_sign, replace(sign, revoked_at=AT), replace(seal, valid_until=AT))
    after = replace(
        changed(directory, "nl-offlimits", keys=keys, status="suspended", reason="keys lost"),
        signers=other.signers, protection="optional", expires_at=AT, network_keys=None,
    )  # fmt: skip
    found = differences(directory, after)
    old_signer, new_signer = (d.signers.keys["secretariat"].id for d in (directory, other))  # type: ignore[union-attr]
    for sentence in (
        "protection changes from required to optional.",
        "It is valid from 1970-01-01 00:00:00Z and expires at 2025-10-09 08:53:20Z.",
        f"Signer secretariat has key {new_signer} now, in place of {old_signer}.",
        "The directory carries no network key any more.",
        "nl-offlimits was active and is suspended: keys lost.",
        f"nl-offlimits gets key {new_sign.id} to sign, from 2025-10-09 08:53:20Z.",
        f"nl-offlimits has key {sign.id} revoked from 2025-10-09 08:53:20Z on.",
        f"nl-offlimits has key {seal.id} until 2025-10-09 08:53:20Z.",
    ):
        assert sentence in found


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, ("FR", "GB"), "from FR, GB only."),
        (("FR", "GB"), ("FR",), "from FR only."),
        (("FR",), (), "from no country only."),
        (("FR",), None, "from every country."),
    ],
)
def test_a_signer_reads_every_change_of_who_may_receive_from_whom(
    equipment: Equipment, before: tuple[str, ...] | None, after: tuple[str, ...] | None, told: str
) -> None:
    """A rule about transfers that comes, narrows or goes is told with its countries."""
    old = changed(equipment.directory, "nl-offlimits", may_receive_from=before)
    new = changed(equipment.directory, "nl-offlimits", may_receive_from=after)
    assert f"nl-offlimits may receive {told}" in differences(old, new)
    assert not any("may receive" in sentence for sentence in differences(old, old))
    gone = replace(old, members=tuple(m for m in old.members if m.id != "nl-offlimits"))
    assert (f"nl-offlimits may receive {told}" in differences(gone, new)) == (after is not None)


def test_rules_and_members_that_come_and_go_are_told(equipment: Equipment) -> None:
    """A country's rule, its slots, a vanished and a new member each have a sentence."""
    directory = equipment.directory
    rules = tuple(
        replace(rule, hotlines=(HotlineShare("de-eco", 7),)) if rule.code == "DE" else rule
        for rule in directory.countries
    )
    members = (*directory.members[1:], replace(directory.members[0], id="xx-new", name="New"))
    after = replace(directory, version=2, countries=rules, members=members, slots={})
    found = "\n".join(differences(directory, after))
    assert "Germany has another rule:" in found
    assert "de-eco 7." in found
    assert f"{directory.members[0].id} is not listed any more." in found
    assert "xx-new is new: New" in found
    assert "NL owns other slots now: none." in found


def test_a_signer_reads_every_limit_that_changes(equipment: Equipment) -> None:
    """What a country or the network waits for, and what a liaison is given, are told with both values."""
    directory = changed(equipment.directory, "nl-police", feed="all_hosted")
    rules = tuple(
        replace(
            rule,
            notice_rule="police_first",
            police_wait_ms=4 * HOUR_MS,
            deadlines=Deadlines(acknowledge_ms=90 * HOUR_MS // 60),
            hotlines=tuple(replace(share, site_types=("forum",)) for share in rule.hotlines),
        )
        if rule.code == "NL"
        else rule
        for rule in directory.countries
    )
    after = replace(
        directory, countries=rules, casework=CaseworkLimits(hold_ms=14 * 24 * HOUR_MS, max_moves=3)
    )
    found = differences(equipment.directory, after)
    for sentence in (
        "casework: hold changes from 42 d to 14 d.",
        "casework: max_moves changes from 5 to 3.",
        "Netherlands has another rule: single, nl-offlimits 1 for forum.",
        "Netherlands: notice_rule changes from any to police_first.",
        "Netherlands: police_wait changes from 0 min to 4 h.",
        "Netherlands: deadlines changes from the default to acknowledge 90 min.",
        "nl-police has another feed from none to all_hosted.",
    ):
        assert sentence in found


def test_the_first_version_tells_all_keys(equipment: Equipment) -> None:
    """Whoever signs the first version sees every key id in it."""
    found = "\n".join(differences(None, equipment.directory))
    assert "is the first one" in found
    assert all(key_id in found for key_id in equipment.directory.keys_by_id)


def test_a_key_that_counts_again_is_told(equipment: Equipment) -> None:
    """Whoever has a stolen key would have its revocation or its end taken back, or its beginning moved."""
    directory = equipment.directory
    sign, seal = directory.member("nl-offlimits").keys
    ended = (replace(sign, revoked_at=AT), replace(seal, valid_until=AT))
    before = changed(directory, "nl-offlimits", keys=ended)
    after = changed(directory, "nl-offlimits", keys=(sign, replace(seal, valid_from=0)))
    found = differences(before, after)
    assert f"nl-offlimits has key {sign.id} revoked no more: what it signs is believed again." in found
    assert f"nl-offlimits has key {seal.id} without an end now, in place of 2025-10-09 08:53:20Z." in found
    assert any(f"{seal.id} from 1970-01-01 00:00:00Z on" in sentence for sentence in found)


def test_whoever_else_gets_the_network_key_is_told(equipment: Equipment) -> None:
    """A network key that is sealed to a key of no active member has a sentence, in every version."""
    directory = equipment.directory
    assert directory.network_keys is not None
    stranger = PrivateKey.new("seal").entry(0)
    sealed = seal_network_key(equipment.network_key, "test", 1, (*holders(directory, AT)[:3], stranger))
    after = replace(directory, version=2, network_keys=NetworkKeys(1, (sealed,)))
    for before in (directory, after, None):
        assert any(stranger.id in sentence for sentence in differences(before, after))


def test_what_a_new_member_may_do_is_told(equipment: Equipment) -> None:
    """Countries, mandates and escalations of a new member are named; so are all rules of a first version."""
    directory = equipment.directory
    new = replace(directory.members[0], id="xx-new", name="New", countries=("NL",), mandates=("orphans",))
    found = "\n".join(
        differences(directory, replace(directory, version=2, members=(*directory.members, new)))
    )
    assert "xx-new is new: New" in found
    assert "countries NL, mandates orphans" in found
    first = "\n".join(differences(None, directory))
    assert "Germany has this rule:" in first
    assert "unsigned or in the clear are refused" in first

import stat
from pathlib import Path

import msgspec
import pytest

from casework.directory import Directory
from casework.directory_checks import check
from casework.directory_signing import check_signatures
from casework.errors import EditRefusedError, SetupError
from casework.network_keys import network_binding, sealed_for
from connectors.sealing import open_sealed
from operations.directory.document import build
from operations.directory.equipping import Equipment, equip, keep
from operations.directory.network_keys import finished, new_keys, rotated, shared
from operations.key_files import create_ring, extend_ring, read_ring
from streams.directory_trust import load_anchor
from streams.key_rings import KeyRing, PrivateKey
from streams.secret_sources import SecretSourceError
from streams.settings import Settings

AT = 1_760_000_000_000


@pytest.fixture(scope="module")
def network() -> Directory:
    """The shipped network with everybody admitted: more members than one JWE has room for."""
    return build(environment="test", published_at=5, candidates="admit")


@pytest.fixture(scope="module")
def equipment(network: Directory) -> Equipment:
    """The same with keys."""
    return equip(network, at=AT, expires_at=AT * 2)


def opened(directory: Directory, ring: KeyRing, version: int) -> bytes | None:
    """Answer the network key that a ring opens, or None."""
    assert directory.network_keys is not None
    ids = [key.id for key in ring.keys]
    sealed = sealed_for(directory.network_keys, directory.environment, version, ids)
    bound = network_binding(directory.environment, version)
    return None if sealed is None else open_sealed(sealed, ring, bound)


def test_an_equipped_directory_obeys_every_rule_of_a_protected_one(equipment: Equipment) -> None:
    """Everybody has keys, the rules find nothing missing, and it is signed as its anchor demands."""
    directory = equipment.directory
    assert check(directory) == ()
    assert (directory.protection, directory.expires_at) == ("required", AT * 2)
    assert check_signatures(equipment.signed(), directory, equipment.anchor) == ()
    active = {m.id for m in directory.members if m.active}
    assert set(equipment.rings) == active
    uses = {m.id: [key.use for key in m.keys] for m in directory.members if m.active}
    assert uses.pop("inhope") == ["sign"]
    assert all(each == ["sign", "seal"] for each in uses.values())
    assert len(directory.keys_by_id) == 2 * len(uses) + 1 + 1


def test_every_member_opens_the_network_key_and_nobody_else(equipment: Equipment) -> None:
    """Whatever its part, all get the same 32 bytes; exchange, secretariat and strangers get none."""
    rings = {member: ring for member, ring in equipment.rings.items() if member != "inhope"}
    keys = {opened(equipment.directory, ring, 1) for ring in rings.values()}
    assert keys == {equipment.network_key.reveal()}
    for stranger in (equipment.exchange, equipment.rings["inhope"], KeyRing([PrivateKey.new("seal")])):
        assert opened(equipment.directory, stranger, 1) is None


def test_the_secretariat_is_given_no_network_key_even_with_a_key_to_seal(equipment: Equipment) -> None:
    """Who rules the directory cannot tell which address a case is about."""
    own = KeyRing([PrivateKey.new("seal")])
    members = tuple(
        msgspec.structs.replace(m, keys=(*m.keys, own.keys[0].entry(AT))) if m.id == "inhope" else m
        for m in equipment.directory.members
    )
    directory = msgspec.structs.replace(equipment.directory, members=members)
    changed = msgspec.structs.replace(directory, network_keys=new_keys(directory, AT))
    assert opened(changed, own, 1) is None


def test_a_network_key_changes_in_two_steps_and_leaves_out_who_left(equipment: Equipment) -> None:
    """While the change runs members hold both keys; who was suspended before it never holds the new one."""
    gone = "de-eco"
    members = tuple(
        msgspec.structs.replace(m, status="suspended", reason="left") if m.id == gone else m
        for m in equipment.directory.members
    )
    directory = msgspec.structs.replace(equipment.directory, members=members)
    assert directory.network_keys is not None
    both = rotated(directory.network_keys, directory, AT)
    changing = msgspec.structs.replace(directory, network_keys=both)
    assert (both.current, both.next, check(changing)) == (1, 2, ())
    ring = equipment.rings["nl-offlimits"]
    old, new = opened(changing, ring, 1), opened(changing, ring, 2)
    assert old == equipment.network_key.reveal()
    assert new is not None
    assert new != old
    assert opened(changing, equipment.rings[gone], 2) is None
    with pytest.raises(EditRefusedError, match="not_finished"):
        rotated(both, directory, AT)
    done = finished(both)
    after = msgspec.structs.replace(directory, network_keys=done)
    assert (done.current, done.next, check(after)) == (2, None, ())
    assert (opened(after, ring, 1), opened(after, ring, 2)) == (None, new)
    with pytest.raises(EditRefusedError, match="not_started"):
        finished(done)


def test_a_member_shares_the_network_key_with_those_who_lack_it(equipment: Equipment) -> None:
    """Who was admitted later gets the same key from a member; who cannot open it cannot share it."""
    late = KeyRing([PrivateKey.new("seal")])
    members = tuple(
        msgspec.structs.replace(m, keys=(*m.keys, late.keys[0].entry(AT))) if m.id == "gb-iwf" else m
        for m in equipment.directory.members
    )
    directory = msgspec.structs.replace(equipment.directory, members=members)
    assert directory.network_keys is not None
    assert opened(directory, late, 1) is None
    with pytest.raises(EditRefusedError, match="not_a_recipient"):
        shared(directory.network_keys, directory, late, AT)
    keys, added = shared(directory.network_keys, directory, equipment.rings["nl-offlimits"], AT)
    after = msgspec.structs.replace(directory, network_keys=keys)
    assert (added, opened(after, late, 1), check(after)) == (1, equipment.network_key.reveal(), ())
    assert shared(keys, directory, equipment.rings["nl-offlimits"], AT) == (keys, 0)


def test_a_network_without_sealing_keys_gets_no_network_key(network: Directory) -> None:
    """There is nobody to seal it to, and it is not made for nobody."""
    with pytest.raises(EditRefusedError, match="sealing key"):
        new_keys(network, AT)


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda text: text.replace("A256KW", "A128KW"), "wrong_algorithm"),
        (lambda _: "{}", "not_a_jwe"),
        (lambda _: None, "missing"),
    ],
)
def test_a_spoiled_network_key_is_refused_by_name(equipment: Equipment, spoil, rule: str) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    """A directory whose sealed key is not in our form must not take effect."""
    keys = equipment.directory.network_keys
    assert keys is not None
    text = spoil(keys.sealed[0].parts[0])
    parts = () if text is None else (text,)
    spoiled = msgspec.structs.replace(keys, sealed=(msgspec.structs.replace(keys.sealed[0], parts=parts),))
    found = check(msgspec.structs.replace(equipment.directory, network_keys=spoiled))
    assert rule in {violation.rule for violation in found}


def test_a_network_key_of_another_exchange_or_version_is_refused(equipment: Equipment) -> None:
    """A sealed key is bound to its environment and number; moved elsewhere it is foreign."""
    keys = equipment.directory.network_keys
    assert keys is not None
    moved = msgspec.structs.replace(keys.sealed[0], version=2)
    as_next = msgspec.structs.replace(keys, sealed=(*keys.sealed, moved))
    found = check(msgspec.structs.replace(equipment.directory, network_keys=as_next))
    assert {(v.field, v.rule) for v in found} == {("network_keys.sealed.2", "foreign")}


def test_rings_and_anchor_are_kept_so_that_settings_find_them(equipment: Equipment, tmp_path: Path) -> None:
    """A member's and the exchange's ring are read by the settings' address, and by nobody else."""
    settings = keep(equipment, Settings(), tmp_path)
    assert settings.directory_trust is not None
    assert load_anchor(settings.directory_trust) == equipment.anchor
    for name, ring in (("nl-offlimits", equipment.rings["nl-offlimits"]), ("exchange", equipment.exchange)):
        found = KeyRing.read(settings.keys.replace("{member}", name), "keys")
        assert [key.id for key in found.keys] == [key.id for key in ring.keys]
    assert {stat.S_IMODE(file.stat().st_mode) for file in (tmp_path / "keys").iterdir()} == {0o600}
    with pytest.raises(SetupError, match="not overwritten"):
        keep(equipment, Settings(), tmp_path)


def test_a_ring_only_ever_grows(tmp_path: Path) -> None:
    """It is not overwritten, no key is lost from it, and one that others may read is not touched."""
    path = tmp_path / "deep" / "ring.jwks"
    first = KeyRing([PrivateKey.new("sign")])
    create_ring(path, first)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    before = path.read_bytes()
    with pytest.raises(SetupError, match="not overwritten"):
        create_ring(path, KeyRing())
    with pytest.raises(SetupError, match="1 keys would be lost"):
        extend_ring(path, KeyRing([PrivateKey.new("sign")]))
    assert path.read_bytes() == before
    extend_ring(path, first.with_keys([PrivateKey.new("seal")]))
    assert len(read_ring(path, "ring").keys) == 2
    assert [file.name for file in path.parent.iterdir()] == ["ring.jwks"]
    path.chmod(0o640)
    with pytest.raises(SecretSourceError, match="chmod 600"):
        extend_ring(path, first)

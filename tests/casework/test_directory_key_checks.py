from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from signed_directories import PEOPLE, T

from casework.directory import Directory
from casework.directory_checks import check
from casework.directory_key_checks import MAX_KEYS, MAX_SIGNERS
from casework.directory_keys import Signers
from casework.public_keys import PublicKey
from operations.directory.document import build
from operations.directory.equipping import equip
from streams.key_rings import PrivateKey

replace = msgspec.structs.replace
EQUIPPED = equip(
    build(environment="test", published_at=5, candidates="admit"), at=T, expires_at=2 * T
).directory
NL = EQUIPPED.member("nl-offlimits")
SIGN, SEAL = NL.keys


def with_keys(*keys: PublicKey) -> Directory:
    """Answer the directory in which one member has these keys."""
    members = tuple(replace(m, keys=keys) if m.id == NL.id else m for m in EQUIPPED.members)
    return replace(EQUIPPED, members=members)


def with_signers(threshold: int, **keys: PublicKey) -> Directory:
    """Answer the directory with these signers."""
    return replace(EQUIPPED, signers=Signers(threshold, keys))


def in_production(**fields: Any) -> Directory:  # noqa: ANN401 - fields
    """Answer the directory for production, without assumptions; its network key is sealed for the test."""
    members = tuple(replace(member, assumed=()) for member in EQUIPPED.members)
    rules = tuple(replace(rule, assumed=()) for rule in EQUIPPED.countries)
    return replace(
        EQUIPPED, **{"environment": "production", "members": members, "countries": rules, **fields}
    )


ANNA = PEOPLE["anna"].entry(1)
KEYS = f"members.{NL.id}.keys"
BROKEN: dict[str, tuple[Callable[[], Directory], str, str]] = {
    "no key to seal": (lambda: with_keys(SIGN), KEYS, "missing"),
    "only a revoked key to sign": (lambda: with_keys(replace(SIGN, revoked_at=T), SEAL), KEYS, "missing"),
    "an id of another key": (
        lambda: with_keys(replace(SIGN, id=SEAL.id), SEAL), f"{KEYS}[0].id", "not_its_thumbprint",
    ),
    "a key twice": (lambda: with_keys(SIGN, SEAL, SEAL), f"{KEYS}[2].id", "duplicate"),
    "somebody else's key": (
        lambda: with_keys(SIGN, SEAL, EQUIPPED.exchange_keys[0]), "exchange_keys[0].id", "duplicate",
    ),
    "a signer with a member's key": (lambda: with_signers(1, anna=SIGN), "signers.keys.anna.id", "duplicate"),
    "a signer that seals": (
        lambda: with_signers(1, anna=PrivateKey.new("seal").entry(1)), "signers.keys.anna", "wrong_key_use",
    ),
    "a signer with an end": (
        lambda: with_signers(1, anna=replace(ANNA, valid_until=T)), "signers.keys.anna", "not_allowed",
    ),
    "one signer under two names": (
        lambda: with_signers(2, anna=ANNA, anne=ANNA), "signers.keys.anne.id", "duplicate",
    ),
    "a threshold of none": (lambda: with_signers(0, anna=ANNA), "signers.threshold", "out_of_range"),
    "a threshold never met": (lambda: with_signers(2, anna=ANNA), "signers.threshold", "out_of_range"),
    "a crowd of signers": (
        lambda: with_signers(1, **{f"a{n}": PrivateKey.new("sign").entry(1) for n in range(MAX_SIGNERS + 1)}),
        "signers.keys", "out_of_range",
    ),
    "a bunch of keys": (
        lambda: with_keys(SEAL, *(PrivateKey.new("sign").entry(1) for _ in range(MAX_KEYS))),
        KEYS, "too_many",
    ),
    "an exchange without a key": (lambda: replace(EQUIPPED, exchange_keys=()), "exchange_keys", "missing"),
    "an end before the beginning": (
        lambda: replace(EQUIPPED, expires_at=EQUIPPED.valid_from), "expires_at", "out_of_range",
    ),
    "production unprotected": (lambda: in_production(protection="optional"), "protection", "unprotected"),
    "production unsigned": (lambda: in_production(signers=None), "signers", "missing"),
    "production for ever": (lambda: in_production(expires_at=None), "expires_at", "missing"),
    "production without a sealed key": (lambda: in_production(network_keys=None), "network_keys", "missing"),
    "production with a test key": (in_production, "network_keys.sealed.1", "foreign"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_each_fault_about_keys_is_told_by_field_and_rule(name: str) -> None:
    """A directory with one fault is refused for that fault."""
    broken, field, rule = BROKEN[name]
    assert (field, rule) in {(violation.field, violation.rule) for violation in check(broken())}


def test_members_that_are_not_active_need_no_keys() -> None:
    """Who was suspended because its keys were stolen stays listed, with the revoked ones."""
    members = tuple(
        replace(m, status="suspended", reason="keys stolen", keys=(replace(SIGN, revoked_at=T),))
        if m.id == NL.id
        else m
        for m in EQUIPPED.members
    )
    assert check(replace(EQUIPPED, members=members)) == ()

"""Somebody changes evidence and makes all else anew: found by part and rule."""

import hashlib
from collections.abc import Callable
from typing import Any

import evidence_world
import msgspec
import pytest
from evidence_world import MAKER, World

from casework.directory_keys import Signers
from casework.dsse import signed_statement
from casework.ids import derived_id
from operations.directory.equipping import equip
from operations.evidence.checking import check
from operations.evidence.directories import Versions
from operations.evidence.material import Material
from operations.evidence.verdicts import NOT_PROVEN
from streams import wire
from streams.key_rings import PrivateKey, Signer

pytestmark = pytest.mark.slow

world = evidence_world.world


def _other_anchor(_: World) -> Signers:
    key = PrivateKey.new("sign")
    return Signers(1, {"somebody": key.entry(0)})


def test_another_anchor_is_refused(world: World) -> None:
    """A chain that does not begin with the signers whom the verifier trusts fails at its first directory."""
    assert world.failures(world.bundle, _other_anchor(world)) == {("directory 1", "too_few_signatures")}


def test_a_whole_forged_network_fails_at_the_anchor(world: World) -> None:
    """Somebody who makes own keys for everybody is consistent in itself and fails only at the anchor."""
    forged = equip(world.paper.equipment.directory, at=0)
    versions = Versions.of([forged.signed()])
    index, fact = world.fact(1)
    signer = forged.rings["gb-iwf"].signer(forged.directory, "gb-iwf", world.paper.now)
    signature = signer.sign(signed_statement("report", fact.statement or b""))
    material = world.with_fact(1, signature=signature, key_id=signer.key_id)
    bundle = world.unsigned(msgspec.structs.replace(material, versions=versions, messages=()))
    assert index == 0
    assert ("directory 1", "too_few_signatures") in world.failures(bundle)
    assert f"statement {world.first}" not in {part for part, _ in world.failures(bundle)}


def _altered_statement(world: World) -> Material:
    _, fact = world.fact(1)
    statement = wire.decode(fact.statement or b"")
    changed = wire.encode(msgspec.structs.replace(statement, reference="r-2"))
    return world.with_fact(1, statement=changed, input_digest=hashlib.sha256(changed).digest())


def _foreign_key(world: World) -> Material:
    _, fact = world.fact(1)
    signer = world.paper.signer("de-eco")
    signature = signer.sign(signed_statement("report", fact.statement or b""))
    return world.with_fact(1, signature=signature, key_id=signer.key_id)


def _unknown_key(world: World) -> Material:
    _, fact = world.fact(1)
    key = PrivateKey.new("sign")
    signature = Signer(key).sign(signed_statement("report", fact.statement or b""))
    return world.with_fact(1, signature=signature, key_id=key.id)


def _stripped(world: World) -> Material:
    return world.with_fact(1, signature=None, key_id=None)


def _other_type(world: World) -> Material:
    _, fact = world.fact(1)
    signer = world.paper.signer("gb-iwf")
    return world.with_fact(1, signature=signer.sign(signed_statement("action", fact.statement or b"")))


def _swapped(world: World) -> Material:
    contents = world.material().contents
    return world.material(contents={world.first: contents[world.second], world.second: contents[world.first]})


def _later(world: World) -> Material:
    return world.with_fact(1, submitted_at=world.fact(1)[1].submitted_at + 8 * 24 * 3_600_000)


def _earlier_than_its_key(world: World) -> Material:
    return world.with_fact(1, submitted_at=world.fact(1)[1].submitted_at - 3_600_000)


def _removed_fact(world: World) -> Material:
    facts = world.material().facts
    return world.material(facts=(*facts[:2], *facts[3:]))


def _renamed(world: World) -> Material:
    return world.with_fact(2, fact="orphaned")


def _other_case(world: World) -> Material:
    return world.with_fact(2, case_id="0" * 36)


def _disagrees(world: World) -> Material:
    return world.with_fact(1, by="de-eco")


def _put_into_a_mouth(world: World) -> Material:
    return world.with_fact(3, statement=None, signature=None, key_id=None, input_id=world.paper.new_id())


def _said_otherwise(world: World, number: int, **changes: Any) -> Material:  # noqa: ANN401 - fields
    """Answer the material in which a fact, with its true statement, says something else."""
    _, fact = world.fact(number)
    kind = changes.get("fact", fact.fact)
    made = derived_id(fact.input_id, f"fact.{kind}.{number}", fact.case_id)
    return world.with_fact(number, fact_id=made, **changes)


def _another_action(world: World) -> Material:
    return _said_otherwise(world, 11, fact="not_illegal", reason_code="adult")


def _another_judgement(world: World) -> Material:
    return _said_otherwise(world, 4, fact="assessed", classification="baseline", law_country="NL")


def _another_reporter(world: World) -> Material:
    return _said_otherwise(world, 3, origin=MAKER)


def _without_its_statement(world: World) -> Material:
    return _said_otherwise(world, 11, fact="not_illegal", statement=None, signature=None, key_id=None)


def _by_a_rule(world: World) -> Material:
    return _said_otherwise(world, 11, by="exchange", statement=None, signature=None, key_id=None)


def _reordered(world: World) -> Material:
    facts = world.material().facts
    return world.material(facts=(facts[1], facts[0], *facts[2:]))


def _message_of_another_inbox(world: World) -> Material:
    first, *rest = world.material().messages
    return world.material(messages=(msgspec.structs.replace(first, topic="inbox.gb-iwf"), *rest))


def _message_altered(world: World) -> Material:
    first, *rest = world.material().messages
    message = wire.decode(first.value)
    changed = wire.encode(msgspec.structs.replace(message, is_repeat=True))  # type: ignore[type-var] # a delivery
    return world.material(messages=(msgspec.structs.replace(first, value=changed), *rest))


def _directory_left_out(world: World) -> Material:
    return world.material(versions=Versions.of([]))


@pytest.mark.parametrize(
    ("change", "part", "rule"),
    [
        (_altered_statement, "statement {first}", "signature_mismatch"),
        (_foreign_key, "statement {first}", "foreign_key"),
        (_unknown_key, "statement {first}", "unknown_key"),
        (_stripped, "statement {first}", "signature_missing"),
        (_other_type, "statement {first}", "signature_mismatch"),
        (_swapped, "content {first}", "digest_mismatch"),
        (_later, "statement {first}", "replay_window"),
        (_earlier_than_its_key, "statement {first}", "key_not_yet_valid"),
        (_removed_fact, "facts.json", "gap"),
        (_renamed, "fact 2", "wrong_id"),
        (_other_case, "fact 2", "foreign_fact"),
        (_disagrees, "fact 1 by", "disagrees"),
        (_reordered, "facts.json", "gap"),
        (_put_into_a_mouth, "fact 3", "no_statement"),
        (_another_action, "fact 11 fact", "disagrees"),
        (_another_judgement, "fact 4 fact", "disagrees"),
        (_another_reporter, "fact 3 origin", "disagrees"),
        (_without_its_statement, "fact 11", "no_statement"),
        (_by_a_rule, "fact 11", "no_statement"),
        (_message_of_another_inbox, "message inbox.gb-iwf/0/0", "wrong_topic"),
        (_message_of_another_inbox, "message inbox.gb-iwf/0/0", "signature_mismatch"),
        (_message_altered, "message inbox.nl-offlimits/0/0", "signature_mismatch"),
    ],
)
def test_a_change_to_the_evidence_is_found_though_all_else_was_made_again(
    world: World, change: Callable[[World], Material], part: str, rule: str
) -> None:
    """Whoever changes evidence and makes manifest, timeline and all lists anew is found by part and rule."""
    failures = world.failures(world.unsigned(change(world)))
    assert (part.format(first=world.first), rule) in failures


def test_a_bundle_without_its_directory_proves_nothing_and_says_so(world: World) -> None:
    """A directory that is gone is named, and no statement counts as proven without it."""
    found = check(world.unsigned(_directory_left_out(world)), world.anchor)
    named = {(one.part, one.rule) for one in found if one.verdict == NOT_PROVEN}
    assert {("directory 1", "missing"), (f"statement {world.first}", "no_directory")} <= named
    assert not {one.part for one in found if one.rule == "signed"}


def test_a_key_that_was_revoked_since_is_believed_before_and_not_after(world: World) -> None:
    """A later directory says from when on a key is not believed: what it signed before that stays proven."""
    directory = world.paper.equipment.directory
    _, fact = world.fact(1)
    for after_ms, fails in ((0, True), (1, False)):
        member = directory.member("gb-iwf")
        revoked = fact.submitted_at + after_ms
        old = tuple(msgspec.structs.replace(key, revoked_at=revoked) for key in member.keys)
        keys = (*old, PrivateKey.new("sign").entry(0), PrivateKey.new("seal").entry(0))
        members = tuple(
            msgspec.structs.replace(one, keys=keys) if one.id == member.id else one
            for one in directory.members
        )
        later = msgspec.structs.replace(
            directory, version=2, members=members, valid_from=fact.submitted_at + 9
        )
        equipment = world.paper.equipment
        versions = Versions.of([equipment.signed(), equipment.signed(later)])
        failures = world.failures(world.build(world.material(versions=versions)))
        assert ((f"statement {world.first}", "key_revoked") in failures) == fails

import base64
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope
from signed_directories import ANCHOR, PEOPLE, role, signed
from signed_directories import version as any_version

from casework.directory import Directory, to_bytes
from casework.directory_keys import Signers
from casework.directory_signing import (
    check_signatures,
    read_anchor,
    sign,
    signed_by,
    signed_message,
)
from casework.dsse import DIRECTORY
from casework.errors import DirectoryRefusedError
from casework.messages import DirectoryDocument, DirectorySignature
from streams.directory_versions import document_of
from streams.key_rings import Signer

replace = msgspec.structs.replace
SIGNERS = {name: Signer(key) for name, key in PEOPLE.items()}
TWO_OF_THREE = ANCHOR


def version(number: int = 1, signers: Signers | None = TWO_OF_THREE) -> Directory:
    """Answer a directory version that names these signers."""
    return any_version(number, signers=signers)


def rules(document: DirectoryDocument, directory: Directory, trusted: Signers | None) -> list[str]:
    """Answer the rules that are broken."""
    return [violation.rule for violation in check_signatures(document, directory, trusted)]


def with_signatures(document: DirectoryDocument, given: Iterable[DirectorySignature]) -> DirectoryDocument:
    """Answer the envelope with other signatures."""
    return replace(document, signatures=tuple(given))


ENOUGH = {("anna", "bert"), ("bert", "carla"), ("anna", "carla"), ("anna", "bert", "carla")}


@pytest.mark.parametrize("names", [*ENOUGH, (), ("anna",), ("dora",), ("anna", "dora")])
def test_two_of_three_must_sign_and_no_stranger_counts(names: tuple[str, ...]) -> None:
    """Each pair is enough, one is not, and a signature of somebody else adds nothing."""
    found = rules(signed(version(), *names), version(), TWO_OF_THREE)
    assert found == ([] if names in ENOUGH else ["too_few_signatures"] * 2)


def test_a_signature_given_twice_counts_once() -> None:
    """Neither the same signature twice nor one key under two names makes two signers."""
    document = signed(version(), "anna")
    twice = with_signatures(document, document.signatures * 2)
    assert signed_by(twice, TWO_OF_THREE) == ("anna",)
    same_key = Signers(2, {"anna": PEOPLE["anna"].entry(1), "anne": PEOPLE["anna"].entry(1)})
    assert len(signed_by(twice, same_key)) == 1
    assert rules(twice, version(), TWO_OF_THREE) == ["too_few_signatures"] * 2


def test_signing_again_replaces_and_others_are_kept() -> None:
    """People sign one after the other; who signs twice has one signature in the end."""
    document = sign(signed(version(), "anna", "bert"), [SIGNERS["anna"]])
    assert [one.key_id for one in document.signatures] == [PEOPLE["bert"].id, PEOPLE["anna"].id]
    assert signed_by(document, TWO_OF_THREE) == ("anna", "bert")


def test_a_forged_signature_beside_the_right_one_does_no_harm() -> None:
    """Rubbish under a key id, added by whoever can write to the file, makes no signed version unsigned."""
    document = signed(version(), "anna", "bert")
    forged = DirectorySignature(key_id=PEOPLE["anna"].id, signature=bytes(64))
    assert rules(with_signatures(document, (forged, *document.signatures)), version(), TWO_OF_THREE) == []


@given(st.data())
def test_no_bit_of_the_document_can_be_changed(data: st.DataObject) -> None:
    """Whatever bit of the document is turned, the signatures are over other bytes."""
    document = signed(version(), "anna", "bert")
    at = data.draw(st.integers(0, 8 * len(document.document) - 1))
    changed = bytearray(document.document)
    changed[at // 8] ^= 1 << at % 8
    assert signed_by(replace(document, document=bytes(changed)), TWO_OF_THREE) == ()


@given(at=st.integers(0, 64 * 8 - 1))
def test_no_bit_of_a_signature_can_be_changed(at: int) -> None:
    """A signature is right or wrong; there is no second form of it."""
    document = signed(version(), "anna", "bert")
    first, second = document.signatures
    raw = bytearray(first.signature)
    raw[at // 8] ^= 1 << at % 8
    changed = with_signatures(document, (replace(first, signature=bytes(raw)), second))
    assert signed_by(changed, TWO_OF_THREE) == ("bert",)


@given(names=st.sets(st.sampled_from(sorted(PEOPLE))), threshold=st.integers(1, 4), data=st.data())
def test_a_version_is_trusted_exactly_when_both_thresholds_are_met(
    names: set[str], threshold: int, data: st.DataObject
) -> None:
    """Its own signers and those trusted before are counted apart; foreign signatures count for nobody."""
    own = data.draw(st.sets(st.sampled_from(sorted(PEOPLE)), min_size=1))
    before = data.draw(st.sets(st.sampled_from(sorted(PEOPLE)), min_size=1))
    directory = version(2, role(threshold, *own))
    found = rules(signed(directory, *names), directory, role(1, *before))
    wanted = [not names & before, len(names & own) < threshold]
    assert found == ["too_few_signatures"] * sum(wanted)


def test_signers_change_only_with_the_consent_of_the_old_ones_and_proof_of_the_new() -> None:
    """The rotation of a TUF root: the new set alone, or the old set alone, changes nothing."""
    handed_over = version(2, role(2, "carla", "dora"))
    assert rules(signed(handed_over, "carla", "dora"), handed_over, TWO_OF_THREE) == ["too_few_signatures"]
    assert rules(signed(handed_over, "anna", "bert"), handed_over, TWO_OF_THREE) == ["too_few_signatures"]
    assert rules(signed(handed_over, "anna", "carla", "dora"), handed_over, TWO_OF_THREE) == []


def test_a_signed_directory_is_never_followed_by_an_unsigned_one() -> None:
    """Leaving the signers out is no way around them; without anybody trusted before it is allowed."""
    bare = version(2, None)
    assert rules(document_of(bare), bare, TWO_OF_THREE) == ["missing"]
    assert rules(document_of(bare), bare, None) == []
    assert rules(document_of(version()), version(), None) == ["too_few_signatures"]


@pytest.mark.parametrize(
    ("field", "value"),
    [("version", 3), ("environment", "demo"), ("published_at", 9), ("valid_from", 9), ("expires_at", 9)],
)
def test_the_envelope_says_what_the_document_says(field: str, value: object) -> None:
    """The envelope is not signed, so nothing may be read from it that the document does not say."""
    document = replace(signed(version(), "anna", "bert"), **{field: value})
    assert rules(document, version(), TWO_OF_THREE) == ["disagrees"]


def test_signatures_without_end_are_not_even_looked_at() -> None:
    """A record full of signatures is refused before the first of them is checked."""
    document = signed(version(), "anna", "bert")
    many = with_signatures(document, document.signatures * 33)
    assert rules(many, version(), TWO_OF_THREE) == ["too_many"]


def test_another_dsse_library_checks_our_signatures() -> None:
    """What is signed is the encoding of the DSSE specification: the library of TUF makes the same bytes."""
    document = to_bytes(version())
    envelope = Envelope.from_dict(
        {"payload": base64.b64encode(document).decode(), "payloadType": DIRECTORY, "signatures": []}
    )
    assert envelope.pae() == signed_message(document)


def test_an_anchor_is_read_only_when_its_keys_are_sound() -> None:
    """A threshold beyond the keys, the same key twice, a wrong id or other bytes are refused by name."""
    good = msgspec.json.encode(TWO_OF_THREE)
    assert read_anchor(good) == TWO_OF_THREE
    doubled = Signers(2, {"anna": PEOPLE["anna"].entry(1), "anne": PEOPLE["anna"].entry(1)})
    for bad in (
        b"{}", b"[" * 10_000, good.replace(b'"threshold":2', b'"threshold":0'),
        good.replace(b'"threshold":2', b'"threshold":4'), msgspec.json.encode(doubled),
        good.replace(PEOPLE["anna"].id.encode(), PEOPLE["dora"].id.encode()),
    ):  # fmt: skip
        with pytest.raises(DirectoryRefusedError, match="anchor"):
            read_anchor(bad)

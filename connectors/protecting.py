"""For whom a submission is sealed and by which key it is signed, by the directory and the member's ring.

Where the directory requires protection, or the member has a ring, nothing leaves unsigned or in the clear.
The sender is always among the readers, because it has to re-wrap content for others until the case closes.
"""

from collections.abc import Iterable
from typing import Final

from casework import dsse
from casework.content_readers import readers_of, sealing_key
from casework.directory import Directory
from casework.errors import RuleViolation, UnknownCountryError, UnknownMemberError
from casework.public_keys import PublicKey
from connectors.errors import DraftRefusedError, SealError
from streams.key_rings import KeyRing, KeyRingError, Signer

SEALED: Final = "jwe"
CLEAR: Final = "none"


def ring_for(directory: Directory, ring: KeyRing | None) -> KeyRing | None:
    """Answer the ring that signs and seals; None where submissions travel unsigned and in the clear.

    Raises:
        SealError: The directory requires protection and there is no ring.
    """
    if ring is None and directory.protection == "required":
        raise SealError(
            "the directory requires signed and sealed submissions: name the member's key ring (HX_KEYS)"
        )
    return ring


def signer_of(directory: Directory, ring: KeyRing, member: str, at: int) -> Signer:
    """Answer what a member signs with now; `at` is real time, in milliseconds since the epoch, UTC.

    Raises:
        SealError: The directory lists no key of the ring for it that counts now.
    """
    try:
        return ring.signer(directory, member, at)
    except KeyRingError as error:
        raise SealError(str(error)) from error


def sign(signer: Signer, kind: str, statement: bytes) -> bytes:
    """Answer the signature of a statement as a `report` or an `action`."""
    return signer.sign(dsse.signed_statement(kind, statement))


def own_key(directory: Directory, ring: KeyRing, member: str, at: int) -> PublicKey:
    """Answer the newest sealing key of a member that the directory lists, counts now and is in the ring.

    Raises:
        SealError: There is none: what is sealed now could not be opened again by its own sender.
    """
    found = [
        key
        for key in directory.member(member).keys
        if key.use == "seal" and key.is_valid_at(at) and ring.key(key.id) is not None
    ]
    if not found:
        raise SealError(
            f"no key of the ring may be sealed to for {member} now by directory version {directory.version}"
        )
    return max(found, key=lambda key: (key.valid_from, key.id))


def reader_keys(  # noqa: PLR0913 - who, for where, with what, when
    directory: Directory,
    ring: KeyRing,
    member: str,
    *,
    countries: Iterable[str],
    extra: Iterable[str],
    at: int,
    parties: Iterable[str] = (),
) -> tuple[PublicKey, ...]:
    """Answer the keys that content is sealed to: the sender's own first, then its readers' by member id.

    A reader by rule without a key is left out: a liaison that takes no part yet must not stop a report.

    Args:
        directory: The version in use.
        ring: The sender's ring.
        member: Member id of the sender.
        countries: Hosting countries, as the sender wrote them.
        extra: Member ids of further readers, as the draft names them.
        at: Real time; milliseconds since the epoch, UTC.
        parties: Member ids of parties of the case; who has no key or may not receive is left out.

    Raises:
        SealError: The sender itself has no key that counts now.
        DraftRefusedError: A further reader is unknown, has no key or may not receive from the sender's
            countries, or nobody but the sender could read it.
    """
    own = own_key(directory, ring, member, at)
    by_rule: set[str] = set()
    is_own_country = False
    for country in countries:
        try:
            by_rule.update(readers_of(directory, country, member))
            hotlines = directory.country(country).hotlines
        except UnknownCountryError:
            # The rules refuse the draft for it, with all else that is wrong.
            is_own_country = True
            continue
        is_own_country = is_own_country or any(share.member == member for share in hotlines)
    by_rule.discard(member)
    keys = [key for reader in sorted(by_rule) if (key := _key_of(directory, reader, at)) is not None]
    if by_rule and not keys and not is_own_country:
        names = ", ".join(sorted(by_rule))
        text = f"a reader with a sealing key that counts now; none of these has one: {names}"
        raise DraftRefusedError([RuleViolation("hosting_country", "no_reader", text)])
    for index, reader in enumerate(extra):
        key = _key_of(directory, reader, at)
        if key is None:
            text = f"a member with a sealing key that counts now, by directory version {directory.version}"
            raise DraftRefusedError([RuleViolation(f"readers[{index}]", "no_sealing_key", text)])
        if not directory.may_receive(directory.member(reader), member):
            text = f"a member that may receive from the countries of {member}, by the directory"
            raise DraftRefusedError([RuleViolation(f"readers[{index}]", "may_not_receive", text)])
        keys.append(key)
    for party in parties:
        if party == member:
            continue
        key = _key_of(directory, party, at)
        if key is not None and directory.may_receive(directory.member(party), member):
            keys.append(key)
    return tuple({key.id: key for key in (own, *keys)}.values())


def _key_of(directory: Directory, member: str, at: int) -> PublicKey | None:
    try:
        return sealing_key(directory, member, at)
    except UnknownMemberError:
        return None

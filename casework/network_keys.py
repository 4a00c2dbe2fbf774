"""Where a member finds the key of the url keys: sealed to it in the directory, in one of a few parts.

A JWE has at most `sealed_content.MAX_RECIPIENTS` recipients, and a network has more members than that, so a
key is sealed in several parts that hold the same key. Nothing is opened here.
"""

import json
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from casework.directory import Directory
from casework.directory_keys import NetworkKeys
from casework.errors import BadInputError, RuleViolation
from casework.public_keys import KEY_BYTES, PublicKey
from casework.sealed_content import MAX_RECIPIENTS, SealedContent, parse

NETWORK_KEY_BYTES: Final = KEY_BYTES


def network_binding(environment: str, version: int) -> bytes:
    """Answer what ties a sealed key to its use: JSON of these three, in this order, without spaces."""
    return json.dumps(["network-key", environment, version], separators=(",", ":")).encode()


def holders(directory: Directory, at: int) -> tuple[PublicKey, ...]:
    """Answer every sealing key of the active members that is valid at a moment of real time.

    Never the secretariat's: who rules the directory must not be able to tell which address a case is about.
    """
    return tuple(
        key
        for member in directory.members
        if member.active and member.kind != "secretariat"
        for key in member.keys
        if key.use == "seal" and key.is_valid_at(at)
    )


def parts(keys: Sequence[PublicKey]) -> Iterator[Sequence[PublicKey]]:
    """Yield the keys in groups that one JWE can be sealed for."""
    for start in range(0, len(keys), MAX_RECIPIENTS):
        yield keys[start : start + MAX_RECIPIENTS]


def sealed_for(
    keys: NetworkKeys, environment: str, version: int, key_ids: Collection[str]
) -> SealedContent | None:
    """Answer the part of a key's version that one of these sealing keys opens, or None.

    Raises:
        BadInputError: The part is not in our form, or was sealed for something else.
    """
    for text in keys.parts_of(version):
        sealed = parse(text.encode())
        if any(key_id in key_ids for key_id in sealed.key_ids):
            if not sealed.is_bound_to(network_binding(environment, version)):
                raise BadInputError(
                    RuleViolation(
                        f"network_keys.sealed.{version}", "foreign", "a network key of this exchange"
                    )
                )
            return sealed
    return None

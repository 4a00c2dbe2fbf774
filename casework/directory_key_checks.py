"""Whether keys in a directory document may be trusted: sound points, own ids, one holder, enough signers."""

from collections.abc import Iterable, Iterator
from typing import Final

from casework.directory import Directory
from casework.directory_keys import SealedNetworkKey
from casework.errors import BadInputError, RuleViolation
from casework.network_keys import network_binding
from casework.public_keys import PublicKey, check_key
from casework.sealed_content import parse
from casework.url_keys import MAX_VERSION

MAX_KEYS: Final = 8
"""Of one member: two of each use overlap while they are changed, and revoked ones stay for years."""
MAX_SIGNERS: Final = 16


def check_keys(directory: Directory) -> Iterator[RuleViolation]:
    """Yield every rule that keys, signers and network keys of a document break."""
    owners: dict[str, str] = {}
    for path, keys in _groups(directory):
        for index, key in enumerate(keys):
            yield from _one(f"{path}[{index}]", key, owners)
        if len(keys) > MAX_KEYS:
            yield RuleViolation(path, "too_many", f"at most {MAX_KEYS} keys")
    yield from _signers(directory, owners)
    yield from _network_keys(directory)
    if directory.expires_at is not None and directory.expires_at <= directory.valid_from:
        yield RuleViolation("expires_at", "out_of_range", "after valid_from")


def check_complete(directory: Directory) -> Iterator[RuleViolation]:
    """Yield what a document still lacks before it may be published; people make it one after the other."""
    if directory.protection == "required":
        yield from _needed(directory)
    if directory.environment != "production":
        return
    if directory.protection != "required":
        yield RuleViolation("protection", "unprotected", "production requires signed and sealed submissions")
    if directory.signers is None:
        yield RuleViolation("signers", "missing", "production takes signed directories only")
    if directory.network_keys is None:
        yield RuleViolation("network_keys", "missing", "production seals the network key to its members")
    if directory.expires_at is None:
        yield RuleViolation("expires_at", "missing", "production takes no directory that never expires")


def _groups(directory: Directory) -> Iterable[tuple[str, tuple[PublicKey, ...]]]:
    yield from ((f"members.{member.id}.keys", member.keys) for member in directory.members)
    yield "exchange_keys", directory.exchange_keys


def _one(path: str, key: PublicKey, owners: dict[str, str]) -> Iterator[RuleViolation]:
    violation = check_key(path, key)
    if violation is not None:
        yield violation
    if owners.setdefault(key.id, path) != path:
        yield RuleViolation(f"{path}.id", "duplicate", "a key has one holder and stands once")


def _signers(directory: Directory, owners: dict[str, str]) -> Iterator[RuleViolation]:
    signers = directory.signers
    if signers is None:
        return
    if not 1 <= len(signers.keys) <= MAX_SIGNERS:
        yield RuleViolation("signers.keys", "out_of_range", f"1 to {MAX_SIGNERS} named keys")
    if not 1 <= signers.threshold <= len(signers.keys):
        yield RuleViolation("signers.threshold", "out_of_range", "1 to the number of keys")
    for name, key in signers.keys.items():
        path = f"signers.keys.{name}"
        yield from _one(path, key, owners)
        if key.use != "sign":
            yield RuleViolation(path, "wrong_key_use", "signers need signing keys")
        if key.valid_until is not None or key.revoked_at is not None:
            yield RuleViolation(path, "not_allowed", "a signer has no end: the next version leaves it out")


def _network_keys(directory: Directory) -> Iterator[RuleViolation]:
    keys = directory.network_keys
    if keys is None:
        return
    if not 1 <= keys.current <= MAX_VERSION:
        yield RuleViolation("network_keys.current", "out_of_range", f"1 to {MAX_VERSION}")
    if not keys.parts_of(keys.current):
        yield RuleViolation("network_keys.sealed", "missing", "must hold the key in use")
    if len({key.version for key in keys.sealed}) < len(keys.sealed):
        yield RuleViolation("network_keys.sealed", "duplicate", "each version stands once")
    for key in keys.sealed:
        path = f"network_keys.sealed.{key.version}"
        if key.version not in {keys.current, keys.current + 1}:
            yield RuleViolation(path, "unknown_version", "the key in use or the next")
        yield from _parts(path, directory.environment, key)


def _parts(path: str, environment: str, key: SealedNetworkKey) -> Iterator[RuleViolation]:
    if not key.parts:
        yield RuleViolation(path, "missing", "the key sealed for somebody")
    for part in key.parts:
        try:
            sealed = parse(part.encode())
        except BadInputError as error:
            yield RuleViolation(path, error.violations[0].rule, "sealed content as for reports")
        else:
            if not sealed.is_bound_to(network_binding(environment, key.version)):
                yield RuleViolation(path, "foreign", "sealed as this version for this environment")


def _needed(directory: Directory) -> Iterator[RuleViolation]:
    """Yield what is missing where signatures and sealing are required."""
    if not any(key.use == "sign" for key in directory.exchange_keys):
        yield RuleViolation("exchange_keys", "missing", "the exchange signs what it sends")
    for member in directory.members:
        # The secretariat signs directories, with keys of its own.
        if not member.active or member.kind == "secretariat":
            continue
        uses = {key.use for key in member.keys if key.revoked_at is None}
        for use in ("sign", "seal"):
            if use not in uses:
                yield RuleViolation(
                    f"members.{member.id}.keys", "missing", f"an active member has a key to {use}"
                )

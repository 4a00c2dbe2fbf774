"""Reading and changing rights and passwords on a cluster, over a connection of the super user.

The brokers' authorizer judges every request anew: a right that is gone is gone for the next request of an
open connection. A deleted password ends no open connection, which is why rights are taken away first.
"""

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, Final, TypeVar

from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    KafkaAdminClient,
    ResourcePattern,
    ResourcePatternFilter,
    ResourceType,
    ScramMechanism,
    UserScramCredentialDeletion,
    UserScramCredentialUpsertion,
)
from kafka.errors import KafkaError, NoError, SecurityDisabledError

from casework.errors import SetupError, TemporaryError
from streams.access_plan import Access
from streams.access_rights import Right
from streams.secret_sources import Secret

# A broker takes 10,000 changes at once; a request with fewer is answered sooner.
_AT_ONCE: Final = 1000
# Twice the least that RFC 7677 section 4 asks for; the passwords are random and long.
_ITERATIONS: Final = 8192
_VISIBLE_WITHIN_S: Final = 10.0
_POLL_S: Final = 0.05
_MECHANISM: Final = ScramMechanism.SCRAM_SHA_512
_EVERYTHING: Final = ACLFilter(
    None,
    None,
    ACLOperation.ANY,
    ACLPermissionType.ANY,
    ResourcePatternFilter(ResourceType.ANY, None, ACLResourcePatternType.ANY),
)

_T = TypeVar("_T")


class NoAccessControlError(SetupError):
    """The brokers check no rights: they run without an authorizer."""


def read_access(admin: KafkaAdminClient) -> Access:
    """Return all rights and all users with a password (SCRAM-SHA-512) of a cluster.

    Raises:
        NoAccessControlError: the brokers have no authorizer.
        TemporaryError: they did not answer, or not us.
    """
    try:
        found, _ = admin.describe_acls(_EVERYTHING)
        users = admin.describe_user_scram_credentials()
    except SecurityDisabledError as error:
        raise NoAccessControlError("the brokers check no rights: they run without an authorizer") from error
    except (KafkaError, OSError) as error:
        raise TemporaryError(f"rights and users could not be read: {type(error).__name__}") from error
    return Access(
        rights=frozenset(map(_right_of, found)),
        users=frozenset(
            name
            for name, told in users.items()
            if any(info["mechanism"] == _MECHANISM for info in told["credential_infos"])
        ),
    )


def revoke(admin: KafkaAdminClient, surplus: Collection[Right]) -> None:
    """Delete rights and return when a broker no longer shows them.

    Raises:
        TemporaryError: they were not deleted; repeating is harmless.
    """
    if not surplus:
        return
    for some in _parts(sorted(surplus)):
        with_answers = _asked(admin.delete_acls, [_filter_of(right) for right in some])
        for (_, _, error), right in zip(with_answers, some, strict=True):
            if error is not NoError:
                raise TemporaryError(f"not taken away: {right}: {error.__name__}")
    _wait(admin, lambda found: not found.rights & frozenset(surplus))


def grant(admin: KafkaAdminClient, missing: Collection[Right]) -> None:
    """Create rights and return when a broker shows them.

    Raises:
        TemporaryError: they were not created; repeating is harmless.
    """
    if not missing:
        return
    for some in _parts(sorted(missing)):
        failed = _asked(admin.create_acls, [_acl_of(right) for right in some])["failed"]
        if failed:
            raise TemporaryError(f"{len(failed)} rights were not given: {failed[0].__name__}")
    _wait(admin, lambda found: found.rights >= frozenset(missing))


def set_passwords(admin: KafkaAdminClient, passwords: Mapping[str, Secret]) -> None:
    """Give users a password; whoever had one has this from then on.

    Raises:
        TemporaryError: it was not set; repeating is harmless.
    """
    if not passwords:
        return
    wanted = [
        UserScramCredentialUpsertion(user, _MECHANISM, secret.reveal(), iterations=_ITERATIONS)
        for user, secret in sorted(passwords.items())
    ]
    _alter(admin, wanted)
    _wait(admin, lambda found: found.users >= passwords.keys())


def delete_passwords(admin: KafkaAdminClient, users: Collection[str]) -> None:
    """Delete users' passwords: nobody connects as them from then on; connections that are open stay.

    Raises:
        TemporaryError: they were not deleted; repeating is harmless.
    """
    if not users:
        return
    _alter(admin, [UserScramCredentialDeletion(user, _MECHANISM) for user in sorted(users)])
    _wait(admin, lambda found: found.users.isdisjoint(users))


def _alter(admin: KafkaAdminClient, changes: Sequence[object]) -> None:
    for user, problem in _asked(admin.alter_user_scram_credentials, changes).items():
        if problem is not None:
            raise TemporaryError(f"the password of {user} was not changed: {problem}")


def _asked(call: Callable[..., Any], argument: object) -> Any:  # noqa: ANN401 - kafka-python is untyped
    try:
        return call(argument)
    except (KafkaError, OSError) as error:
        raise TemporaryError(f"the brokers did not do it, repeat it: {type(error).__name__}") from error


def _wait(admin: KafkaAdminClient, holds: Callable[[Access], bool]) -> None:
    """Return when the broker that is asked has followed the controller, at the latest after 10 s."""
    until = time.monotonic() + _VISIBLE_WITHIN_S
    while not holds(read_access(admin)) and time.monotonic() < until:
        time.sleep(_POLL_S)


def _parts(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    return (items[start : start + _AT_ONCE] for start in range(0, len(items), _AT_ONCE))


def _right_of(acl: ACL) -> Right:
    pattern = acl.resource_pattern
    return Right(
        principal=acl.principal,
        resource=pattern.resource_type.name.lower(),
        name=pattern.resource_name,
        operation=acl.operation.name.lower(),
        pattern=pattern.pattern_type.name.lower(),
        permission=acl.permission_type.name.lower(),
        host=acl.host,
    )


def _fields_of(right: Right) -> tuple[Any, ...]:
    return (
        right.principal,
        right.host,
        ACLOperation[right.operation.upper()],
        ACLPermissionType[right.permission.upper()],
    )


def _pattern_of(right: Right) -> tuple[Any, ...]:
    return (
        ResourceType[right.resource.upper()],
        right.name,
        ACLResourcePatternType[right.pattern.upper()],
    )


def _acl_of(right: Right) -> ACL:
    return ACL(*_fields_of(right), ResourcePattern(*_pattern_of(right)))


def _filter_of(right: Right) -> ACLFilter:
    return ACLFilter(*_fields_of(right), ResourcePatternFilter(*_pattern_of(right)))

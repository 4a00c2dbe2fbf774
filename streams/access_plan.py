"""The difference between the rights and users there are to be and those of a cluster; pure.

What is missing is given; what is too much on our topics and groups, or for our users, is taken away, whoever
gave it. A pattern that covers topics of ours and belongs to somebody else is only shown: it may cover what is
not ours, so a person decides. Names outside of the topic prefix may belong to another exchange on the same
brokers, where our users may have rights too: they are left alone.
"""

from collections.abc import Collection
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec

from streams import groups
from streams.access_rights import Right
from streams.principals import RESERVED
from streams.read_marks import reader_group
from streams.topics import Topics

_EVERY_NAME: Final = "*"


class Access(msgspec.Struct, frozen=True):
    """The rights and the names of the users with a password, as a cluster has them."""

    rights: frozenset[Right]
    users: frozenset[str]


class AccessPlan(msgspec.Struct, frozen=True):
    """What provisioning would do about rights and users, in the order in which it is done.

    Attributes:
        revoke: Rights that are too much; effective at once, on open connections too.
        drop: Users whose password is deleted; their open connections stay, without rights.
        grant: Rights that are missing.
        add: Users who get a password.
        strange: Wide rights of others that cover topics or groups of ours; never changed by us.
    """

    revoke: tuple[Right, ...] = ()
    drop: tuple[str, ...] = ()
    grant: tuple[Right, ...] = ()
    add: tuple[str, ...] = ()
    strange: tuple[Right, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do and nothing to look at."""
        return not (self.revoke or self.drop or self.grant or self.add or self.strange)


class Ours:
    """What belongs to an exchange on a cluster that may serve others too.

    Args:
        topics: The topic table.
        names: All topics of ours that there are or will be.
        members: Ids of all members, of former ones too.
    """

    def __init__(self, topics: Topics, names: Collection[str], members: Collection[str]) -> None:
        self._prefix = topics.prefix
        known = {*members, *(m for name in names if (m := topics.member_of_inbox(name)) is not None)}
        workers = (groups.INTAKE, groups.INTAKE_URGENT, groups.CASEKEEPER)
        self._names = {
            "topic": frozenset(names),
            "group": frozenset(topics.prefix + name for name in workers)
            | frozenset(reader_group(topics.prefix, member) for member in known),
        }
        self._users = frozenset(known)

    def is_user(self, name: str) -> bool:
        """Answer whether a user is a member, was one, or bears a name that is ours alone."""
        return name in self._users or name.startswith(RESERVED)

    def is_right(self, right: Right) -> bool:
        """Answer whether a right is on a topic or group of ours, or for our users inside of the prefix."""
        is_literal = right.pattern == "literal" and right.name != _EVERY_NAME
        if right.user is not None and self.is_user(right.user):
            is_inside = right.name.startswith(self._prefix)
            return is_inside or not is_literal or right.resource not in self._names
        return is_literal and right.name in self._names.get(right.resource, ())

    def covers(self, right: Right) -> bool:
        """Answer whether a right for others covers a topic or group of ours beside what is not ours."""
        names = self._names.get(right.resource, frozenset())
        if right.pattern == "literal":
            return right.name == _EVERY_NAME and bool(names)
        return any(name.startswith(right.name) for name in names)


def plan_access(
    found: Access, wanted_rights: AbstractSet[Right], wanted_users: AbstractSet[str], ours: Ours
) -> AccessPlan:
    """Compare a cluster with what is wanted."""
    surplus = found.rights - wanted_rights
    return AccessPlan(
        revoke=tuple(sorted(filter(ours.is_right, surplus))),
        drop=tuple(sorted(filter(ours.is_user, found.users - wanted_users))),
        grant=tuple(sorted(wanted_rights - found.rights)),
        add=tuple(sorted(wanted_users - found.users)),
        strange=tuple(sorted(r for r in surplus if not ours.is_right(r) and ours.covers(r))),
    )

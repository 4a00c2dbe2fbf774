"""All differences between a cluster and what directory, topic table and settings ask for; pure."""

from types import MappingProxyType
from typing import Final, Literal

import msgspec

from streams.access_plan import AccessPlan
from streams.quotas import RateChange
from streams.topic_plan import Plan

Kind = Literal["topic", "config", "user", "acl", "quota"]

_DOING: Final = MappingProxyType(
    {"give": "to give", "take": "to take away", "add": "to add", "set": "to set"}
)
_DONE: Final = MappingProxyType({"give": "given", "take": "taken away", "add": "added", "set": "set"})


class ClusterPlan(msgspec.Struct, frozen=True):
    """What provisioning would do.

    Attributes:
        topics: Topics and their configuration.
        rates: Quotas that change.
        access: Rights and users; None on a cluster that does not know who connects.
    """

    topics: Plan
    rates: tuple[RateChange, ...] = ()
    access: AccessPlan | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to do, nothing to refuse and nothing to look at."""
        return self.topics.is_empty and not self.rates and (self.access is None or self.access.is_empty)

    @property
    def needs_a_person(self) -> bool:
        """Whether a difference stays whatever is applied."""
        return bool(self.topics.refused or (self.access is not None and self.access.strange))

    def drift(self) -> dict[Kind, int]:
        """How many differences there are, by what they are about; every kind is named."""
        access = self.access or AccessPlan()
        topics = self.topics
        return {
            "topic": len(topics.create) + len(topics.grow) + len(topics.refused),
            "config": len(topics.configure),
            "user": len(access.add) + len(access.drop),
            "acl": len(access.grant) + len(access.revoke) + len(access.strange),
            "quota": len(self.rates),
        }

    def sums(self, *, is_applied: bool = False) -> str:
        """How much there is to do, or was done, in one line."""
        word = _DONE if is_applied else _DOING
        parts = [self.topics.sums(is_applied=is_applied), f"quotas: {len(self.rates)} {word['set']}"]
        if self.access is not None:
            parts.append(
                f"rights: {len(self.access.grant)} {word['give']}, {len(self.access.revoke)} {word['take']}, "
                f"{len(self.access.strange)} strange"
            )
            parts.append(
                f"users: {len(self.access.add)} {word['add']}, {len(self.access.drop)} {word['take']}"
            )
        return "; ".join(parts)

    def to_text(self, *, is_applied: bool = False) -> str:
        """The plan for a reader: one line per change, in the order in which they are made, then the sums."""
        access = self.access or AccessPlan()
        lines = [
            *(f"revoke     {right}" for right in access.revoke),
            *(f"drop user  {user}" for user in access.drop),
            *self.topics.lines(),
            *(f"quota      {change}" for change in self.rates),
            *(f"grant      {right}" for right in access.grant),
            *(f"add user   {user}" for user in access.add),
            *(f"STRANGE    {right}: covers what is ours, remove it by hand" for right in access.strange),
            self.sums(is_applied=is_applied),
        ]
        return "\n".join(lines)

    def to_json(self) -> bytes:
        """The plan for a machine."""
        return msgspec.json.encode(self)

"""The action `rewrap` by hand: answers the request that lies in the member's own inbox.

A member's client answers requests while it reads the inbox. Whoever reads by hand, or had not the key at that
time, answers here. What a re-wrap says is all in its request (report, content, for whom), so the sender names
the case only; the content is opened with the member's ring and wrapped for those responsible.
"""

from collections.abc import Iterator
from typing import Final, TypeGuard

import msgspec

from casework.directory import Directory
from casework.errors import BadInputError, RuleViolation
from casework.messages import Delivery
from casework.protection import REWRAP
from connectors.client import MemberClient
from connectors.drafts import ActionDraft
from connectors.errors import SealError
from connectors.preparing import Prepared
from connectors.rewrapping import is_request
from operations.command_line.proven import not_proven
from operations.command_line.session import Session
from schemas.errors import UnreadableError
from streams import wire

_OF_THE_CASE: Final = frozenset(
    {"action", "hosting_country", "case_id", "report_event_id", "url_key", "url", "parties"}
)
"""Fields that name a case; the others are said by the request."""


def is_rewrap(draft: object) -> TypeGuard[ActionDraft]:
    """Answer whether a draft is one that is made from a request."""
    return isinstance(draft, ActionDraft) and draft.action == REWRAP


class RewrapRequests:
    """The requests in a member's inbox, read when the first is looked for.

    Args:
        session: The session.
        member: Member id of whoever re-wraps.
    """

    def __init__(self, session: Session, member: str) -> None:
        self._session = session
        self._member = member
        self._asked: dict[str, list[Delivery]] | None = None

    def answer(self, client: MemberClient, draft: ActionDraft) -> Prepared:
        """Answer the re-wrap of the newest request about the case, or the report, that a draft names.

        Raises:
            BadInputError: The draft names no case or says more than that, or nobody has asked this member; or
                nothing proves the report, the ring does not open it, or nobody is to be added.
            SealError: The member has no ring.
        """
        check_form(client, draft)
        wanted = draft.report_event_id
        asked = self._of(str(draft.case_id), client.directory)
        found = [one for one in asked if wanted in {None, one.report_event_id}]
        if not found:
            text = f"no request to re-wrap lies in the inbox of {self._member} for it: see 'hx desk rewrap'"
            raise BadInputError(RuleViolation("case_id", "not_asked", text))
        try:
            return client.prepare_rewrap(found[-1])
        except SealError as error:
            if client.membership.keys is None:
                raise
            # Of this one request: those of other cases can still be answered.
            raise BadInputError(RuleViolation("content", "not_rewrapped", str(error))) from error

    def _of(self, case_id: str, directory: Directory) -> list[Delivery]:
        if self._asked is None:
            self._asked = {}
            for request in self._requests(directory):
                self._asked.setdefault(request.case_id, []).append(request)
        return self._asked.get(case_id, [])

    def _requests(self, directory: Directory) -> Iterator[Delivery]:
        topics = self._session.topics
        with self._session.reader(self._member) as reader:
            for record in reader.whole(topics.inbox(self._member), topics.inbox_urgent(self._member)):
                if not_proven(record, directory, topics.prefix) is not None:
                    continue
                try:
                    message = wire.decode(record.value or b"")
                except UnreadableError:
                    continue
                if isinstance(message, Delivery) and is_request(message):
                    yield message


def check_form(client: MemberClient, draft: ActionDraft) -> Prepared:
    """Answer a re-wrap without its content: all that can be checked of one before its request is read.

    Raises:
        BadInputError: The draft names no case, or says more than that.
    """
    if draft.case_id is None:
        raise BadInputError(RuleViolation("case_id", "required", "must be given with rewrap"))
    fields = {field.name: field for field in msgspec.structs.fields(draft)}
    more = [
        name
        for name, field in fields.items()
        if name not in _OF_THE_CASE and getattr(draft, name) != field.default
    ]
    if more:
        text = "left out: a re-wrap says what its request says"
        raise BadInputError(RuleViolation(name, "not_of_a_rewrap", text) for name in more)
    return client.prepare(draft)

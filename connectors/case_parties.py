"""Who else has part in a case, as a member's own inbox shows it: content of its actions is sealed for them.

A reader of an inbox sees the parties of a case in many deliveries; an action answers one of them. What is
kept here is forgotten with the program: then a draft names those whom the delivery at hand names.
"""

from collections import OrderedDict

import msgspec

from casework.messages import Delivery
from connectors.drafts import ActionDraft, parties_in


class _Known(msgspec.Struct):
    responsible: str | None
    others: dict[str, None]


class CaseParties:
    """The parties of the cases read lately.

    Args:
        member: Who reads; never a party to itself.
        limit: Cases that are kept, the newest ones.
    """

    def __init__(self, member: str, limit: int = 10_000) -> None:
        self._member = member
        self._limit = limit
        self._cases: OrderedDict[str, _Known] = OrderedDict()

    def note(self, delivery: Delivery) -> None:
        """Take in whom a delivery names."""
        responsible, others = parties_in(delivery)
        known = self._cases.setdefault(delivery.case_id, _Known(None, {}))
        if known.responsible is not None:
            known.others[known.responsible] = None
        known.responsible = None if responsible == self._member else responsible
        known.others.update(dict.fromkeys(one for one in others if one != self._member))
        self._cases.move_to_end(delivery.case_id)
        if len(self._cases) > self._limit:
            self._cases.popitem(last=False)

    def complete(self, draft: ActionDraft) -> ActionDraft:
        """Answer a draft with the parties of its case as far as they are known."""
        known = None if draft.case_id is None else self._cases.get(draft.case_id)
        return draft if known is None else draft.known_to(known.responsible, known.others)

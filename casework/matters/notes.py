"""Notes: free text, labels, a priority and related cases, from any party or the secretariat to all others.

The text is in the sealed content and the labels in the signed statement; the exchange itself keeps only what
it may need for its own order: priority and related cases.
"""

from collections.abc import Mapping
from typing import Any, Final

from casework.action_details import Action
from casework.answers import ACCEPTED, Answer
from casework.causes import Draft
from casework.legs import Changes
from casework.matters.corrections import told_of
from casework.messages import Case, Fact

MAX_RELATED: Final = 16
"""Related cases a case keeps, the newest ones."""


def _note(_: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    draft.by_sender(action.action, **details)
    return ACCEPTED


def _noted(case: Case, fact: Fact) -> Changes:
    said = fact.details
    if said is None:
        return {}
    fresh = tuple(dict.fromkeys(one for one in said.related_case_ids if one != case.case_id))
    related = (*(one for one in case.related if one not in fresh), *fresh)
    return {
        "priority": case.priority if said.priority is None else said.priority,
        "related": related[-MAX_RELATED:],
    }


ACTION_RULES: Final = {"note": _note}
EVOLVE: Final = {"note": _noted}
NOTICES: Final = {"note": told_of}

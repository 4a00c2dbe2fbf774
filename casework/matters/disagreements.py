"""The hosting country calls not illegal what another hotline judged as baseline: both must talk about it.

Baseline material is illegal everywhere, so one of them is wrong, about the item or about the law. The
exchange takes no side: what those responsible do counts, the assessment stays, and the fact `disagreement`
tells both and lets it be counted.
"""

from collections.abc import Iterable
from typing import Final

from casework.action_details import Action
from casework.causes import Draft
from casework.legs import Changes
from casework.messages import Case, Fact
from casework.notices import Notice, update_to
from casework.transitions import DISAGREEMENT


def disagrees(case: Case, action: Action, sender: str) -> bool:
    """Answer whether the responsible hotline calls not illegal what another one judged as baseline."""
    is_not_illegal = action.action == "not_illegal" or (
        action.action == "assessed" and action.classification == "not_illegal"
    )
    is_of_another = case.classification == "baseline" and case.classified_by != sender
    return is_not_illegal and is_of_another and sender == case.assigned_hotline


def note_disagreement(case: Case, draft: Draft) -> None:
    """Write who disagrees with what the first fact of the draft says."""
    said = draft.facts[0]
    draft.by_rule(
        DISAGREEMENT,
        recipient=case.classified_by,
        fact_ref=said.number,
        reason_code=said.reason_code,
        law_country=said.law_country,
    )


def _nothing(_: Case, __: Fact) -> Changes:
    return {}


def _told(after: Case, fact: Fact) -> Iterable[Notice]:
    for member in dict.fromkeys((fact.recipient, after.assigned_hotline)):
        if member is not None:
            yield update_to(after, member)


EVOLVE: Final = {DISAGREEMENT: _nothing}
NOTICES: Final = {DISAGREEMENT: _told}

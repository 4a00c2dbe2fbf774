"""The hosting country calls not illegal what another hotline judged as baseline: both must talk about it.

Baseline material is illegal everywhere, so one of them is wrong, about the item or about the law. The
exchange takes no side: what those responsible do counts, the assessment stays, and the fact `disagreement`
tells both and lets it be counted.
"""

from collections.abc import Iterable
from typing import Final

from casework.action_details import Action
from casework.causes import Draft
from casework.legs import no_change
from casework.messages import Case, Fact
from casework.notices import Notice, update_to
from casework.parties import origin_of
from casework.statements import LINKED
from casework.transition_rows import DISAGREEMENT


def disagrees(case: Case, action: Action, sender: str) -> bool:
    """Answer whether the responsible hotline calls not illegal what another one judged as baseline."""
    if sender != case.assigned_hotline:
        return False
    if action.action == "not_illegal":
        return bool(_makers(case, sender))
    is_not_illegal = action.action == "assessed" and action.classification == "not_illegal"
    return is_not_illegal and case.classification == "baseline" and case.classified_by != sender


def _makers(case: Case, sender: str) -> tuple[str, ...]:
    """Answer who else judged the content as baseline: for the case, or with a report that joined it."""
    for_case = (case.classified_by,) if case.classification == "baseline" else ()
    with_report = (
        one.by
        for one in case.stated
        if one.fact == LINKED
        and one.classification == "baseline"
        and one.round == case.round
        and origin_of(case, one.by) is not None
    )
    makers = dict.fromkeys((*for_case, *with_report))
    return tuple(member for member in makers if member is not None and member != sender)


def note_disagreement(case: Case, draft: Draft) -> None:
    """Write who disagrees with what the first fact of the draft says: one fact for each."""
    said = draft.facts[0]
    for maker in _makers(case, draft.cause.sender):
        draft.by_rule(
            DISAGREEMENT,
            recipient=maker,
            fact_ref=said.number,
            reason_code=said.reason_code,
            law_country=said.law_country,
        )


def _told(after: Case, fact: Fact) -> Iterable[Notice]:
    for member in dict.fromkeys((fact.recipient, after.assigned_hotline)):
        if member is not None:
            yield update_to(after, member)


EVOLVE: Final = {DISAGREEMENT: no_change}
NOTICES: Final = {DISAGREEMENT: _told}

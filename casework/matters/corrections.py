"""A member takes back what it stated, or puts another word in its place; an origin takes back its report.

Facts are never changed: the correction is a fact of its own that names the one it replaces, and everybody who
may hold the wrong one is told and asked to confirm (`confirmations`). The case keeps what its members stated
lately, so that only the maker of a fact can correct it, and so that a case whose last action is taken back is
again what it was before; deadlines have run on meanwhile.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from casework.action_details import Action, done_key, role_of
from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Draft
from casework.errors import BugError
from casework.legs import Changes
from casework.matters.confirmations import CORRECTION, asking, with_asked
from casework.matters.escalating import open_again
from casework.matters.feeds import feed_acknowledged
from casework.messages import Case, Fact, Move, Stated
from casework.notices import Notice, update_to
from casework.parties import told_officials
from casework.secrecy import police_of
from casework.statements import ASSESSING, assessment_of, is_current
from casework.states import ASSIGNED, AWAITING_REWRAP, CLOSED, furthest
from casework.transitions import FINAL_ACTIONS

_STEPS: Final = frozenset({"acknowledged", "police_informed", "provider_informed"})
_OF_LEG: Final = _STEPS | FINAL_ACTIONS | {"assessed"}
"""Facts that are steps of a leg."""

_NOT_YOURS: Final = refused("not_your_fact", "fact_number", "a fact that the sender made and that stands")
_OTHER_KIND: Final = refused(
    "other_kind", "corrected_action", "an end in place of an end, a step of a step, else the same action"
)
_TWO_PERSONS: Final = refused(
    "two_persons_required", "second_analyst", "a baseline assessment is corrected by two analysts"
)


def holders(case: Case) -> tuple[str, ...]:
    """Answer the members that may hold what was told of a case, each once; not the desk, which is a queue."""
    members = [
        case.assigned_hotline,
        *(origin.member for origin in case.origins),
        *case.former,
        *police_of(case.hold),
    ]
    return tuple(dict.fromkeys(member for member in members if member is not None))


def _correct(case: Case, action: Action, draft: Draft, details: Mapping[str, Any]) -> Answer:
    cause = draft.cause
    said = details["details"]
    number = None if said is None else said.fact_number
    wrong = next((one for one in case.stated if one.number == number), None)
    if wrong is None or wrong.by != cause.sender:
        return _NOT_YOURS
    put = _in_place_of(wrong, said.corrected_action, action.classification)
    answer = _refusal(case, wrong, put, details)
    if answer is not None:
        return answer
    draft.by_sender(
        action.action,
        **details,
        **asking((*holders(case), *told_officials(case, cause.directory)), cause),
        fact_ref=number,
        action=wrong.fact,
        outcome=put if put in FINAL_ACTIONS else None,
    )
    is_end = wrong.counts and wrong.fact in FINAL_ACTIONS and is_current(case, wrong)
    if is_end and put is None and not case.origins:
        # All reports were taken back after it, so nothing is left to go on with.
        draft.by_rule("closed", outcome="withdrawn")
    if put is None and wrong.fact == "escalation_acknowledged" and wrong.round == case.round:
        open_again(case, draft)
    return ACCEPTED


def _in_place_of(wrong: Stated, corrected_action: str | None, classification: str | None) -> str | None:
    """Answer the kind of fact that stands from now on; None: it never happened."""
    if wrong.fact in ASSESSING and (corrected_action == "assessed" or classification is not None):
        return wrong.fact
    return corrected_action


def _refusal(case: Case, wrong: Stated, put: str | None, details: Mapping[str, Any]) -> Answer | None:
    if wrong.classification == "baseline" and not details["details"].is_second_analyst:
        return _TWO_PERSONS
    if put is None:
        return None
    if put == wrong.fact and wrong.fact in ASSESSING:
        return _unjudged(details)
    if put != wrong.fact and not any({put, wrong.fact} <= group for group in (_STEPS, FINAL_ACTIONS)):
        return _OTHER_KIND
    key = done_key(put, details["recipient_role"] or wrong.recipient_role)
    if is_current(case, wrong) and key in case.done and key != done_key(wrong.fact, wrong.recipient_role):
        return not_applicable("already_done", "corrected_action", f"{put} was taken already.")
    return None


def _unjudged(details: Mapping[str, Any]) -> Answer | None:
    """Answer what an assessment lacks."""
    if details["classification"] in {None, "unassessed"}:
        return refused("classification_required", "classification", "must be given with an assessment")
    if details["classification"] == "national" and details["law_country"] is None:
        return refused("law_country_required", "law_country", "must be given with a national assessment")
    return None


def _corrected(case: Case, fact: Fact) -> Changes:
    wrong = next((one for one in case.stated if one.number == fact.fact_ref), None)
    if wrong is None or fact.details is None:
        raise BugError("a correction names no fact that stands")
    right = _right(wrong, fact)
    rest = tuple(one for one in case.stated if one is not wrong)
    stated = rest if right is None else tuple(right if one is wrong else one for one in case.stated)
    changes: Changes = {"stated": stated, "asked": with_asked(case, fact, CORRECTION)}
    doubt = case.doubt
    if doubt is not None and wrong.fact in {"observed", "moved"} and doubt.fact_number == wrong.number + 1:
        changes["doubt"] = None
    if case.move is not None and wrong.number in _numbers_of(case.move):
        changes["move"] = None
    if wrong.counts and wrong.fact in ASSESSING:
        changes |= assessment_of(stated, case.round)
    if wrong.counts and wrong.fact in _OF_LEG and is_current(case, wrong):
        changes |= _leg_without(case, wrong, right, stated)
        changes["reference"] = fact.reference or (case.reference if changes["done"] else None)
    if right is None and wrong.fact == "feed_acknowledged" and is_current(case, wrong):
        changes |= _without_item(case, wrong)
    return changes


def _numbers_of(word: Move) -> tuple[int, ...]:
    """Answer by which numbers a word on the host is corrected: a move by rule stands behind its sight."""
    return (word.fact_number, word.fact_number + (word.action == "observed"))


def _without_item(case: Case, wrong: Stated) -> Changes:
    """Answer the leg in which a liaison has not acknowledged its feed, nor been informed by that."""
    gone = {feed_acknowledged(wrong.by)}
    stated = any(
        one.counts and one.fact == "police_informed" and is_current(case, one) for one in case.stated
    )
    changes: Changes = {}
    if not stated and case.police_informed_at == wrong.at:
        gone.add("police_informed")
        changes["police_informed_at"] = None
    return changes | {"done": tuple(key for key in case.done if key not in gone)}


def _right(wrong: Stated, fact: Fact) -> Stated | None:
    """Answer what stands in place of the wrong fact: as old as that, under the number of the correction."""
    named = None if fact.details is None else fact.details.corrected_action
    corrected = _in_place_of(wrong, named, fact.classification)
    if corrected is None:
        return None
    judges = corrected in ASSESSING
    return msgspec.structs.replace(
        wrong,
        number=fact.number,
        fact=corrected,
        recipient_role=fact.recipient_role or wrong.recipient_role,
        classification=fact.classification if judges else None,
        law_country=fact.law_country if judges else None,
    )


def _leg_without(case: Case, wrong: Stated, right: Stated | None, stated: tuple[Stated, ...]) -> Changes:
    """Answer the leg as it is with what stands now in place of a wrong step."""
    old = done_key(wrong.fact, wrong.recipient_role)
    new = () if right is None else (done_key(right.fact, right.recipient_role),)
    done = tuple(key for taken in case.done for key in (new if taken == old else (taken,)))
    steps = [one for one in stated if one.counts and one.fact in _OF_LEG and is_current(case, one)]
    state = AWAITING_REWRAP if case.rewrap_due_at is not None else ASSIGNED
    for step in steps:
        state = furthest(state, CLOSED if step.fact in FINAL_ACTIONS else step.fact)
    changes: Changes = {
        "done": done,
        "state": state,
        "acknowledged_at": _first(steps, *_OF_LEG),
        "police_informed_at": _police_informed_at(case, steps, done),
        "provider_informed_at": _first(
            [one for one in steps if role_of(one.recipient_role) == "host"], "provider_informed"
        ),
    }
    if wrong.fact in FINAL_ACTIONS:
        if right is not None:
            return changes | {"outcome": right.fact}
        return changes | {"outcome": None, "closed_at": None, "closed_in": None, "erase_at": None}
    return changes | {"state": CLOSED if case.state == CLOSED else state}


def _police_informed_at(case: Case, steps: Iterable[Stated], done: tuple[str, ...]) -> int | None:
    """Answer since when police know; by their feed they do without any statement of a hotline."""
    stated = _first(steps, "police_informed")
    return case.police_informed_at if stated is None and "police_informed" in done else stated


def _first(steps: Iterable[Stated], *kinds: str) -> int | None:
    return min((one.at for one in steps if one.fact in kinds), default=None)


def told_of(after: Case, fact: Fact) -> Iterable[Notice]:
    """Yield who may hold what the fact sets right: all members, and the desk where the case waits."""
    desk = () if after.desk is None else (after.desk,)
    for member in dict.fromkeys((*desk, *holders(after), *fact.members)):
        if member != fact.by:
            yield update_to(after, member)


ACTION_RULES: Final = {"corrected": _correct}
EVOLVE: Final = {"corrected": _corrected}
NOTICES: Final = {"corrected": told_of}

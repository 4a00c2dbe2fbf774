"""What an action means for a case: counted, recorded with its breach, kept for its report, or refused.

The order of questions is the order in which they protect: what the table does not know is refused to anybody;
a stranger learns nothing; only then does the case decide.
"""

from collections.abc import Mapping
from typing import Any, Final

from casework import codes
from casework.action_details import STEP_OF, Action, details_of, done_key, further_details, is_stale, role_of
from casework.answers import ACCEPTED, Answer, not_applicable, refused
from casework.causes import Cause, Draft
from casework.claimed_times import HOUR_MS
from casework.matters import ACTION_RULES, POLICE_RULES
from casework.matters.disagreements import disagrees, note_disagreement
from casework.matters.notice_order import notice_breaches, provider_told
from casework.messages import ActionDetails, Case
from casework.parties import asks_for_hold, could_claim, has_report, is_a, may_say, names_case, origin_of
from casework.splitting import LAST_REPORT, split_off
from casework.states import ACKNOWLEDGED
from casework.transition_rows import AGAINST_BASELINE, DISAGREEMENT, Transition
from casework.transitions import ACTIONS, FINAL_ACTIONS, KEY_MISMATCH, NEED_REASON, transition

CLAIM: Final = "claim"
WAIT_MS: Final = HOUR_MS
"""How long an action waits for its report (issue: an hour), from the decision to keep it."""
MAX_WAITING: Final = 16
MAX_WAITING_BYTES: Final = 16 * 1024
"""Statements that wait for one url key, together; bounds the state."""
_WAITING_OVERHEAD: Final = 256


def decide_action(case: Case | None, action: Action, cause: Cause, draft: Draft) -> Answer | None:
    """Write the facts of an action into `draft` and answer its sender; None while the action waits."""
    refusal = _malformed(action)
    if refusal is None and must_wait(case, cause.sender, action):
        refusal = _no_room(case, action, cause)
        if refusal is None:
            _await(action, cause, draft)
            return None
    if refusal is None and case is not None:
        refusal = _foreign(case, action, cause)
    if refusal is not None:
        if case is not None and (case.round or case.waiting):  # else it only began with a parked record
            draft.by_sender("refused", action=action.action, rule=refusal.rule)
        return refusal
    assert case is not None  # noqa: S101 - without a case an action waits or is refused
    return _recorded(case, action, cause, draft)


def must_wait(case: Case | None, sender: str, action: Action) -> bool:
    """Answer whether the report an action is about has not come yet."""
    if case is None or case.round == 0:
        return True
    if action.case_id is not None or action.report_event_id is None or origin_of(case, sender) is not None:
        return False
    return action.action != ACKNOWLEDGED or not has_report(case, action.report_event_id)


def _malformed(action: Action) -> Answer | None:
    if action.action not in ACTIONS:
        return refused(
            "not_in_table", "action", f"{_known(action.action)} is not in the table of transitions"
        )
    if action.action in NEED_REASON and action.reason_code is None:
        return refused("reason_required", "reason_code", f"must be given with {action.action}")
    if action.action == "assessed":
        if action.classification in {None, "unassessed"}:
            return refused("classification_required", "classification", "must be given with assessed")
        if action.classification == "national" and action.law_country is None:
            return refused("law_country_required", "law_country", "must be given with a national assessment")
    return None


def _known(action: str) -> str:
    return action if action in codes.ACTIONS.codes else "This action"


def _no_room(case: Case | None, action: Action, cause: Cause) -> Answer | None:
    waiting = () if case is None else case.waiting
    size = _room_of(cause.statement or b"", further_details(action))
    size += sum(_room_of(other.statement, other.details) for other in waiting)
    if len(waiting) < MAX_WAITING and size <= MAX_WAITING_BYTES:
        return None
    field = "case_id" if action.case_id is not None else "report_event_id"
    return refused("too_many_waiting", field, "too many actions wait for this unknown report already")


def _room_of(statement: bytes, details: ActionDetails | None) -> int:
    """Answer about what an action takes while it waits: related cases stand beside the statement again."""
    related = () if details is None else details.related_case_ids
    return len(statement) + _WAITING_OVERHEAD + sum(map(len, related))


def _foreign(case: Case, action: Action, cause: Cause) -> Answer | None:
    sender, directory = cause.sender, cause.directory
    if not may_say(case, sender, action.action, directory):
        is_late_claim = action.action == CLAIM and could_claim(case, sender, directory)
        if not is_late_claim and not asks_for_hold(case, sender, action, directory):
            return refused("not_a_party", "sender", "not a party of this case")
    if not names_case(case, cause.sender, action):
        field = "case_id" if action.case_id is not None else "report_event_id"
        return refused("wrong_case", field, "not the case of this url_key")
    return None


def _await(action: Action, cause: Cause, draft: Draft) -> None:
    draft.by_sender(
        "awaited",
        action=action.action,
        named_case_id=action.case_id,
        round=action.round or 0,
        leg=action.leg or 0,
        due_at=cause.now + WAIT_MS,
        **{**details_of(action, cause), "report_event_id": action.report_event_id},
    )


def _recorded(case: Case, action: Action, cause: Cause, draft: Draft) -> Answer:
    details = details_of(action, cause)
    rule = ACTION_RULES.get(action.action)
    if action.action in POLICE_RULES and is_a(cause.directory, cause.sender, "law_enforcement"):
        rule = POLICE_RULES[action.action]
    if rule is not None:
        answer = rule(case, action, draft, details)
        if not draft.facts:
            draft.by_sender(answer.outcome, action=action.action, rule=answer.rule)
        return answer
    breaches = _breaches(case, action, cause)
    if not breaches:
        if done_key(action.action, action.recipient_role) in case.done:
            draft.by_sender("not_applicable", action=action.action, rule="already_done")
            return not_applicable("already_done", "action", f"{action.action} was taken in this leg already.")
        row = transition(action.action, case.state, _condition(case, action, cause.sender))
        if row is None:
            breaches = ("out_of_order",)
        elif action.action == KEY_MISMATCH:
            return split_off(case, action.report_event_id, draft, details)
        else:
            return _counted(case, action, row, draft, details)
    draft.by_sender(action.action, breaches=breaches, **details)
    if breaches == ("not_responsible",) and disagrees(case, action, cause.sender):
        note_disagreement(case, draft)
    return ACCEPTED


def _counted(case: Case, action: Action, row: Transition, draft: Draft, details: Mapping[str, Any]) -> Answer:
    """Write the facts of an action that no rule keeps from counting."""
    late = ("late",) if _is_late(case, action) else ()
    breaches = (*late, *notice_breaches(case, action.action, draft.cause))
    outcome = action.action if action.action in FINAL_ACTIONS else None
    draft.by_sender(action.action, breaches=breaches, outcome=outcome, **details)
    provider_told(case, action.action, action.recipient_role, draft, breaches)
    for fact in row.facts[1:]:
        if fact == DISAGREEMENT:
            note_disagreement(case, draft)
        else:
            draft.by_rule(fact, outcome=outcome)
    return ACCEPTED


def _condition(case: Case, action: Action, sender: str) -> str:
    """Answer the condition of the row that may stand for an action."""
    if action.action == KEY_MISMATCH:
        return LAST_REPORT
    return AGAINST_BASELINE if disagrees(case, action, sender) else ""


def _breaches(case: Case, action: Action, cause: Cause) -> tuple[str, ...]:
    """Answer the breaches that leave the case as it is, whatever its state."""
    breaches = []
    if cause.sender != case.assigned_hotline or _overrules_baseline(case, action, cause):
        breaches.append("not_responsible")
    if is_stale(case, action):
        breaches.append("out_of_order")
    return tuple(breaches)


def _overrules_baseline(case: Case, action: Action, cause: Cause) -> bool:
    return (
        action.action == "assessed"
        and case.classification == "baseline"
        and case.classified_by != cause.sender
        and action.classification != "baseline"
    )


def _is_late(case: Case, action: Action) -> bool:
    """Answer whether an action answers a deadline that has fired and is still unanswered."""
    answered = {
        "acknowledged": case.acknowledged_at,
        "provider_informed": case.provider_informed_at,
    }.get(action.action)
    if action.action == "provider_informed" and role_of(action.recipient_role) != "host":
        return False
    return answered is None and STEP_OF.get(action.action) in case.overdue

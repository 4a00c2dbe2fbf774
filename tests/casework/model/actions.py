"""What an action does: it counts, is recorded with its breach, waits for its report, or is refused."""

from model import escalating, network, routes, writing
from model.questions import (
    claiming,
    log,
    parties,
    places,
    reporters,
    rounds,
    statements,
    states,
    steps,
    submissions,
)

KNOWN = [*steps.STEPS, *steps.FINAL, "key_mismatch"]
"""Actions judged here; others have rules of their own."""

NEEDS_A_REASON = ["unavailable", "not_illegal", "corrected", "erase", "decline", "transfer"]
STEP_OF = {
    "acknowledged": "acknowledge",
    "police_informed": "inform_police",
    "provider_informed": "inform_provider",
    **dict.fromkeys(steps.FINAL, "confirm_removal"),
}
MOST_THAT_WAIT = 16


def come(now, action, rules):
    """Write the facts of an action and answer its sender; None while it waits."""
    facts = now["facts"]
    rule = _incomplete(action, rules)
    if rule is None and must_wait(facts, action):
        if len(submissions.waiting(facts)) < MOST_THAT_WAIT:
            due = now["now"] + network.WAITS_FOR_ITS_REPORT
            seen_at = action.get("observed_at")
            observed = {"observed_at": None if seen_at is None else min(seen_at, now["now"])}
            writing.by_sender(now, "awaited", action=action["action"], due_at=due, event=action | observed)
            return None
        rule = "too_many_waiting"
    if rule is None:
        rule = _foreign(now, action)
    if rule is not None:
        if states.is_there(facts):
            writing.by_sender(now, "refused", action=action["action"], rule=rule)
        return "refused", rule
    return _recorded(now, action, rules)


def must_wait(facts, action):
    """Answer whether the report that an action is about has not come yet."""
    if not states.has_a_report(facts):
        return True
    if action["case"] is not None or reporters.origin(facts, action["sender"]) is not None:
        return False
    # Police acknowledge an escalation by the report that it brought, whoever sent that.
    return action["action"] != "acknowledged" or not _has_report(facts, action["report"])


def _has_report(facts, report):
    """Answer whether a report is known to be one of the case."""
    known = [fact["input"] for fact in submissions.seen(facts)]
    for one in reporters.origins(facts):
        known += one["known"]
    return report in known or report in [one["report"] for one in escalating.open_ones(facts)]


def _incomplete(action, rules):
    if action["action"] not in {*KNOWN, *rules}:
        return "not_in_table"
    if action["action"] in NEEDS_A_REASON and action.get("reason") is None:
        return "reason_required"
    return lacks_of_assessment(action) if action["action"] == "assessed" else None


def lacks_of_assessment(action):
    """Answer the rule that an assessment breaks by what it leaves out."""
    if action.get("classification") in {None, "unassessed"}:
        return "classification_required"
    if action["classification"] == "national" and action.get("law_country") is None:
        return "law_country_required"
    return None


def _foreign(now, action):
    is_late_claim = action["action"] == "claim" and claiming.could_claim(now["facts"], action["sender"])
    is_police = network.MEMBERS.get(action["sender"], {}).get("kind") == "law_enforcement"
    is_police = is_police and network.is_active(now["directory"], action["sender"])
    may_ask = is_late_claim or (is_police and action["action"] == "hold" and action["case"] == now["cases"])
    if (
        not parties.may_say(now["facts"], action["sender"], action["action"], now["directory"])
        and not may_ask
    ):
        return "not_a_party"
    return None if names_this_case(now, action) else "wrong_case"


def names_this_case(now, action):
    """Answer whether the case or the report that an action names is the one at hand."""
    if action["case"] is not None:
        return action["case"] == now["cases"]
    if action["action"] == "acknowledged" and _has_report(now["facts"], action["report"]):
        return True
    one = reporters.origin(now["facts"], action["sender"])
    if one is None:
        return False
    known = [*one["known"], *(fact["input"] for fact in submissions.seen(now["facts"]))]
    return action["report"] in known or one["count"] > len(one["known"])


def _recorded(now, action, rules):
    kind, who = action["action"], network.MEMBERS.get(action["sender"], {})
    if kind == "acknowledged" and who.get("kind") == "law_enforcement":
        return escalating.acknowledge(now, action)
    return rules.get(kind, step)(now, action)


def step(now, action, further=()):
    """Write what an action of the responsible hotline does; one that counts carries further breaches."""
    facts, kind = now["facts"], action["action"]
    breaches = _breaches(facts, action)
    if not breaches:
        if steps.what_is_done({"kind": kind, "role": action.get("role")}) in steps.taken(facts):
            return not_applicable(now, action, "already_done")
        if not _fits(kind, states.state(facts)):
            breaches = ["out_of_order"]
        elif kind == "key_mismatch":
            return _split_off(now, action)
        else:
            breaches = [*(["late"] if _is_late(facts, action) else []), *further]
    _record(now, action, breaches)
    return ("accepted",)


def _breaches(facts, action):
    breaches = []
    if action["sender"] != places.responsible(facts) or _judges_anothers_baseline(facts, action):
        breaches.append("not_responsible")
    if is_stale(facts, action):
        breaches.append("out_of_order")
    return breaches


def _disagrees(facts, action):
    """Answer who judged as baseline what the responsible hotline calls not illegal."""
    says_so = action["action"] == "not_illegal" or (
        action["action"] == "assessed" and action["classification"] == "not_illegal"
    )
    makers = statements.makers_of_a_baseline(facts)
    if action["action"] == "assessed" and statements.assessment(facts)[0] != "baseline":
        return []
    if not says_so or action["sender"] != places.responsible(facts):
        return []
    others = [maker for maker in makers if maker != action["sender"]]
    own = action["action"] == "assessed" and statements.assessment(facts)[1] == action["sender"]
    return [] if own else others


def _is_late(facts, action):
    """Answer whether an action answers a deadline that has passed, and that nothing answered before."""
    step = STEP_OF.get(action["action"])
    if step is None or (step == "inform_provider" and action.get("role") not in {None, "host"}):
        return False
    return step in steps.overdue(facts) and steps.when_taken(facts, step) is None


def is_stale(facts, action):
    """Answer whether an action names another round or leg than the current one."""
    round_number, leg = rounds.round_and_leg(facts)
    return action.get("round") not in {None, round_number} or action.get("leg") not in {None, leg}


def _fits(kind, state):
    if kind == "assessed":
        return state in states.WITH_A_HOTLINE[:4]
    return state in states.WITH_A_HOTLINE


def _judges_anothers_baseline(facts, action):
    if action["action"] != "assessed" or action["classification"] == "baseline":
        return False
    found, maker = statements.assessment(facts)
    return found == "baseline" and maker != action["sender"]


def _record(now, action, breaches):
    kind = action["action"]
    before, number = list(now["facts"]), len(now["facts"]) + 1
    ends = kind in steps.FINAL and not log.WITHOUT_EFFECT & set(breaches)
    what = {"role": action.get("role"), "classification": action.get("classification")}
    writing.by_sender(now, kind, breaches=breaches, reason=action.get("reason"), **what)
    if ends:
        routes.close(now, kind)
    if breaches in (["not_responsible"], [], ["late"]):
        for maker in _disagrees(before, action):
            writing.by_rule(now, "disagreement", member=maker, ref=number)


def observed_at(now, action):
    """Answer when it was observed; no claimed time counts as later than it was admitted."""
    observed = action.get("observed_at")
    if observed is None:
        observed = min(action["occurred_at"], action["at"])
    return min(observed, now["now"])


def not_applicable(now, action, rule):
    """Write that an action could change nothing and answer so."""
    writing.by_sender(now, "not_applicable", action=action["action"], rule=rule)
    return "not_applicable", rule


def _split_off(now, action):
    """Let the report leave the case: its content has another address than its url key says."""
    for one in reporters.origins(now["facts"]):
        if reporters.may_leave(one, action.get("report")):
            writing.by_sender(now, "key_mismatch", origin=one["member"], report=action["report"])
            if not reporters.origins(now["facts"]):
                routes.close(now, "key_mismatch")
            return ("accepted",)
    return not_applicable(now, action, "other_report")

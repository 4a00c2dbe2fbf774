"""What police liaisons subscribed to: an item for each decision that brought, judged or ended a case."""

from model import actions, network, standing, writing
from model.questions import hosting, log, reporters, rounds, statements, states, steps

JUDGES = ["opened", "reopened", "assessed", "corrected"]
ENDS = ["closed"]
CONFIRMED = ["baseline", "national"]


def feed(now):
    """Write one item for each subscriber that the facts of this decision concern."""
    facts = [fact for fact in now["facts"][now["first_fact"] :] if log.counts(fact)]
    for liaison in network.subscribers(now["directory"]):
        told = [fact for fact in facts if _is_for(now, liaison, fact)]
        found = _report_of(now, liaison, facts) if told else None
        if found is not None:
            report, origin = found
            writing.by_rule(now, "fed", member=liaison, report=report, origin=origin, ref=told[-1]["number"])


def _is_for(now, liaison, fact):
    who = network.MEMBERS[liaison]
    if who["feed"] == "all_confirmed":
        if fact["kind"] not in JUDGES or fact["classification"] is None:
            return False
        if fact["kind"] == "corrected" and fact["wrong_kind"] not in standing.ASSESSES:
            return False
        was_confirmed = statements.assessment(now["facts"][: now["first_fact"]])[0] in CONFIRMED
        takes_back = fact["kind"] == "corrected" and was_confirmed
        return fact["classification"] in CONFIRMED or takes_back
    earlier = now["facts"][: fact["number"]]
    comes = fact["kind"] in {"opened", "reopened", *rounds.BEGINS_A_LEG, *ENDS}
    return comes and hosting.host(earlier) in who["countries"]


def _report_of(now, liaison, facts):
    """Answer the report the decision was about, else the last of the first origin, that it may receive."""
    known = [
        (fact["report"], fact["origin"])
        for fact in facts
        if None not in {fact.get("report"), fact.get("origin")}
    ]
    origins = reporters.origins(now["facts"][: now["first_fact"]])
    for report, origin in [*known, *((one["last"], one["member"]) for one in origins)]:
        if network.may_receive(now["directory"], liaison, origin):
            return report, origin
    return None


def was_fed(facts, liaison):
    """Answer whether a liaison had an item of this case."""
    return any(to == f"feed.{liaison}" for fact in facts for to, _ in fact["deliveries"])


def acknowledge(now, action):
    """Write that a liaison has its items; where the directory says so, police are informed by it."""
    facts, sender = now["facts"], action["sender"]
    if any(fact["kind"] == "feed_acknowledged" and fact["by"] == sender for fact in rounds.this_leg(facts)):
        return actions.not_applicable(now, action, "already_done")
    writing.by_sender(now, "feed_acknowledged", ref=action.get("fact_number"))
    informs = network.MEMBERS[sender].get("feed_informs_police", False)
    if (
        informs
        and states.state(facts) in states.WITH_A_HOTLINE
        and steps.when_taken(facts, "inform_police") is None
    ):
        writing.by_rule(now, "police_informed", member=sender)
    return ("accepted",)

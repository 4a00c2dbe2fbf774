"""The order of notices: when a provider may be told, and what follows when it is."""

from model import actions, hold_course, network, writing
from model.questions import holding, hosting, log, places, steps


def tell_provider(now, action):
    """Write that a provider is told, with the breaches of the order of notices, and what follows."""
    said = actions.step(now, action, _breaches(now))
    fact = now["facts"][-1]
    if fact["kind"] == "provider_informed" and hold_course.has_new(now) and log.counts(fact):
        _provider_told(now, action, fact["breaches"])
    return said


def _breaches(now):
    """Answer the breaches with which a provider is told now."""
    facts = now["facts"]
    rule = network.COUNTRIES.get(places.assigned_country(facts), {})
    found = ["despite_hold"] if holding.hold(facts) is not None else []
    told_at = steps.when_taken(facts, "inform_police")
    waits_until = None if told_at is None else told_at + rule.get("police_wait", 0)
    if rule.get("notice") == "police_first" and (waits_until is None or now["now"] < waits_until):
        found.append("before_police")
    if rule.get("notice") == "police_consent" and not holding.has_consent(facts):
        found.append("without_consent")
    return found


def _provider_told(now, action, breaches):
    """Write what follows when a provider is told: police learn of breaches, a hold has no more use."""
    before = now["facts"][: now["first_fact"]]
    in_force = holding.hold(before)
    is_host = action.get("role") in {None, "host"}
    liaison = network.hosting_liaison(now["directory"], hosting.host(before))
    for breach in breaches:
        to = liaison
        if breach == "despite_hold":
            to = hold_course.stand_in(now, in_force, before) or in_force["liaison"]
        said_by_its_end = breach == "despite_hold" and is_host
        if breach in {"despite_hold", "before_police", "without_consent"} and to and not said_by_its_end:
            writing.by_rule(now, "breach_reported", rule=breach, reason=breach, member=to)
    if is_host:
        hold_course.end(now, "provider_informed")

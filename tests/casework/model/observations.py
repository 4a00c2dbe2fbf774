"""What members see of the content, and notes: any party may say it, and it counts."""

from model import actions, moves, network, remits, routes, writing
from model.questions import hosting, keeping, reporters, sealing, states

IS_ONLINE = {"online": True, "offline": False, "moved": True, "geo_blocked": None}


def observe(now, action):
    """Write an observation; one of another country is a doubt, or is followed."""
    at = actions.observed_at(now, action)
    observation = action.get("observation")
    is_online = action.get("is_online") if observation is None else IS_ONLINE[observation]
    writing.by_sender(now, "observed", is_online=is_online, observed_at=at)
    moves.doubt(now, network.country_in(action), at)
    moves.follow_sight(now, action, at)
    return ("accepted",)


def reappear(now, action):
    """Write that the content is back: after the closing a new round begins with the report there is."""
    facts, at = now["facts"], actions.observed_at(now, action)
    if states.state(facts) == "closed":
        if not reporters.origins(facts) or keeping.erase_at(facts) is None:
            return actions.not_applicable(now, action, "no_report")
        if at <= states.closed_at(facts):
            return actions.not_applicable(now, action, "seen_before_closing")
    writing.by_sender(now, "reappeared", is_online=True, observed_at=at)
    if states.state(facts) == "closed":
        _reopen(now, network.country_in(action) or hosting.host(facts))
    return ("accepted",)


def _reopen(now, country):
    facts = now["facts"]
    first = reporters.origins(facts)[0]
    way = moves.way_of(now, country, declined=[])
    what = {"country": way["country"], "hotline": way["hotline"], "status": hosting.hosting_status(facts)}
    what |= {"report": first["last"], "origin": first["member"], "sealed_for": sealing.can_open(facts)}
    what |= {"about": remits.of_the_case(facts)}
    writing.by_rule(now, "reopened", classification=None, **what)
    routes.begin_round(now, way, first["last"], first["member"], now["facts"][: now["first_fact"]])
    routes.ask_if_unreadable(now, way, first["last"], first["member"])
    if way["reason"] is not None:
        routes.escalate(now, way["reason"], way, first["last"], first["member"])


def note(now, action):
    """Write a note."""
    writing.by_sender(now, "note", priority=action.get("priority"), related=action.get("related", []))
    return ("accepted",)

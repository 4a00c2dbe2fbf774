"""How long contents are kept: until a time after the closing, unless police keep them."""

from model import actions, corrections, network, writing
from model.lists import unique
from model.questions import holding, keeping, places, states, telling


def preserve(now, action):
    """Keep everything until a time, or end that."""
    facts, until = now["facts"], action.get("preserve_until")
    has_reference = action.get("has_police_reference", False)
    rule = None
    if _kind(action["sender"]) != "law_enforcement":
        rule = "may_not_act"
    elif until is None and not has_reference:
        rule = "required"
    elif until is not None and until <= now["now"]:
        return _end(now, action)
    elif until is not None and until > now["now"] + network.LIMITS["preserve"]:
        rule = "preserve_too_long"
    if rule is not None:
        writing.by_sender(now, "refused", action="preserve", rule=rule)
        return "refused", rule
    if _is_erased(facts):
        return actions.not_applicable(now, action, "already_done")
    writing.by_sender(now, "preserved", until=until, has_reference=has_reference)
    return ("accepted",)


def _end(now, action):
    facts = now["facts"]
    keepers = unique([*keeping.references(facts), *(one["by"] for one in keeping.preservations(facts))])
    ended = [m for m in keepers if m == action["sender"] or not network.is_active(now["directory"], m)]
    if not ended:
        return actions.not_applicable(now, action, "nothing_to_end")
    writing.by_sender(now, "preservation_ended", members=ended)
    return ("accepted",)


def erase(now, action):
    """Erase the contents because the secretariat says so."""
    facts, rule = now["facts"], None
    if _kind(action["sender"]) != "secretariat":
        rule = "may_not_act"
    elif (
        holding.hold(facts)
        or keeping.references(facts)
        or any(one["until"] > now["now"] for one in keeping.preservations(facts))
    ):
        rule = "preserved"
    if rule is not None:
        writing.by_sender(now, "refused", action="erase", rule=rule)
        return "refused", rule
    if _is_erased(facts):
        return actions.not_applicable(now, action, "already_done")
    writing.by_sender(now, "erased", members=_asked(facts), due_at=corrections.confirm_until(now))
    return ("accepted",)


def erase_when_due(now, _):
    """Erase the contents because they were kept long enough."""
    due_at = corrections.confirm_until(now)
    writing.by_rule(now, "erased", members=_asked(now["facts"]), due_at=due_at)


def due(facts):
    """Answer when the contents of a closed case are erased; nothing is while a reference is open."""
    at = keeping.erase_at(facts)
    if states.state(facts) != "closed" or at is None or keeping.references(facts):
        return []
    return [{"at": max([at, *(one["until"] for one in keeping.preservations(facts))]), "step": "erase"}]


def _kind(member):
    return network.MEMBERS.get(member, {}).get("kind")


def _is_erased(facts):
    return states.state(facts) == "closed" and keeping.erase_at(facts) is None


def _asked(facts):
    """Answer who was handed a content: the hotlines it was with, and police that were sent one."""
    hotlines = [member for member in [places.responsible(facts), *places.former(facts)] if member]
    told = {to.removeprefix("feed.") for to in telling.deliveries(facts)}
    police = [
        name
        for name, one in sorted(network.MEMBERS.items())
        if one["kind"] == "law_enforcement" and (one["liaison"] in telling.liaisons(facts) or name in told)
    ]
    return unique([*hotlines, *police])

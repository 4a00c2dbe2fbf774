"""Where content is hosted: it moves, a host is confirmed, or a newer word is answered or followed."""

from model import actions, hold_course, network, remits, routes, writing
from model.lists import unique
from model.questions import claiming, clocks, hosting, places, reporters, states, telling


def move(now, action):
    """Write what a word says that the content has moved."""
    facts, country = now["facts"], network.country_in(action)
    if country is None:
        writing.by_sender(now, "refused", action="moved", rule="required")
        return "refused", "required"
    if _is_no_good_word(now, action):
        return ("accepted",)
    if country == hosting.host(facts):
        return actions.not_applicable(now, action, "same_country")
    moves = hosting.moves(facts)
    writing.by_sender(now, "moved", new_country=country, encloses=_encloses(now, action))
    _go(now, country, action, moves)
    return ("accepted",)


def follow_sight(now, action, observed_at):
    """Go where a party has seen the content since, while no hotline has the case."""
    facts, country = now["facts"], network.country_in(action)
    if states.state(facts) not in {"orphaned", "offered"} or not _may_say(facts, action["sender"]):
        return
    if country in {None, hosting.host(facts)} or country in network.PSEUDO_COUNTRIES:
        return
    if observed_at > clocks.leg_began(facts):
        moves = hosting.moves(facts)
        what = {"new_country": country, "encloses": _encloses(now, action)}
        writing.by_rule(now, "moved", by=action["sender"], **what)
        _go(now, country, action, moves)


def _go(now, country, action, moves):
    relocate(now, country, "moved", action.get("hosting_status") or "confirmed")
    if moves == network.LIMITS["max_moves"] and network.secretariat(now["directory"]):
        writing.by_rule(now, "moves_exceeded", member=network.secretariat(now["directory"]))


def confirm(now, action):
    """Write what a word does that says the host is known."""
    facts, country = now["facts"], network.country_in(action)
    if _is_no_good_word(now, action):
        return ("accepted",)
    if country not in {None, hosting.host(facts)}:
        what = {"new_country": country, "encloses": _encloses(now, action)}
        writing.by_sender(now, "hosting_confirmed", status=None, **what)
        relocate(now, country, "hosting_confirmed", "confirmed")
        return ("accepted",)
    if hosting.hosting_status(facts) == "confirmed" and hosting.doubt(facts) is None:
        return actions.not_applicable(now, action, "already_done")
    writing.by_sender(now, "hosting_confirmed", status="confirmed")
    return ("accepted",)


def _encloses(now, action):
    """Answer whether a word came with content; of one that waited for its report it is not known any more."""
    has_waited = any(fact["kind"] == "awaited" and fact["input"] == now["input"] for fact in now["facts"])
    return action.get("digest") is not None and not has_waited


def _is_no_good_word(now, action):
    """Write a word with its breach; answer whether it had one. A newer one by the wrong member is a doubt."""
    facts = now["facts"]
    breaches = []
    if not _may_say(facts, action["sender"]):
        breaches.append("not_responsible")
    elif states.state(facts) == "closed":
        breaches.append("out_of_order")
    if actions.is_stale(facts, action) and "out_of_order" not in breaches:
        breaches.append("out_of_order")
    if breaches:
        writing.by_sender(now, action["action"], breaches=breaches, status=None)
    if breaches == ["not_responsible"]:
        observed = action.get("observed_at")
        doubt(now, network.country_in(action), None if observed is None else min(observed, now["now"]))
    return bool(breaches)


def _may_say(facts, sender):
    """Answer who may say where the content is: the responsible hotline, or while there is none others."""
    if states.state(facts) == "orphaned":
        return True
    if states.state(facts) != "offered":
        return sender == places.responsible(facts)
    who = network.MEMBERS.get(sender, {"kind": None})
    is_police = who["kind"] == "law_enforcement" and hosting.host(facts) in who["countries"]
    return is_police or sender in places.pool(facts) or reporters.origin(facts, sender) is not None


def disputes(facts, country, observed_at):
    """Answer whether a word on the host is newer than what is known, and another."""
    if country is None or observed_at is None or states.state(facts) not in states.WITH_A_HOTLINE:
        return False
    if country == hosting.host(facts) or country in network.PSEUDO_COUNTRIES:
        return False
    known = hosting.doubt(facts)
    if known is None:
        return observed_at > clocks.leg_began(facts)
    return country != known["country"] and observed_at > known["observed_at"]


def doubt(now, country, observed_at, report=None):
    """Write that the sender disputes the host, where it does."""
    facts = now["facts"]
    if disputes(facts, country, observed_at):
        known = hosting.doubt(facts)
        until = now["now"] + network.LIMITS["answer_host"] if known is None else known["until"]
        what = {"country": country, "observed_at": observed_at, "until": until, "report": report}
        writing.by_rule(now, "host_disputed", members=[now["sender"]], **what)


def follow(now, timer):
    """Go where the newest word says: the responsible hotline has not answered it."""
    known = hosting.doubt(now["facts"])
    writing.by_rule(now, "host_unanswered", due_at=timer["at"], members=known["members"], ref=known["number"])
    relocate(now, known["country"], "host_unanswered", None)


def relocate(now, country, reason, status):
    """Begin the next leg in another country; where content moved, who gave it back may get it again."""
    hold_course.end(now, "moved", country)
    declined = [] if reason == "moved" else None
    hand_on(now, way_of(now, country, declined=declined), reason, status)


def way_of(now, country=None, *, declined=None, offers=True):
    """Answer where the case goes by the directory of now."""
    facts = now["facts"]
    first = reporters.origins(facts)[0]
    out = claiming.declined(facts) if declined is None else declined
    host = country or hosting.host(facts)
    about = remits.of_the_case(facts)
    return routes.route(now["directory"], host, first["member"], about, declined=out, offers=offers)


def hand_on(now, way, reason, status=None, *, report=None, until=None):
    """Begin the next leg, with all that goes with it; with the last report of the first origin."""
    facts = now["facts"]
    one = report or reporters.origins(facts)[0]
    all_know = way["reason"] in telling.escalated(facts) and set(way["liaisons"]) <= set(
        telling.liaisons(facts)
    )
    what = {"reason": reason, "status": status, "until": until, "others": givers(facts, way["country"])}
    routes.begin_leg(now, way, one["last"], one["member"], **what)
    routes.ask_if_unreadable(now, way, one["last"], one["member"])
    if way["reason"] is not None and not all_know:
        routes.escalate(now, way["reason"], way, one["last"], one["member"])


def givers(facts, country):
    """Answer whose reports and words a hotline of a country gets with the case."""
    word = hosting.word(facts)
    speakers = [word["by"]] if word is not None and word["country"] == country else []
    return unique([*reporters.members(facts), *speakers])

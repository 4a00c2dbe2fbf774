"""Parties: who may speak about a case, and who may hold what was told of it."""

from model import network
from model.lists import unique
from model.questions.confirming import asked
from model.questions.holding import hold, hold_requests
from model.questions.hosting import host
from model.questions.keeping import preservations, references
from model.questions.places import former, pool, responsible
from model.questions.reporters import origins
from model.questions.states import state
from model.questions.telling import had_a_delivery, liaisons


def may_say(facts, member, action, directory):
    """Answer whether a member is entitled to an action; by a hold or by keeping it to police matters."""
    by_police_work = {"hold", "release", "preserve", "acknowledged", "confirmed"}
    if action in by_police_work:
        return is_party(facts, member, directory)
    return is_told_of_the_case(facts, member)


def is_party(facts, member, directory=None):
    """Answer whether a member is entitled to speak about the case.

    Without a directory nobody has taken the place of a liaison that is gone.
    """
    is_about_holds = hold(facts) is not None or hold_requests(facts)
    if directory and is_about_holds and network.is_hosting_liaison(directory, member, host(facts)):
        return True
    keepers = [*references(facts), *(one["by"] for one in preservations(facts))]
    of_holds = [one[who] for one in hold_requests(facts) for who in ("by", "liaison")]
    if hold(facts) is not None:
        of_holds += [*hold(facts)["askers"], hold(facts)["liaison"]]
    return member in [*keepers, *of_holds] or is_told_of_the_case(facts, member)


def is_told_of_the_case(facts, member):
    """Answer whether a member is a party by more than a hold or by keeping the case."""
    parties = [responsible(facts), *former(facts), *pool(facts), *(one["member"] for one in origins(facts))]
    if member in parties or any(member in one["members"] for one in asked(facts)):
        return True
    who = network.MEMBERS.get(member, {"kind": "stranger"})
    if who["kind"] == "law_enforcement":
        return _is_police_of(facts, member)
    if who["kind"] == "authority":
        return had_a_delivery(facts, member)
    may_claim = state(facts) == "orphaned" and network.is_mandated(member)
    return may_claim or who["kind"] == "secretariat"


def _is_police_of(facts, member):
    who = network.MEMBERS[member]
    was_told = who["liaison"] in liaisons(facts) or had_a_delivery(facts, f"feed.{member}")
    return was_told or host(facts) in who["countries"]


def told_officials(facts):
    """Answer the police and authorities that were told anything of the case, and are entitled to it."""
    found = []
    for member, who in sorted(network.MEMBERS.items()):
        is_told = who.get("liaison") in liaisons(facts) or had_a_delivery(facts, member)
        is_told = is_told or had_a_delivery(facts, f"feed.{member}")
        if who["kind"] == "authority" and is_told:
            found.append(member)
        if who["kind"] == "law_enforcement" and is_told and _is_police_of(facts, member):
            found.append(member)
    return found


def holders(facts):
    """Answer the members that may hold what was told of the case."""
    found = [responsible(facts), *(one["member"] for one in origins(facts)), *former(facts)]
    if hold(facts) is not None:
        found += [hold(facts)["liaison"], *hold(facts)["askers"]]
    return unique(member for member in found if member is not None)

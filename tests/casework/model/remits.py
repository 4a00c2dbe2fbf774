"""Remits: which hotlines of a country a report fits, by what it says."""

from model.questions import rounds, statements


def of_a_report(report):
    """Answer what a report is about."""
    return _about(report["topic"], report["site"], report["type"], report["classification"])


def of_the_case(facts):
    """Answer what a case is about: what the report says that opened the round, and how it is assessed now."""
    opened = rounds.this_round(facts)[0]["about"]
    return opened | {"classification": statements.assessment(facts)[0] or "unassessed"}


def _about(topic, site, kind, classification):
    return {"topic": topic, "site": site, "type": kind, "classification": classification or "unassessed"}


def choosable(directory, country, hotlines, about):
    """Answer the hotlines that the weights choose among."""
    takes = directory["remits"].get(country)
    if takes is None:
        return hotlines
    naming = [one for one in hotlines if takes.get(one)]
    fitting = [one for one in naming if _fits(takes[one], about)]
    others = [one for one in hotlines if one not in naming]
    among = fitting or others or hotlines
    return {one: hotlines[one] for one in among}


def _fits(takes, about):
    return all(about[what] in listed for what, listed in takes.items())

"""What versions of the directory differ in, beside who is suspended: each matter has a few ways, by name."""

from model.clock import DAY, HOUR

REMITS = {
    "weights": {},
    "by topic": {
        "DE": {
            "de-eco": {"topic": ["csam_textual", "grooming"]},
            "de-fsm": {"topic": ["csam_textual"], "site": ["forum"]},
        }
    },
    "by site and type": {
        "DE": {
            "de-eco": {"site": ["forum", "file_host"], "type": ["media"]},
            "de-jugend": {"site": ["forum"]},
        },
        "NL": {"nl-offlimits": {"topic": ["grooming"]}},
    },
    "by assessment": {
        "DE": {
            "de-eco": {"classification": ["baseline", "national"]},
            "de-fsm": {"classification": ["unassessed"]},
            "de-jugend": {"classification": ["unassessed", "not_illegal"], "topic": ["csam_textual"]},
        }
    },
}
"""Countries with the rule `remit`, and what their hotlines take; one that is not named takes everything."""

DEADLINES = {
    "of the network": {},
    "of a country": {"DE": {"acknowledge": 12 * HOUR, "remind": HOUR}, "FR": {"inform_provider": DAY}},
    "of members": {
        "DE": {"acknowledge": 12 * HOUR, "inform_police": 48 * HOUR},
        "de-eco": {"acknowledge": 6 * HOUR, "confirm_removal": 3 * DAY, "remind": 2 * HOUR},
        "ie-hotline": {"inform_police": 30 * HOUR},
        "fr-point": {"remind": 3 * DAY},
    },
}
"""Deadlines of countries and of single hotlines, for the steps where they have their own."""

RECEIVES = {
    "all": {},
    "few for hotlines": {
        "de-eco": ["DE", "NL", "GB"],
        "nl-offlimits": ["GB", "IE"],
        "fr-point": ["FR", "NL"],
    },
    "few for police": {"nl-police": ["FR", "IE"], "interpol": ["GB", "NL"], "de-police": ["DE"]},
    "few for all": {
        "de-fsm": ["DE"],
        "ie-hotline": ["GB", "FR"],
        "de-authority": ["NL"],
        "nl-police": ["NL", "GB"],
        "europol": [],
    },
}
"""Members that may be given reports of some countries' members only, and which these are."""

UNREAD = {"all are read": [], "one is not": ["de"], "two are not": ["nl", "interpol"]}
"""Liaisons whose escalations nobody is known to read."""

OWN_REPORTS = {"are kept": [], "are shared": ["DE", "FR"]}
"""Countries where a hotline that found the content itself has it by the same rule as any other."""

HOLDS = {"of the network": {}, "of countries": {"NL": 10 * DAY, "DE": 60 * DAY}}
"""Countries with a limit of their own for holds."""

MATTERS = {
    "remits": REMITS,
    "deadlines": DEADLINES,
    "receives": RECEIVES,
    "unread": UNREAD,
    "own_reports": OWN_REPORTS,
    "holds": HOLDS,
}
AS_EVER = tuple(next(iter(ways)) for ways in MATTERS.values())


def named(*names):
    """Answer what holds in a version that names one way of each matter."""
    return {matter: MATTERS[matter][name] for matter, name in zip(MATTERS, names, strict=True)}

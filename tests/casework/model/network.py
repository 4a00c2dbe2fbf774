"""The network that the histories play in: small, with one country for each way of handling a case."""

from model import variants
from model.clock import DAY, HOUR

URL_KEY = b"\x01" + bytes(range(32))

MEMBERS = {
    "gb-iwf": {"kind": "hotline", "countries": ["GB"]},
    "nl-offlimits": {"kind": "hotline", "countries": ["NL"]},
    "de-eco": {"kind": "hotline", "countries": ["DE"]},
    "de-fsm": {"kind": "hotline", "countries": ["DE"]},
    "de-jugend": {"kind": "hotline", "countries": ["DE"]},
    "fr-point": {"kind": "hotline", "countries": ["FR"]},
    "fr-phare": {"kind": "hotline", "countries": ["FR"]},
    "ie-hotline": {"kind": "hotline", "countries": ["IE"], "mandates": ["orphans"]},
    "nl-police": {
        "kind": "law_enforcement",
        "countries": ["NL"],
        "liaison": "nl",
        "feed": "all_hosted",
        "feed_informs_police": True,
    },
    "de-police": {"kind": "law_enforcement", "countries": ["DE"], "liaison": "de"},
    "interpol": {"kind": "law_enforcement", "countries": [], "liaison": "interpol", "feed": "all_confirmed"},
    "europol": {"kind": "law_enforcement", "countries": [], "liaison": "europol"},
    "de-authority": {"kind": "authority", "countries": ["DE"]},
    "secretariat": {"kind": "secretariat", "countries": []},
}
"""All are active unless a version of the directory suspends them; each has one key for sealed content."""

COUNTRIES = {
    "NL": {"routing": "single", "hotlines": {"nl-offlimits": 1}, "contacts": ["europol", "interpol"]},
    "DE": {
        "routing": "weights",
        "hotlines": {"de-eco": 2, "de-fsm": 1, "de-jugend": 1},
        "notice": "police_first",
        "police_wait": 2 * HOUR,
    },
    "FR": {"routing": "claim", "hotlines": {"fr-point": 1, "fr-phare": 1}, "notice": "police_consent"},
    "IE": {"routing": "single", "hotlines": {"ie-hotline": 1}},
    "GB": {"routing": "single", "hotlines": {"gb-iwf": 1}},
}
"""Any other country, such as HK, has no hotline."""

PSEUDO_COUNTRIES = {
    "XT": {"reason": "tor", "liaisons": ["interpol", "europol"], "desk": None},
    "ZZ": {"reason": "unknown_host", "liaisons": ["interpol", "europol"], "desk": "desk-orphans"},
}
ALIASES = {"UK": "GB"}

DEADLINES = {
    "acknowledge": 24 * HOUR,
    "inform_police": 24 * HOUR,
    "inform_provider": 72 * HOUR,
    "confirm_removal": 7 * DAY,
    "remind": DAY,
}
WAITS_FOR_ITS_REPORT = HOUR
REWRAP = 4 * HOUR
LIMITS = {
    "answer_host": DAY,
    "max_moves": 2,
    "escalation": 4 * HOUR,
    "digest_hour": 6,
    "confirm": 7 * DAY,
    "erase": 90 * DAY,
    "preserve": 365 * DAY,
    "lease": DAY,
    "unclaimed": DAY,
    "hold": 42 * DAY,
}


def version(number, suspended=(), rules=variants.AS_EVER):
    """Answer one version of the directory: its number, who is not active in it, and by which rules."""
    return {"version": number, "suspended": sorted(suspended), **variants.named(*rules)}


def is_active(directory, member):
    """Answer whether a member is listed and active."""
    return member in MEMBERS and member not in directory["suspended"]


def canonical(country):
    """Answer the code of a country whose alias may have been given."""
    return ALIASES.get(country, country)


def may_receive(directory, member, origin):
    """Answer whether a member may be given the reports of an origin: its own always."""
    allowed = directory["receives"].get(member)
    if allowed is None or member == origin:
        return True
    countries = MEMBERS.get(origin, {"countries": []})["countries"]
    return bool(countries) and all(country in allowed for country in countries)


def hotlines_of(directory, country, origin=None):
    """Answer the active hotlines of a country that may receive from an origin, with their weights."""
    shares = COUNTRIES.get(country, {}).get("hotlines", {})
    return {
        member: weight
        for member, weight in shares.items()
        if is_active(directory, member) and (origin is None or may_receive(directory, member, origin))
    }


def mandated(directory):
    """Answer the hotlines that may claim an orphaned case."""
    return [name for name, one in MEMBERS.items() if one.get("mandates") and is_active(directory, name)]


def member_of(directory, liaison, origin=None):
    """Answer the active member that reads the escalations of a code and may receive from an origin."""
    name = next((name for name, one in MEMBERS.items() if one.get("liaison") == liaison), None)
    if name is None or liaison in directory["unread"] or not is_active(directory, name):
        return None
    return name if origin is None or may_receive(directory, name, origin) else None


def liaisons_of(directory, country, origin=None):
    """Answer where escalations about a country go: its own police, else INTERPOL, else Europol."""
    if country in PSEUDO_COUNTRIES:
        return [one for one in PSEUDO_COUNTRIES[country]["liaisons"] if member_of(directory, one, origin)]
    second = COUNTRIES.get(country, {}).get("contacts", [])[:1]
    for code in (country.lower(), *second, "interpol", "europol"):
        if member_of(directory, code, origin):
            return [code]
    return []


def deadlines_of(directory, way):
    """Answer the limits of a leg: the hotline's over the country's over all; none where no clock runs."""
    if way["country"] in PSEUDO_COUNTRIES:
        return None
    own = directory["deadlines"]
    return DEADLINES | own.get(way["assigned_country"], {}) | own.get(way["hotline"], {})


def hold_limit(directory, country):
    """Answer how long a hold in a country may last."""
    return directory["holds"].get(country, LIMITS["hold"])


def subscribers(directory):
    """Answer the police that subscribed to a feed."""
    return [name for name in sorted(MEMBERS) if MEMBERS[name].get("feed") and is_active(directory, name)]


def secretariat(directory):
    """Answer who is told what nobody else sets right."""
    return _first(directory, "secretariat")


def authority_of(directory, country, origin):
    """Answer the authority of a country that may sanction providers, and learn of an origin's report."""
    return _first(directory, "authority", country, origin)


def police_of(directory, country, origin=None):
    """Answer the police of a country, those that may receive from an origin where one is named."""
    return _first(directory, "law_enforcement", country, origin)


def _first(directory, kind, country=None, origin=None):
    for name, one in sorted(MEMBERS.items()):
        is_one = one["kind"] == kind and country in {None, *one["countries"]} and is_active(directory, name)
        if is_one and (origin is None or may_receive(directory, name, origin)):
            return name
    return None


def contact_after(directory, country, code, origin):
    """Answer the next contact of a country after one that was silent."""
    contacts = COUNTRIES.get(country, {}).get("contacts", [])
    beyond = contacts[contacts.index(code) + 1 :] if code in contacts else contacts
    return next((one for one in beyond if member_of(directory, one, origin)), None)


def country_in(action):
    """Answer the country that an action says the content is hosted in now."""
    country = action.get("new_country")
    return None if country is None else canonical(country)


def is_mandated(member):
    """Answer whether a hotline may claim orphaned cases."""
    return "orphans" in MEMBERS.get(member, {}).get("mandates", [])


def hosting_liaison(directory, country):
    """Answer who speaks for the police of a hosting country: its own, else INTERPOL, else Europol."""
    own = police_of(directory, country)
    if own is not None:
        return own
    codes = liaisons_of(directory, country)
    return member_of(directory, codes[0]) if codes else None


def is_hosting_liaison(directory, member, country):
    """Answer whether a member may speak for the police of a hosting country."""
    who = MEMBERS.get(member, {"kind": None})
    if who["kind"] != "law_enforcement" or not is_active(directory, member):
        return False
    return country in who["countries"] or hosting_liaison(directory, country) == member

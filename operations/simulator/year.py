"""A year of reports in order of time, as published, made one at a time from a seed.

The reports of a complaint share host and site type, as the images of one page do. Addresses lie in domains
reserved for examples (RFC 2606) and networks reserved for documentation (RFC 5737, RFC 5398).
"""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import Any, Final

import msgspec

from casework.countries import TOR, UNKNOWN_HOST
from casework.directory import Directory
from casework.errors import BadInputError, RuleViolation
from operations.simulator import constants
from operations.simulator.arrivals import Arrival, arrivals
from operations.simulator.behaviour import Behaviour
from operations.simulator.draws import Draws, Weighted
from operations.simulator.hosting import hosting_weights
from operations.simulator.population import Population
from operations.simulator.reports import SimulatedReport
from operations.simulator.turns import Turns

# Enough that a repeated location may lie days back, small enough to be forgotten.
_REMEMBERED: Final = 4096
_EXAMPLE_NETWORKS: Final = ("192.0.2", "198.51.100", "203.0.113")
_FIRST_EXAMPLE_ASN: Final = 64_496
_EXAMPLE_ASNS: Final = 16
_OTHER_SITES_WEIGHT: Final = 1.0 - sum(constants.SITE_TYPES.values())


class _Complaint(msgspec.Struct, frozen=True):
    sender: str
    identifier: str
    hosting_country: str
    site_type: str
    host: str
    ip: str | None
    asn: int | None
    is_cdn: bool
    referrer: str | None


class SimulatedYear:
    """The reports of one year; iterating twice gives the same twice.

    Args:
        year: One of `constants.YEARS`.
        seed: Equal seeds give equal reports, byte for byte.
        directory: Its active hotlines report and are responsible.
        scale: Share of the year's reports to make.
        only: Hotlines that take part; what is hosted with another one is left out. None is all.
        rare_at_least: Share of reports to which each kind of turn happens where it is thought to be rarer;
            above 0 the year is no longer the one of the figures.

    Raises:
        BadInputError: The year has no figures, or the scale makes no report.
        SetupError: The directory has no active hotline.
    """

    def __init__(  # noqa: PLR0913 - keyword-only choices
        self,
        year: int,
        seed: int,
        directory: Directory,
        *,
        scale: float = 1.0,
        only: Collection[str] | None = None,
        rare_at_least: float = 0.0,
    ) -> None:
        if year not in constants.REPORTS:
            known = ", ".join(str(known) for known in constants.YEARS)
            raise BadInputError(RuleViolation("year", "no_figures", f"published figures exist for {known}"))
        self.year = year
        self.seed = seed
        self.population = Population(directory, only)
        self.reports = round(constants.REPORTS[year] * scale)
        if self.reports < 1:
            raise BadInputError(RuleViolation("scale", "too_small", "must leave at least one report"))
        self.start_ms = start_of(year)
        self.rare_at_least = rare_at_least

    def __len__(self) -> int:
        return self.reports

    def __iter__(self) -> Iterator[SimulatedReport]:
        maker = _Maker(self)
        at = self.start_ms
        for arrival in arrivals(self.year, self.reports, Draws(self.seed, "arrivals")):
            at = max(at, self.start_ms + arrival.at)
            complaint = maker.complaint(arrival)
            for item in range(arrival.reports):
                yield maker.report(complaint, arrival, item, at)
                at += 1


def start_of(year: int) -> int:
    """Answer when a year begins, milliseconds since epoch UTC."""
    return int(dt.datetime(year, 1, 1, tzinfo=dt.UTC).timestamp() * 1000)


class _Maker:
    def __init__(self, of: SimulatedYear) -> None:
        self._population = of.population
        self._draws = Draws(of.seed, "reports")
        hosting = {
            country: share
            for country, share in hosting_weights(of.year).items()
            if of.population.may_host(country)
        }
        served = {country: share for country, share in hosting.items() if of.population.is_served(country)}
        self._behaviour = Behaviour(of.year, served, Draws(of.seed, "behaviour"))
        self._hosting = Weighted(hosting)
        self._turns = Turns(self._hosting, Draws(of.seed, "turns"), at_least=of.rare_at_least)
        other = _OTHER_SITES_WEIGHT / len(constants.OTHER_SITE_TYPES)
        self._sites = Weighted({**constants.SITE_TYPES, **dict.fromkeys(constants.OTHER_SITE_TYPES, other)})
        self._topics = Weighted(constants.TOPICS)
        self._ages = Weighted(constants.AGES[of.year])
        self._genders = Weighted(constants.GENDERS[of.year])
        self._known_share = 1.0 - constants.NEW_CONTENT_SHARE[of.year]
        self._prefix = f"sim-{of.year}-{of.seed}"
        self._complaints = 0
        self._reports = 0
        self._recent: list[SimulatedReport] = []

    def complaint(self, arrival: Arrival) -> _Complaint:
        self._complaints += 1
        number, uniform, happens = self._complaints, self._draws.uniform, self._draws.happens
        burst = arrival.burst and self._population.hotline_of(arrival.burst.country)
        country = self._hosting.draw(uniform())
        site_type = self._sites.draw(uniform())
        is_traced = country not in {TOR, UNKNOWN_HOST}
        needs_referrer = site_type == "website" and happens(constants.REFERRER_SHARE)
        return _Complaint(
            sender=burst or self._population.origins.draw(uniform()),
            identifier=f"{self._prefix}-{number}",
            hosting_country=country,
            site_type=site_type,
            host=f"h{int(uniform() * 0xFFFFFFFF):08x}.{'onion.example' if country == TOR else 'example'}",
            ip=f"{_EXAMPLE_NETWORKS[number % 3]}.{int(uniform() * 254) + 1}" if is_traced else None,
            asn=_FIRST_EXAMPLE_ASN + number % _EXAMPLE_ASNS if is_traced else None,
            is_cdn=is_traced and happens(constants.CDN_SHARE),
            referrer=f"https://referrer-{number}.example/" if needs_referrer else None,
        )

    def report(self, complaint: _Complaint, arrival: Arrival, item: int, at: int) -> SimulatedReport:
        self._reports += 1
        if self._recent and self._draws.happens(constants.DUPLICATE_SHARE):
            return self._again(complaint, at)
        behaviour = self._behaviour
        is_illegal = behaviour.is_illegal()
        received_at, fate = behaviour.fate(at, complaint.hosting_country, is_illegal=is_illegal)
        source_page = f"https://{complaint.host}/{complaint.identifier}/"
        report = SimulatedReport(
            sender=complaint.sender,
            occurred_at=at,
            received_at=received_at,
            reference=f"{self._prefix}/{self._reports}",
            complaint_id=complaint.identifier,
            url=f"{source_page}{item}.jpg" if item else source_page,
            hosting_country=complaint.hosting_country,
            content_type="media" if item else "website",
            site_type=complaint.site_type,
            is_source_page=item == 0,
            hosting_status="provisional" if complaint.is_cdn else "confirmed",
            hosting_is_cdn=complaint.is_cdn,
            hosting_ip=complaint.ip,
            hosting_asn=complaint.asn,
            referrer=complaint.referrer,
            source_page=source_page if item else None,
            detection_method="automated_scan" if arrival.burst else "user_report",
            in_burst=arrival.burst is not None,
            turns=self._turns.of(fate, complaint.hosting_country, is_provisional=complaint.is_cdn),
            fate=fate,
            **(self._assessment() if is_illegal else {}),
        )
        self._remember(report)
        return report

    def _assessment(self) -> dict[str, Any]:
        uniform, happens = self._draws.uniform, self._draws.happens
        topic = self._topics.draw(uniform())
        return {
            "content_topic": topic,
            "classification": "baseline" if happens(constants.BASELINE_SHARE) else "national",
            "age_category": self._ages.draw(uniform()),
            "gender_category": self._genders.draw(uniform()),
            "is_virtual": topic == "csam_computer_generated",
            "is_user_generated": topic == "csam_self_generated",
            "is_child_modelling": topic == "csam_sexualised_posing",
            "previously_known": happens(self._known_share),
            "urgency": tuple(code for code, share in constants.URGENCY_SHARES.items() if happens(share)),
        }

    def _again(self, complaint: _Complaint, at: int) -> SimulatedReport:
        first = self._recent[int(self._draws.uniform() * len(self._recent))]
        is_same = self._draws.happens(constants.DUPLICATE_BY_SAME_HOTLINE_SHARE)
        return msgspec.structs.replace(
            first,
            sender=first.sender if is_same else complaint.sender,
            occurred_at=at,
            received_at=first.received_at
            + (at - first.occurred_at) // constants.MINUTE_MS * constants.MINUTE_MS,
            reference=f"{self._prefix}/{self._reports}",
            complaint_id=complaint.identifier,
            is_duplicate=True,
            in_burst=False,
        )

    def _remember(self, report: SimulatedReport) -> None:
        if len(self._recent) < _REMEMBERED:
            self._recent.append(report)
        else:
            self._recent[self._reports % _REMEMBERED] = report

"""What came out of a simulated year, line by line against what was published.

What is assumed is compared with the range that was found, and named so (`rarities`). Reports of one complaint
share a host, so shares of hosts and site types count with the effective sample size of such clusters.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from casework.countries import TOR
from operations.simulator import constants
from operations.simulator.constants import DAY_MS
from operations.simulator.hosting import published_hosting
from operations.simulator.population import Population
from operations.simulator.rarities import Rarities
from operations.simulator.reports import SimulatedReport
from operations.simulator.samples import CLUSTER, Days, Line, Share, compare
from operations.simulator.year import start_of

# Half a unit of the last digit: of whole per cents, of tenths and hundredths of one, of tenths of a day.
_PERCENT: Final = 0.005
_TENTH_PERCENT: Final = 0.0005
_HUNDREDTH_PERCENT: Final = 0.00005
_DAY: Final = 0.5
_TENTH_DAY: Final = 0.05
_HUNDREDTH_DAY: Final = 0.005
_HOSTS_COMPARED: Final = 10


class Statistics:
    """Counts the reports of a year as they pass by, in bounded memory."""

    def __init__(self, year: int, expected: int, population: Population) -> None:
        self._year = year
        self._expected = expected
        self._population = population
        self._total = 0
        self._duplicates = 0
        self._complaints = 0
        self._last_complaint = ""
        self._illegal = 0
        self._is_new = 0
        self._hosting: Counter[str] = Counter()
        self._sites: Counter[str] = Counter()
        self._genders: Counter[str] = Counter()
        self._ages: Counter[str] = Counter()
        self._orphans = 0
        self._inside = Days()
        self._outside = Days()
        self._police = Days()
        self._german_police = Days()
        self._stays = 0
        scale = expected / constants.REPORTS[year]
        self._rarities = Rarities(year, start_of(year), scale, population)

    def watch(self, reports: Iterable[SimulatedReport]) -> Iterator[SimulatedReport]:
        """Count the reports while they pass unchanged."""
        for report in reports:
            self.add(report)
            yield report

    def add(self, report: SimulatedReport) -> None:
        """Count one report; those of a complaint follow each other."""
        self._total += 1
        self._rarities.add(report)
        if report.complaint_id != self._last_complaint:
            self._complaints += 1
            self._last_complaint = report.complaint_id
        country = report.hosting_country
        is_inside = self._population.is_served(country)
        self._hosting[country] += 1
        self._sites[report.site_type] += 1
        self._orphans += not is_inside
        self._duplicates += report.is_duplicate
        if report.classification == "unassessed":
            return
        self._illegal += 1
        self._is_new += not report.previously_known
        self._genders[report.gender_category or ""] += 1
        self._ages[report.age_category or ""] += 1
        if not report.is_duplicate:
            self._add_times(report, is_inside=is_inside)

    def _add_times(self, report: SimulatedReport, *, is_inside: bool) -> None:
        fate, start = report.fate, report.received_at
        if fate.closed_at is None:
            self._stays += 1
        else:
            (self._inside if is_inside else self._outside).add((fate.closed_at - start) / DAY_MS)
        if is_inside and fate.police_informed_at is not None:
            days = (fate.police_informed_at - start) / DAY_MS
            self._police.add(days)
            if report.hosting_country == "DE":
                self._german_police.add(days)

    def lines(self) -> list[Line]:
        """Answer every figure with its verdict."""
        return [
            Line("reports", self._total, self._expected, 0, "reports", "within", "INHOPE, ICCAM records"),
            *self._judgement_lines(),
            *self._removal_lines(),
            *self._hosting_lines(),
            *self._attribute_lines(),
            *self._rarities.lines(),
        ]

    def _judgement_lines(self) -> Iterator[Line]:
        illegal, new = constants.ILLEGAL_SHARE[self._year], constants.NEW_CONTENT_SHARE[self._year]
        yield compare("judged illegal", Share(self._illegal, self._total), illegal, "NMHH, INHOPE", _PERCENT)
        if self._year in constants.NEW_CONTENT_PUBLISHED:
            yield compare("new content", Share(self._is_new, self._illegal), new, "INHOPE", _PERCENT)
        size = self._total / max(self._complaints, 1)
        mean = constants.REPORTS_PER_COMPLAINT
        yield Line("reports per complaint", size, mean, 0.05, "items", "within", "INHOPE 2018, 2019")
        again = Share(self._duplicates, self._total)
        yield compare("duplicates", again, constants.DUPLICATE_SHARE, "BIK Q1 2024", _TENTH_PERCENT)

    def _removal_lines(self) -> Iterator[Line]:
        inside, outside = self._inside, self._outside
        mean = constants.REMOVAL_MEAN_DAYS[self._year]
        digit = _DAY if mean == int(mean) else _TENTH_DAY
        yield compare("mean removal", inside, mean, "EU indicator, INHOPE 2023", digit)
        same_day = constants.SAME_DAY_REMOVAL_SHARE.get(self._year)
        if same_day is not None:
            yield compare("removed the same day", inside.within(1), same_day, "NMHH 2022", _PERCENT)
            fitted = "fitted to the two above"
            yield compare("median removal", inside.median(), 2.4, fitted, _TENTH_DAY)
            yield compare("removed within 3 days", inside.within(3), 0.57, fitted, _PERCENT)
            yield compare("removed within 7 days", inside.within(7), 0.79, fitted, _PERCENT)
        removed = inside.number + outside.number
        eventually, eco = constants.REMOVED_EVENTUALLY_SHARE, "eco 2022"
        yield compare(
            "removed in the end", Share(removed, removed + self._stays), eventually, eco, _TENTH_PERCENT
        )
        if outside.number:
            away = constants.REMOVAL_OUTSIDE_MEAN_DAYS
            yield _at_least(compare("mean removal, no hotline", outside, away, "INHOPE 2023", _DAY))
        told = constants.POLICE_WITHIN_3_DAYS_SHARE
        yield _at_least(
            compare("police told within 3 days", self._police.within(3), told, "INHOPE 2023", _PERCENT)
        )
        if self._year in constants.GERMANY_POLICE_YEARS and self._german_police.number:
            told = constants.GERMANY_POLICE_DAYS
            yield compare("mean to police, DE", self._german_police, told, eco, _HUNDREDTH_DAY)

    def _hosting_lines(self) -> Iterator[Line]:
        published = published_hosting(self._year)
        for country in sorted(published, key=lambda code: -published[code])[:_HOSTS_COMPARED]:
            yield self._hosted(f"hosted in {country}", self._hosting[country], published[country])
        if TOR in published:
            named = constants.ORPHAN_COUNTRIES_2024
            count = sum(self._hosting[country] for country in named)
            yield self._hosted(
                f"hosted in {' '.join(named)}", count, sum(published[country] for country in named)
            )
        limits = constants.ORPHAN_SHARE_RANGE.get(self._year)
        if limits is not None:
            line = self._hosted("no hotline responsible", self._orphans, sum(limits) / 2)
            tolerance = line.tolerance + (limits[1] - limits[0]) / 2
            source = constants.ORPHAN_SOURCE[self._year]
            yield msgspec.structs.replace(line, tolerance=tolerance, source=source)

    def _hosted(self, name: str, count: int, share: float) -> Line:
        source = constants.HOSTING_SOURCE[self._year]
        return compare(name, Share(count, self._total, CLUSTER), share, source, _PERCENT)

    def _attribute_lines(self) -> Iterator[Line]:
        inhope = "INHOPE 2023, 2024"
        for site, share in constants.SITE_TYPES.items():
            found = Share(self._sites[site], self._total, CLUSTER)
            yield compare(f"site type {site}", found, share, inhope, _HUNDREDTH_PERCENT)
        for gender, share in constants.GENDERS[self._year].items():
            yield compare(
                f"gender {gender}", Share(self._genders[gender], self._illegal), share, inhope, _PERCENT
            )
        ages = constants.AGES[self._year]
        young = ("infant", "pre_pubescent")
        found = Share(sum(self._ages[age] for age in young), self._illegal)
        yield compare("under 13", found, sum(ages[age] for age in young), inhope, _PERCENT)


def _at_least(line: Line) -> Line:
    return msgspec.structs.replace(line, rule="at_least")

"""The published figures that the simulator is built from, each with its source and year.

"domain 4.x" names the section of the domain research. What nobody has
published is marked *assumed* and gives the range found, if any; `statistics` compares an assumption only with
such a range, and says so. A figure carried over from a neighbouring year says so.
"""

from typing import Final

from casework.countries import TOR

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000

# Reports a year: ICCAM records, 4.1 (INHOPE annual reports 2022, 2023, 2024).
REPORTS: Final = {2022: 587_852, 2023: 785_322, 2024: 2_497_438}
YEARS: Final = tuple(REPORTS)

# Share judged illegal, 4.1: 68 % (NMHH on 2022), 539,836 of 785,322 (2023), 65 % (2024).
ILLEGAL_SHARE: Final = {2022: 0.68, 2023: 0.687, 2024: 0.65}

# Share never met before, 4.1: 88 % (2023), 37 % (2024). 2022 not published: the middle of 2020's 40 % and
# 2023's 88 %.
NEW_CONTENT_SHARE: Final = {2022: 0.64, 2023: 0.88, 2024: 0.37}
NEW_CONTENT_PUBLISHED: Final = frozenset({2023, 2024})

# Mean days to removal inside the network, 4.1: EU indicator 6 (2022), INHOPE 2.5 (2023). 2024 is not in the
# summary: 2023's carried over.
REMOVAL_MEAN_DAYS: Final = {2022: 6.0, 2023: 2.5, 2024: 2.5}
# Removed within a day, 4.1: 26 % (2022). Not published for the other years.
SAME_DAY_REMOVAL_SHARE: Final = {2022: 0.26}
# Spread of the log-normal where only its mean is published: fitted to 2022, 4.5.
REMOVAL_SIGMA: Final = 1.36
# Countries without a hotline, 1.8 and 4.5: "28+ days" (INHOPE 2023).
REMOVAL_OUTSIDE_MEAN_DAYS: Final = 28.0
# Longest time the histogram of removal times tells apart; assumed: ICCAM follows no content for longer than
# two years.
LONGEST_DAYS: Final = 730
# Removed in the end, 4.5: 98.5 % (eco 2022).
REMOVED_EVENTUALLY_SHARE: Final = 0.985

# Country effects, 4.5. Germany: mean days in country, eco 2022 and 2023; 2024 carried over.
GERMANY_MEAN_DAYS: Final = {2022: 2.8, 2023: 1.86, 2024: 1.86}
# United Kingdom 2016: 52 % within an hour, all within two days.
BRITAIN_WITHIN_HOUR_SHARE: Final = 0.52
BRITAIN_LIMIT_DAYS: Final = 2.0
# Netherlands 2020 (TU Delft): 84 % within 24 h of the notice. It shapes the last leg only: with a third of
# all reports hosted there, a total of 24 h would contradict the network's 26 %.
DUTCH_NOTICE_WITHIN_DAY_SHARE: Final = 0.84

# Police, 4.5: Germany 0.82 days on average (2022). Against that year's 2.8 days to removal it is 29 % of the
# whole; applied to every country as a uniform share of the time to removal with that mean.
GERMANY_POLICE_DAYS: Final = 0.82
GERMANY_POLICE_YEARS: Final = frozenset({2022})
POLICE_MEAN_FRACTION: Final = GERMANY_POLICE_DAYS / GERMANY_MEAN_DAYS[2022]
# 4.1: 82 % told to police within three days (2023); compared, not built in.
POLICE_WITHIN_3_DAYS_SHARE: Final = 0.82
# First notice to a host is batched for up to an hour, 1.7 (SCART).
NOTICE_BATCH_MS: Final = HOUR_MS
# Acknowledgement by the receiving system, assumed automatic; SCART's scheduler runs every minute, 1.6.
ACKNOWLEDGE_MEAN_MS: Final = 2 * MINUTE_MS
# From the public's report to the submission, assumed; never more than a fifth of the time to removal.
HANDLING_MEAN_MS: Final = 4 * HOUR_MS
HANDLING_LIMIT_FRACTION: Final = 0.2

# Not reachable at assessment, 4.6: 5-30 %; the lower end, taken from what is not judged illegal.
UNREACHABLE_SHARE: Final = 0.05

# Reports of one complaint, 4.6: geometric, mean 2.3 (2.2 in 2018, 2.5 in 2019, 4.1).
REPORTS_PER_COMPLAINT: Final = 2.3
# The same location again, 4.2: 4,678 of 287,916 in Q1 2024.
DUPLICATE_SHARE: Final = 0.016
# Of those, by the hotline that sent the first; assumed: each hotline defines duplicates differently (4.2).
DUPLICATE_BY_SAME_HOTLINE_SHARE: Final = 0.5

# URLs by hosting country, 4.4 (IWF annual data insights 2024).
HOSTING_IWF_2024: Final = {
    "NL": 83_037, "US": 41_110, "BG": 25_180, "HK": 24_063, "RO": 21_528, "MY": 15_902, "LT": 8_484,
    "PL": 8_077, "CZ": 7_859, "LV": 7_540, "MD": 7_513, "UA": 7_223, "RU": 6_487, "AT": 6_144, "DE": 4_448,
    "SK": 3_422, "PA": 2_095, "FR": 2_091, "SE": 1_552, "CH": 1_117, "FI": 1_027, "GB": 987, TOR: 531,
    "AZ": 496, "LU": 486,
}  # fmt: skip
# Its total is about 292,000; what the rows leave is shared by the other countries of sections 3 and 4.4.
HOSTING_IWF_2024_TOTAL: Final = 292_000
HOSTING_REST: Final = ("IS", "IR", "VN", "IN", "SG", "ID", "AE", "IQ", "LA")
# Shares of single years, 4.4: NL 32 % (2022); US 21 % is 2021's, INHOPE names US and NL first in 2022. The
# others keep their proportions of 2024. Nothing was found for 2023: the middle of 2022 and 2024.
HOSTING_FIXED: Final = {2022: {"NL": 0.32, "US": 0.21}}
HOSTING_SOURCE: Final = {2022: "IWF 2022 (NL), 2021 (US)", 2023: "", 2024: "IWF 2024"}
# Host not traceable, assumed: a reason of SCART (1.7) without a figure.
UNKNOWN_HOST_SHARE: Final = 0.001
# Five countries without a hotline, 4.4: about 15 % in 2024. All orphans together, 4.6: 10-15 %.
ORPHAN_COUNTRIES_2024: Final = ("HK", "MY", "PA", "CH", "AZ")
# With the hosting of 2024 they must be more than these five; 2023 lies between.
ORPHAN_SHARE_RANGE: Final = {2022: (0.10, 0.15), 2023: (0.13, 0.18), 2024: (0.15, 0.20)}
ORPHAN_SOURCE: Final = {
    2022: "10-15 %, domain 4.6",
    2023: "assumed, between 2022 and 2024",
    2024: "IWF 2024, 15 % in five countries",
}
# Onion services, 4.4: 0.2 % (IWF 2024); carried over to 2022 and 2023.
TOR_SHARE: Final = 0.002
# Behind a delivery network, 4.6: no figure found, start at 30 %; assumed.
CDN_SHARE: Final = 0.30

# What is behind one turns out to be hosted elsewhere; assumed.
CDN_ELSEWHERE_SHARE: Final = 0.1
# The content moves to another country, 4.6: not published, "start at 3-8 %".
# Repeated moves geometric; assumed.
MOVED_SHARE_RANGE: Final = (0.03, 0.08)
MOVED_SHARE: Final = 0.05
MOVED_AGAIN_SHARE: Final = 0.15
# Police ask for a hold, 4.6: below 1 %, no figure found. How long it lasts and how it ends is assumed.
HOLD_SHARE: Final = 0.008
HOLD_SHORTEST_DAYS: Final = 7.0
HOLD_MEAN_DAYS: Final = 5.0
HOLD_RELEASED_SHARE: Final = 0.7
HOLD_SHARE_LIMIT: Final = 0.01
# Set by the hotline on behalf of its police, and asked for by INTERPOL, of all holds; consent, of what is
# asked for; assumed.
HOLD_ON_BEHALF_SHARE: Final = 0.2
HOLD_ASKED_SHARE: Final = 0.3
HOLD_GRANTED_SHARE: Final = 0.7
# A notice goes out in spite of a hold; assumed, to show the breach.
DESPITE_HOLD_SHARE: Final = 0.05
# Orphans and offered cases that a hotline claims when it sees them; assumed.
CLAIM_SHARE: Final = 0.5
CLAIM_MEAN_MS: Final = 4 * HOUR_MS
# Of claimed cases, given back before any step, and left until the lease ends; what else is claimed is
# assessed soon; assumed.
HANDED_BACK_SHARE: Final = 0.1
LEFT_SHARE: Final = 0.05
CLAIMED_ASSESSED_MS: Final = 6 * HOUR_MS
# Escalations that a liaison acknowledges, and when; assumed.
LIAISON_ANSWERS_SHARE: Final = 0.9
LIAISON_MEAN_MS: Final = HOUR_MS
# Escalations after which a liaison keeps the case from erasure, and for how long; items of feeds that it
# acknowledges; assumed.
PRESERVED_SHARE: Final = 0.1
PRESERVED_MS: Final = 180 * DAY_MS
FEED_ANSWERED_SHARE: Final = 0.3
# Corrections and erasures that a hotline's system confirms; assumed.
CONFIRMED_SHARE: Final = 0.95
# Assumed, without a figure: how often a hotline declines, sees the content again, writes a note or corrects
# its own assessment, and an origin withdraws its report or sees removed content again.
DECLINED_SHARE: Final = 0.01
# Likewise: handed to a colleague, where the country has several hotlines; a newer word of the origin on the
# host, and how often the responsible hotline answers it; withdrawn reports whose contents are erased.
TRANSFERRED_SHARE: Final = 0.05
DOUBTED_SHARE: Final = 0.01
DOUBT_ANSWERED_SHARE: Final = 0.7
ERASED_SHARE: Final = 0.5
OBSERVED_SHARE: Final = 0.05
NOTED_SHARE: Final = 0.03
CORRECTED_SHARE: Final = 0.005
WITHDRAWN_SHARE: Final = 0.003
REAPPEARED_SHARE: Final = 0.01

# Origins, 4.3: "world wide reporting data" of 2023, read as reporting hotlines; the page is not explicit.
# The rest is shared evenly by the other active hotlines; assumed.
ORIGIN_SHARES: Final = {"GB": 0.3503, "NL": 0.1979, "DE": 0.0588}

# Site types, 4.3 (INHOPE 2023), carried over to 2022 and 2024: three shares, and seven more types, taken
# as equal.
SITE_TYPES: Final = {"website": 0.4265, "image_host": 0.3936, "forum": 0.0879}
OTHER_SITE_TYPES: Final = (
    "file_host", "image_store", "image_board", "link_site", "social_networking", "search_provider", "blog",
)  # fmt: skip
# Gender, 4.3: girls 95, boys 3, both 2 (2023), carried over to 2022; girls 99 (2024), the rest in the ratio
# of 2023.
GENDERS: Final = {
    2022: {"female": 0.95, "male": 0.03, "both": 0.02},
    2023: {"female": 0.95, "male": 0.03, "both": 0.02},
    2024: {"female": 0.99, "male": 0.006, "both": 0.004},
}
# Age, 4.3: 83 % under 13 (2023), carried over to 2022; 93 % of 3-13 (2024). Infants 2 %: what 2020's 76 %
# of 3-13 and 22 % of 14-17 leave.
AGES: Final = {
    2022: {"infant": 0.02, "pre_pubescent": 0.81, "pubescent": 0.17},
    2023: {"infant": 0.02, "pre_pubescent": 0.81, "pubescent": 0.17},
    2024: {"infant": 0.02, "pre_pubescent": 0.93, "pubescent": 0.05},
}
# Topics, 4.2: counts of the EC co-funded hotlines 2024, those that have an address.
TOPICS: Final = {
    "csam_self_generated": 26_243,
    "csam_non_self_generated": 17_493,
    "csam_sexualised_posing": 3_056,
    "csam_computer_generated": 3_430,
    "csam_textual": 196,
}
# Websites that need a referrer, 4.2: 57.2 % (H1 2024).
REFERRER_SHARE: Final = 0.572
# Baseline among the illegal, assumed: not published.
BASELINE_SHARE: Final = 0.5
# Urgency codes, assumed: no figure found.
URGENCY_SHARES: Final = {"possible_new_victim": 0.005, "abuse_in_progress": 0.0005}

# Hours of the day and days of the week, assumed: European office hours in UTC, automatic systems at night.
HOUR_WEIGHTS: Final = (2, 2, 2, 2, 2, 3, 5, 8, 10, 10, 10, 9, 9, 10, 10, 9, 7, 5, 4, 4, 3, 3, 2, 2)
WEEKDAY_WEIGHTS: Final = (10, 10, 10, 10, 9, 4, 4)  # Monday first

# Bursts of one sender: (country of the sender, first day of the year, days, extra reports as a share of the
# year). 2024, 4.1: EC hotlines sent 124,962 in H1, 308,983 in Q3 and about 1.43 million in Q4, mostly one
# hotline (SafeNet, Bulgaria); what exceeds half of H1 per quarter is the burst. 2022 and 2023: size and
# time assumed after 4.6 ("x10 for weeks"): ten times an even hotline's daily rate for two weeks.
BURSTS: Final = {
    2022: (("PL", 120, 14, 0.0028),),
    2023: (("CZ", 240, 14, 0.0028),),
    2024: (("BG", 182, 92, 0.0987), ("BG", 274, 92, 0.5476)),
}
# How many times its usual daily number a sender adds in a burst, 4.6; and what one sent in a quarter, 4.1:
# 1.43 million of all EC hotlines, mostly one.
BURST_TIMES: Final = {2022: 10.0, 2023: 10.0}
BURST_IN_QUARTER: Final = {2024: ("BG", 274, 1_400_000)}

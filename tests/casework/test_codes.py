import pytest

from casework import codes
from casework.code_list import CodeList
from casework.countries import ALL_COUNTRIES, COUNTRY_ALIASES, canonical_country, check_country, country
from casework.errors import BadInputError, UnknownCountryError


@pytest.mark.parametrize("code_list", codes.CODE_LISTS.values(), ids=lambda code_list: code_list.name)
def test_every_list_names_its_source_and_gives_each_code_a_meaning(code_list: CodeList) -> None:
    """A code without a meaning or a list without a source cannot be shipped."""
    assert code_list.source
    assert code_list.codes
    assert all(code and meaning for code, meaning in code_list.codes.items())
    assert len(set(code_list.iccam.values())) == len(code_list.iccam)


def test_an_unknown_code_is_answered_with_field_and_rule_but_not_with_the_value() -> None:
    """A sender learns which field breaks which rule, and what was sent appears nowhere."""
    violation = codes.SITE_TYPES.check("report.site_type", "https://secret.example/")
    assert violation is not None
    assert (violation.field, violation.rule) == ("report.site_type", "unknown_code")
    assert "secret" not in str(violation)
    assert codes.SITE_TYPES.check("report.site_type", "forum") is None


def test_iccam_numbers_are_those_of_its_third_version() -> None:
    """A connector that maps codes to ICCAM sends the numbers ICCAM expects."""
    assert codes.ACTIONS.iccam["not_illegal"] == 6
    assert codes.REASONS.iccam["age_over_national_threshold"] == 21
    assert codes.SITE_TYPES.iccam["blog"] == 22
    assert codes.PAYMENT_METHODS.iccam["bitcoin"] == 13
    assert len(codes.REASONS.codes) == 21


def test_each_action_is_a_fact_or_a_request() -> None:
    """No action is forgotten by the sets that the rules are built on."""
    assert set(codes.ACTIONS.codes) > codes.REQUESTS
    assert set(codes.ACTIONS.codes) - codes.REQUESTS > codes.FINAL_ACTIONS
    assert set(codes.ACTIONS.codes) > codes.ACTIONS_NEEDING_REASON


@pytest.mark.parametrize(
    ("alias", "code"), [("UK", "GB"), ("EL", "GR"), ("T1", "XT"), ("NL", "NL"), ("ZZ", "ZZ")]
)
def test_aliases_and_pseudo_countries_have_one_code(alias: str, code: str) -> None:
    """One country is partitioned, routed and counted under one code."""
    assert country("hosting_country", alias) == code


@pytest.mark.parametrize("value", ["", "nl", "XX", "NLD", "EU", "N\u200bL", "Netherlands"])
def test_an_invalid_country_is_refused_never_guessed(value: str) -> None:
    """What is no country gets no country, and the answer names the field."""
    assert canonical_country(value) is None
    assert check_country("hosting_country", value) is not None
    with pytest.raises(UnknownCountryError, match="hosting_country") as refused:
        country("hosting_country", value)
    assert isinstance(refused.value, BadInputError)
    assert refused.value.violations[0].rule == "unknown_country"


def test_the_country_list_is_complete() -> None:
    """All 249 countries of ISO 3166-1, Kosovo's code in use and the two hosts without a country are known."""
    assert len(ALL_COUNTRIES) == 249 + 1 + 2
    assert not COUNTRY_ALIASES.keys() & ALL_COUNTRIES.keys()

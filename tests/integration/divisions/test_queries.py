import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql

from app.core.db import session
from app.divisions import queries
from app.divisions.models import Division
from app.divisions.queries import Scope
from app.divisions.rules import ROOT_CODE

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize("root", [None, ROOT_CODE])
def test_root_lists_the_provinces(root: str | None) -> None:
    provinces = queries.children(root)

    assert len(provinces) == 31
    assert provinces[0].name == "北京市"
    assert all(p.level == 1 and p.has_children for p in provinces)


def test_drilling_down_reaches_villages() -> None:
    counties = queries.children("520300000000")
    townships = queries.children("520328000000")
    villages = queries.children(townships[0].code)

    assert "湄潭县" in [d.name for d in counties]
    assert {d.level for d in townships} == {4}
    assert {d.level for d in villages} == {5}
    assert not any(d.has_children for d in villages)


def test_unknown_parent_has_no_children() -> None:
    assert queries.children("999999999999") == []


def test_retired_division_is_not_listed_but_still_found() -> None:
    retired = session().get_one(Division, "520328000000")
    retired.valid_to, retired.replaced_by = retired.valid_from or _today(), "520329000000"
    session().flush()

    listed = [d.code for d in queries.children("520300000000")]

    assert "520328000000" not in listed
    assert queries.get("520328000000") is retired
    assert queries.in_force("520328000000") is queries.get("520329000000")


def test_successors_in_a_ring_do_not_loop() -> None:
    for code, successor in (("520328000000", "520329000000"), ("520329000000", "520328000000")):
        division = session().get_one(Division, code)
        division.valid_to, division.replaced_by = _today(), successor
    session().flush()

    assert queries.in_force("520328000000") is not None


def test_path_runs_from_the_province_down() -> None:
    names = [d.name for d in queries.path("500101000000")]

    assert names == ["重庆市", "市辖区", "万州区"]
    assert queries.path("999999999999") == []


@pytest.mark.parametrize(
    ("code", "scope"),
    [
        ("520328000000", Scope("520000000000", "520300000000", "520328000000")),
        ("520300000000", Scope("520000000000", "520300000000", None)),
        ("520000000000", Scope("520000000000", None, None)),
        ("500101000000", Scope("500000000000", None, "500101000000")),
        ("500235000000", Scope("500000000000", None, "500235000000")),
        ("500100000000", Scope("500000000000", None, None)),
        ("429004000000", Scope("420000000000", None, "429004000000")),
        ("659001000000", Scope("650000000000", None, "659001000000")),
        ("469001000000", Scope("460000000000", None, "469001000000")),
        ("441900000000", Scope("440000000000", "441900000000", None)),
        ("999999999999", Scope(None, None, None)),
    ],
)
def test_scope_leaves_out_pseudo_cities(code: str, scope: Scope) -> None:
    assert queries.province_city_county(code) == scope


def test_a_village_is_filed_under_its_county() -> None:
    township = queries.children("500235000000")[0]
    village = queries.children(township.code)[0]

    assert queries.province_city_county(village.code).county_code == "500235000000"


def test_ancestor_of_a_level() -> None:
    city = queries.at_level("520328000000", 2)
    none = queries.at_level("500101000000", 2)

    assert city is not None
    assert city.name == "遵义市"
    assert none is None


def test_full_name_leaves_out_pseudo_cities() -> None:
    assert queries.full_name("500101000000") == "重庆市万州区"
    assert queries.full_name("520328000000") == "贵州省遵义市湄潭县"


def test_full_names_of_many_are_those_of_each() -> None:
    codes = ["500101000000", "520328000000", "429004000000", "520000000000"]

    assert queries.full_names([*codes, codes[0], "999999999999"]) == {
        code: queries.full_name(code) for code in codes
    }
    assert queries.full_names([]) == {}


@pytest.mark.parametrize("parent", [None, "520300000000", "520328000000"])
def test_children_listing_uses_an_index(parent: str | None) -> None:
    statement = queries.children_statement(parent).compile(
        dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}
    )

    plan = "\n".join(session().scalars(text(f"explain {statement}")))

    assert "ix_divisions_parent_code" in plan
    assert "Seq Scan" not in plan


def test_township_lookup_by_name_uses_an_index() -> None:
    plan = "\n".join(
        session().scalars(
            text("explain select code from divisions where level = 4 and name in ('永兴镇')")
        )
    )

    assert "ix_divisions_name" in plan


def test_version_is_stable_between_calls() -> None:
    assert queries.version() == queries.version() != "0"


def _today() -> object:
    return session().scalar(text("select current_date"))

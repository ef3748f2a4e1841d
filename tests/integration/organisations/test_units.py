import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import aliased

from app.core.db import session
from app.core.errors import Invalid, NotFound
from app.divisions import queries as divisions
from app.organisations import queries, services
from app.organisations.models import Unit
from app.organisations.naming import Naming

pytestmark = pytest.mark.usefixtures("context")

NATION = "农业农村部12317热线"
RANK = {"national": 0, "province": 1, "city": 2, "county": 3}


def unit_of(code: str) -> Unit:
    found = queries.unit_of_division(code)
    assert found is not None
    return found


def test_every_unit_but_the_national_one_has_a_parent_of_a_higher_level() -> None:
    parent = aliased(Unit)
    rows = session().execute(
        select(Unit.level, parent.level).join(parent, Unit.parent_id == parent.id, isouter=True)
    )

    pairs = [(level, above) for level, above in rows]

    assert pairs.count(("national", None)) == 1
    assert all(above and RANK[above] < RANK[level] for level, above in pairs if level != "national")


@pytest.mark.parametrize(
    ("level", "total"), [("national", 1), ("province", 31), ("city", 333), ("county", 2_974)]
)
def test_each_level_has_its_units(level: str, total: int) -> None:
    assert len(session().scalars(select(Unit.id).where(Unit.level == level)).all()) == total


def test_generating_again_makes_nothing() -> None:
    assert services.generate_units(session()) == 0


def test_all_counties_of_a_municipality_hang_under_the_province_unit() -> None:
    chongqing = unit_of("500000000000")

    counties = queries.children(chongqing.id)

    assert len(counties) == 38
    assert {unit.level for unit in counties} == {"county"}


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("520328000000", [NATION, "贵州省农业农村厅", "遵义市农业农村局", "湄潭县农业农村局"]),
        ("500101000000", [NATION, "重庆市农业农村委员会", "万州区农业农村局"]),
        ("500235000000", [NATION, "重庆市农业农村委员会", "云阳县农业农村局"]),
        ("429004000000", [NATION, "湖北省农业农村厅", "仙桃市农业农村局"]),
        ("469001000000", [NATION, "海南省农业农村厅", "五指山市农业农村局"]),
        ("659001000000", [NATION, "新疆维吾尔自治区农业农村厅", "石河子市农业农村局"]),
        ("441900000000", [NATION, "广东省农业农村厅", "东莞市农业农村局"]),
        ("000000000000", [NATION]),
    ],
)  # fmt: skip
def test_chain_runs_from_the_nation_to_the_unit(code: str, names: list[str]) -> None:
    assert [unit.name for unit in queries.chain(unit_of(code).id)] == names


@pytest.mark.parametrize("code", ["441900000000", "442000000000", "460400000000", "620200000000"])
def test_city_without_counties_is_the_last_level(code: str) -> None:
    city = unit_of(code)

    assert city.level == "city"
    assert queries.delegation_targets(city) == []


@pytest.mark.parametrize("pseudo", ["110100000000", "500200000000", "429000000000", "659000000000"])
def test_pseudo_city_has_no_unit_of_its_own(pseudo: str) -> None:
    assert unit_of(pseudo).level == "province"


def test_a_village_belongs_to_the_unit_of_its_county() -> None:
    village = divisions.children(divisions.children("520328000000")[0].code)[0]

    assert unit_of(village.code).division_code == "520328000000"


def test_the_county_that_is_its_own_city_belongs_to_the_city_unit() -> None:
    assert unit_of("620201000000").division_code == "620200000000"


def test_an_unknown_division_belongs_to_nobody() -> None:
    assert queries.unit_of_division("999999999999") is None
    assert queries.unit_of_division("") is None


def test_no_division_belongs_to_the_national_unit() -> None:
    assert queries.unit_of_division(None) is queries.national_unit()


def test_province_delegates_to_cities_and_to_its_own_counties() -> None:
    hubei = unit_of("420000000000")

    targets = queries.delegation_targets(hubei)

    assert {unit.level for unit in targets} == {"city", "county"}
    assert "仙桃市农业农村局" in [unit.name for unit in targets]
    assert "大冶市农业农村局" not in [unit.name for unit in targets]


def test_a_disabled_unit_is_not_offered() -> None:
    zunyi, meitan = unit_of("520300000000"), unit_of("520328000000")

    services.change_unit(session(), meitan.id, enabled=False)

    assert meitan not in queries.delegation_targets(zunyi)
    assert meitan in queries.children(zunyi.id)


def test_below_means_strictly_and_at_any_depth() -> None:
    nation, guizhou, zunyi = (unit_of(c) for c in ("000000000000", "520000000000", "520300000000"))
    meitan, chongqing = unit_of("520328000000"), unit_of("500000000000")

    assert queries.is_below(meitan, guizhou)
    assert queries.is_below(meitan, zunyi)
    assert queries.is_below(meitan, nation)
    assert not queries.is_below(meitan, meitan)
    assert not queries.is_below(zunyi, meitan)
    assert not queries.is_below(meitan, chongqing)


def test_unknown_unit_has_no_chain() -> None:
    assert queries.chain(-1) == []
    assert queries.unit(-1) is None


def test_names_of_many_units_are_read_at_once() -> None:
    unit, other = unit_of("520328000000"), unit_of("500000000000")

    assert queries.names([unit.id, other.id, other.id, 0]) == {
        unit.id: unit.name,
        other.id: other.name,
    }


def test_names_come_from_the_naming_table() -> None:
    session().execute(text("truncate units cascade"))  # with the people other tests left there
    naming = Naming(national="12317", province="{name}乡村振兴局", county="{name}农业农村和水利局")

    services.generate_units(session(), naming)

    assert unit_of("520000000000").name == "贵州省乡村振兴局"
    assert unit_of("500000000000").name == "重庆市农业农村委员会"
    assert unit_of("520328000000").name == "湄潭县农业农村和水利局"


def test_a_renamed_unit_keeps_its_name_when_units_are_generated_again() -> None:
    unit = services.change_unit(session(), unit_of("520328000000").id, name=" 湄潭县茶产业局 ")

    services.generate_units(session())

    assert unit.name == "湄潭县茶产业局"


def test_a_new_county_gets_a_unit_when_units_are_generated_again() -> None:
    session().execute(
        text("insert into divisions values ('520399000000', '新蒲区', 3, '520300000000', false)")
    )

    made = services.generate_units(session())

    assert made == 1
    assert unit_of("520399000000").parent_id == unit_of("520300000000").id


def test_the_four_eyes_rule_is_relaxed_per_unit() -> None:
    meitan = unit_of("520328000000")
    assert not meitan.single_operator

    assert services.change_unit(session(), meitan.id, single_operator=True).single_operator


def test_an_empty_name_and_an_unknown_unit_are_refused() -> None:
    with pytest.raises(Invalid):
        services.change_unit(session(), unit_of("520328000000").id, name=" ")
    with pytest.raises(NotFound):
        services.change_unit(session(), -1, enabled=False)

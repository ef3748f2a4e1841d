"""Making and keeping the tree of units."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.core.errors import FieldError, Invalid, NotFound
from app.divisions.rules import MUNICIPALITIES, PSEUDO_CITIES, ROOT_CODE
from app.organisations.models import Unit
from app.organisations.naming import DEFAULT_NAMING, Naming

MODES = {"ticket": "工单转接", "call": "话务转接"}
"""整合模式: how a province's 12345 hands over what belongs to 12317."""

_NATIONAL = """
    insert into units (level, division_code, name) values ('national', :root, :national)
    on conflict (division_code) do nothing
"""

_PROVINCES = """
    insert into units (level, division_code, name, parent_id)
    select 'province', d.code,
           replace(case when d.code = any(:municipalities) then :municipality else :province end,
                   '{name}', d.name),
           (select id from units where division_code = :root)
    from divisions d where d.level = 1 and d.valid_to is null order by d.code
    on conflict (division_code) do nothing
"""

_CITIES = """
    insert into units (level, division_code, name, parent_id)
    select 'city', d.code, replace(:city, '{name}', d.name), province.id
    from divisions d join units province on province.division_code = d.parent_code
    where d.level = 2 and d.valid_to is null and d.name <> all(:pseudo_cities) order by d.code
    on conflict (division_code) do nothing
"""

_COUNTIES = """
    insert into units (level, division_code, name, parent_id)
    select 'county', d.code, replace(:county, '{name}', d.name), coalesce(city.id, province.id)
    from divisions d
    join divisions above on above.code = d.parent_code
    left join units city on city.division_code = above.code
    left join units province on province.division_code = above.parent_code
    where d.level = 3 and d.valid_to is null and d.name <> above.name order by d.code
    on conflict (division_code) do nothing
"""
"""A county named like its city (嘉峪关市) is the same government: its city is the last level."""


def generate_units(session: Session, naming: Naming = DEFAULT_NAMING) -> int:
    """Make the missing unit of every national, province, city and county division; return how many.

    Existing units keep their name, parent and settings, so it may run after every change of the
    divisions. Counties below a pseudo-city hang directly under their province (D14).
    """
    values = {
        "root": ROOT_CODE,
        "municipalities": sorted(MUNICIPALITIES),
        "pseudo_cities": sorted(PSEUDO_CITIES),
        "national": naming.national,
        "province": naming.province,
        "municipality": naming.municipality,
        "city": naming.city,
        "county": naming.county,
    }
    made = 0
    for statement in (_NATIONAL, _PROVINCES, _CITIES, _COUNTIES):
        result: Any = session.execute(text(statement), values)
        made += result.rowcount
    if made:
        session.execute(text("analyze units"))
    return made


def change_unit(
    session: Session,
    unit_id: int,
    *,
    name: str | None = None,
    single_operator: bool | None = None,
    enabled: bool | None = None,
    mode: str | None = None,
) -> Unit:
    """Rename a unit, relax its four-eyes rule or take it out of delegation; None leaves as is.

    `mode` is a province's: `ticket` or `call`. What runs already goes on as it began.
    """
    unit = session.get(Unit, unit_id, with_for_update=True)
    if unit is None:
        raise NotFound("承办单位不存在")
    if name is not None:
        if not 2 <= len(name.strip()) <= 60:
            raise Invalid([FieldError("name", "length", "单位名称须为2至60个字")])
        unit.name = name.strip()
    if single_operator is not None:
        unit.single_operator = single_operator
    if enabled is not None:
        unit.enabled = enabled
    if mode is not None:
        if unit.level != "province" or mode not in MODES:
            raise Invalid([FieldError("mode", "value", "只有省级单位可设工单转接或话务转接")])
        unit.mode = mode
    session.flush()
    return unit

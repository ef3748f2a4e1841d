"""Choosing a division (行政区划) level by level, by a part of its name, or by a pasted address.

Without scripts the levels are selects of one name, and two buttons bring the form back with the
next level, or with what fits the words. The words travel by POST: they may be somebody's address.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from werkzeug.datastructures import MultiDict

from app.divisions import queries, search
from app.ui.forms import DivisionLevel, FieldView

LEVELS = ("省", "市", "县", "乡", "村")
BUTTON = "choose-place"
"""Name of the buttons that change the place and send nothing."""


def drawn(
    views: Iterable[FieldView],
    values: Mapping[str, Any],
    *,
    source_url: str,
    find_url: str,
    found: Sequence[search.Place] = (),
) -> list[FieldView]:
    """The fields of a form, with each division as a cascade down to what is chosen."""
    return [
        replace(
            view,
            source_url=source_url,
            find_url=find_url,
            levels=levels(str(values.get(view.name) or "")),
            found=tuple((place.code, place.name) for place in found),
        )
        if view.widget == "division"
        else view
        for view in views
    ]


def levels(code: str) -> tuple[DivisionLevel, ...]:
    """The cascade from the provinces to the children of a division; an unknown one chooses none."""
    path = queries.path(code.ljust(12, "0")) if code else []
    parents = [None, *(division.code for division in path if division.has_children)]
    made = []
    for depth, parent in enumerate(parents[: len(LEVELS)]):
        options = tuple((each.code, each.name) for each in queries.children(parent))
        chosen = path[depth].code if depth < len(path) else ""
        made.append(DivisionLevel(LEVELS[depth], options, chosen))
    return tuple(made)


def settled(form: MultiDict[str, str], name: str = "division_code") -> MultiDict[str, str]:
    """The form with one code for the division: what was found, or the deepest that fits its upper.

    A select whose upper one was changed without scripts still names a place elsewhere.
    """
    codes = form.getlist(name)
    pick = form.get(f"{name}-pick", "")
    if len(codes) < 2 and not pick:
        return form
    one = MultiDict(form)
    one[name] = pick or _deepest(codes)
    return one


def looked_for(form: Mapping[str, str], within: str | None) -> list[search.Place]:
    """What fits the words of the form's search box."""
    return search.find(form.get("division_code-find", ""), within)


def as_items(found: Iterable[search.Place]) -> dict[str, Any]:
    """What a script asks for while somebody types."""
    return {
        "items": [
            {"division_code": place.code, "division_name": place.name, "sure": place.sure}
            for place in found
        ]
    }


def _deepest(codes: Sequence[str]) -> str:
    chosen = ""
    for code in codes:
        division = queries.get(code) if code else None
        if division is None or (chosen and division.parent_code != chosen):
            break
        chosen = code
    return chosen

"""Where a ticket stands (流程进度): its drawings, with what is done and what waits lit up."""

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, request, url_for

from app.core.errors import NotFound
from app.engine import queries as engine
from app.engine.drawings import Drawing, drawings, places
from app.engine.models import ProcessEvent, ProcessInstance, UserTask
from app.security.principal import Principal
from app.ui.page import permitted

blueprint = Blueprint("progress", __name__)

LISTENING = frozenset({"raise.matter", "recall.ticket", "request.extension", "return.up"})
"""Messages that may come and need not: nobody waits for them."""


def view(
    instance: ProcessInstance,
    events: Sequence[ProcessEvent],
    waiting: Sequence[UserTask],
    *,
    late: bool,
) -> dict[str, Any]:
    """What the page draws: the process chosen in the address, or the innermost that waits."""
    found = drawings(instance.definition_id)
    current = [task.element_id for task in waiting]
    current += [element for element, name in engine.awaited(instance.id) if name not in LISTENING]
    lit = places(found, current)
    passed = places(found, [event.element_id for event in events])
    shown = found[_chosen(found, lit, current)]
    here = sorted(lit.get(shown.process, ()))
    return {
        "src": url_for("progress.drawing", definition_id=instance.definition_id, of=shown.process),
        "done": sorted(passed.get(shown.process, set()) - set(here)),
        "current": [] if late else here,
        "overdue": here if late else [],
        "tabs": [
            {
                "label": each.title,
                "url": f"?diagram={each.process}#progress",
                "active": each is shown,
                "busy": each.process in lit,
            }
            for each in found.values()
            if each.process == instance.process_key or each.process in passed or each.process in lit
        ],
    }


def _chosen(
    found: Mapping[str, Drawing], lit: Mapping[str, set[str]], current: Sequence[str]
) -> str:
    wanted = request.args.get("diagram", "")
    if wanted in found:
        return wanted
    first = current[0] if current else ""
    return next((each for each in lit if first in found[each].elements), next(iter(found)))


@blueprint.get("/diagrams/<int:definition_id>/<of>.bpmn")
@permitted("ticket.view")
def drawing(principal: Principal, definition_id: int, of: str) -> Response:
    """One drawing of a version; it never changes."""
    found = drawings(definition_id)
    if of not in found:
        raise NotFound("没有这张流程图", "DRAWING_NOT_FOUND")
    response = Response(found[of].xml, mimetype="application/xml")
    response.cache_control.private = True
    response.cache_control.max_age = 86400
    return response

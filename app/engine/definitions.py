"""Diagram versions (流程版本): deploy through the publish gate, look up, parse once a process.

A version is immutable and pins the diagrams it calls; instances finish on their version.
"""

import hashlib
from collections import OrderedDict
from datetime import datetime
from threading import Lock

from sqlalchemy import bindparam, func, select, update

from app.core.db import send, session, table_of
from app.core.errors import FieldError
from app.engine import checks, parser, registry
from app.engine.errors import DefinitionRefused, UnknownDefinition
from app.engine.models import ProcessDefinition

_DEFINITIONS = table_of(ProcessDefinition)
_PUBLISHED = select(_DEFINITIONS.c.id).where(
    _DEFINITIONS.c.process_key == bindparam("key"), _DEFINITIONS.c.status == "published"
)
_CACHE_SIZE = 64
_cache: OrderedDict[int, parser.ParsedDefinition] = OrderedDict()
_lock = Lock()
_words = checks.Vocabulary()


def use_vocabulary(
    *,
    roles: frozenset[str],
    deadline_keys: frozenset[str],
    clock_keys: frozenset[str],
    statuses: frozenset[str],
    ends: frozenset[str],
    units: frozenset[str],
) -> None:
    """Tell the publish gate which words diagrams may use; `factory` does it once."""
    global _words
    _words = checks.Vocabulary(
        handlers=frozenset(),
        forms=frozenset(),
        roles=roles,
        deadline_keys=deadline_keys,
        clock_keys=clock_keys,
        statuses=statuses,
        ends=ends,
        units=units,
    )


def vocabulary() -> checks.Vocabulary:
    """What a diagram may name today."""
    return checks.Vocabulary(
        handlers=registry.handler_names(),
        forms=registry.form_keys(),
        roles=_words.roles,
        deadline_keys=_words.deadline_keys,
        clock_keys=_words.clock_keys,
        statuses=_words.statuses,
        ends=_words.ends,
        units=_words.units,
    )


def deploy(
    sources: dict[str, bytes], process_key: str, *, deployed_by: str, now: datetime
) -> ProcessDefinition:
    """Check, store and publish a bundle; the very same bundle again returns the version it has.

    Raises DefinitionRefused naming every problem by element.
    """
    problems = checks.check(sources, process_key, vocabulary())
    if problems:
        raise DefinitionRefused(
            [FieldError(p.element_id, p.code, p.message) for p in problems],
            "流程图未通过发布检查",
            "DIAGRAM_REFUSED",
        )
    parser.parse(sources, process_key)
    digest = _digest(sources)
    db = session()
    known = db.scalar(
        select(ProcessDefinition)
        .where(ProcessDefinition.process_key == process_key, ProcessDefinition.digest == digest)
        .with_for_update()
    )
    db.execute(
        update(ProcessDefinition)
        .where(ProcessDefinition.process_key == process_key)
        .where(ProcessDefinition.status == "published", ProcessDefinition.digest != digest)
        .values(status="superseded")
    )
    if known is None:
        newest = db.scalar(
            select(func.max(ProcessDefinition.version)).where(
                ProcessDefinition.process_key == process_key
            )
        )
        known = ProcessDefinition(
            process_key=process_key,
            version=(newest or 0) + 1,
            digest=digest,
            title=parser.title(sources, process_key),
            sources={name: xml.decode() for name, xml in sources.items()},
            deployed_by=deployed_by,
            deployed_at=now,
        )
        db.add(known)
    known.status = "published"
    db.flush()
    return known


def published(process_key: str) -> int:
    """Id of the version on which new instances start."""
    found: int | None = send(_PUBLISHED, {"key": process_key}).scalar()
    if found is None:
        raise UnknownDefinition(process_key)
    return found


def parsed(definition_id: int) -> parser.ParsedDefinition:
    """The parsed version; read and parsed once a process, the least used are forgotten."""
    with _lock:
        if definition_id in _cache:
            _cache.move_to_end(definition_id)
            return _cache[definition_id]
    row = (
        session()
        .execute(
            select(ProcessDefinition.process_key, ProcessDefinition.sources).where(
                ProcessDefinition.id == definition_id
            )
        )
        .one()
    )
    definition = parser.parse({n: x.encode() for n, x in row.sources.items()}, row.process_key)
    with _lock:
        _cache[definition_id] = definition
        while len(_cache) > _CACHE_SIZE:
            _cache.popitem(last=False)
    return definition


def user_tasks(process_key: str) -> list[tuple[str, str, str]]:
    """(element id, name, role) of every user task of the published version and what it calls."""
    definition = parsed(published(process_key))
    return [
        (task.bpmn_id, task.bpmn_name or task.bpmn_id, properties.get("role", ""))
        for spec in (definition.spec, *definition.subprocess_specs.values())
        for task in spec.task_specs.values()
        if task.bpmn_id is not None and task.manual
        for properties in [task.extensions.get("properties", {})]
    ]


def forget_parsed() -> None:
    """Empty this process's cache: the ids of another database mean other diagrams."""
    with _lock:
        _cache.clear()


def _digest(sources: dict[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name in sorted(sources):
        digest.update(name.encode() + b"\0" + sources[name] + b"\0")
    return digest.hexdigest()

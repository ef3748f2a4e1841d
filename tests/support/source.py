"""What only the source text knows: error codes, settings, warnings, access-log actions."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from tests.support.database import ROOT

APP = ROOT / "app"
_CODE = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)*")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


@dataclass
class Refusal:
    """An error code: the HTTP statuses it comes with, and what people are told."""

    code: str
    statuses: set[int] = field(default_factory=set)
    messages: list[str] = field(default_factory=list)
    rooms: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Setting:
    """A `HOTLINE_*` variable as `config.py` reads it."""

    variable: str
    kind: str
    default: str | None
    meaning: str


@cache
def trees() -> dict[Path, ast.Module]:
    """Every module of the product but the simulator, parsed."""
    files = [f for f in sorted(APP.rglob("*.py")) if "simulator" not in f.parts]
    return {file: ast.parse(file.read_text()) for file in files}


def room_of(file: Path) -> str:
    """The room a module belongs to."""
    return file.relative_to(APP).parts[0].removesuffix(".py")


def refusals() -> list[Refusal]:
    """Every error code of the product, by code."""
    status_of = _statuses()
    found: dict[str, Refusal] = {}

    def add(code: str, status: int, message: str, room: str) -> None:
        entry = found.setdefault(code, Refusal(code))
        entry.statuses.add(status)
        entry.rooms.add(room)
        if message and message not in entry.messages:
            entry.messages.append(message)

    for file, tree in trees().items():
        for scope, call in _calls(tree):
            name = _called(call)
            if name == "__init__" and isinstance(scope[-1], ast.FunctionDef):
                owner = next((s for s in reversed(scope) if isinstance(s, ast.ClassDef)), None)
                name = owner.name if owner else ""
            if name not in status_of:
                continue
            codes = [text for text in _strings(call) if _CODE.fullmatch(text)]
            status = _assigned_status(scope) or status_of[name]
            owner = next((s for s in reversed(scope) if isinstance(s, ast.ClassDef)), None)
            usual = _defaults(owner).get("message", "") if owner else ""
            for code in codes:
                add(code, status, _message(call, scope[-1]) or usual, room_of(file))
        for owner in (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)):
            if owner.name in status_of:
                defaults = _defaults(owner)
                if "code" in defaults:
                    message = defaults.get("message", "")
                    add(defaults["code"], status_of[owner.name], message, room_of(file))
        for status, code, message in _status_table(tree):
            add(code, status, message, room_of(file))
    return [found[code] for code in sorted(found)]


def calls_with_code(function: str, position: int) -> list[tuple[str, str]]:
    """(code, message) of calls such as `rules.Warning("CODE", "field", "…")`, by code."""
    found: dict[str, str] = {}
    for tree in trees().values():
        for scope, call in _calls(tree):
            if _called(call) == function and len(call.args) > position:
                code = call.args[position]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    message = _message(call, scope[-1])
                    found[code.value] = found.get(code.value) or message
    return sorted(found.items())


def tuples_with_code(file: str, name: str) -> list[tuple[str, str]]:
    """(code, message) of a table of pairs assigned to `name`, by code."""
    found = {}
    for node in trees()[APP / file].body:
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == name:
            for pair in (n for n in ast.walk(node) if isinstance(n, ast.Tuple)):
                texts = [e.value for e in pair.elts if isinstance(e, ast.Constant)]
                if len(texts) == 2:
                    found[texts[0]] = texts[1]
    return sorted(found.items())


def settings() -> list[Setting]:
    """The settings in the order of `config.py`."""
    tree = trees()[APP / "config.py"]
    (table,) = (n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == "Settings")
    kinds, meanings, last = {}, {}, ""
    for node in table.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            last = node.target.id
            kinds[last] = ast.unparse(node.annotation)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and last:
            meanings[last] = str(node.value.value)
    made = next(c for _, c in _calls(tree) if _called(c) == "Settings")
    found = []
    for keyword in made.keywords:
        read = next(
            [a for a in ast.walk(call) if isinstance(a, ast.Constant) or a in call.args]
            for _, call in _calls(keyword.value)
            if any(isinstance(a, ast.Constant) and str(a.value).isupper() for a in call.args)
        )
        constants = [n.value for n in read if isinstance(n, ast.Constant)]
        variable = next(str(c) for c in constants if str(c).isupper())
        rest = [c for c in constants if c != variable]
        meaning = re.sub(rf" ?\(`{variable}`(, )?([^)]*)\)", _kept, meanings[keyword.arg or ""])
        found.append(
            Setting(variable, kinds[keyword.arg or ""], str(rest[0]) if rest else None, meaning)
        )
    return found


def environment_variables() -> dict[str, list[str]]:
    """Variables read outside `config.py` → the modules that read them, test support included."""
    found: dict[str, list[str]] = {}
    for file in [*sorted(APP.rglob("*.py")), *sorted((ROOT / "tests/support").glob("*.py"))]:
        if file.name == "config.py" and file.parent == APP:
            continue
        text = file.read_text()
        for name in re.findall(
            r"""(?:environ(?:\.get\(|\[)|envvar=|getenv\()\s*["']([A-Z_]+)["']""", text
        ):
            found.setdefault(name, [])
            if str(file.relative_to(ROOT)) not in found[name]:
                found[name].append(str(file.relative_to(ROOT)))
    return dict(sorted(found.items()))


def logged_actions() -> list[tuple[str, str]]:
    """(action, module) of every line written to the access log."""
    found = set()
    for file, tree in trees().items():
        for scope, call in _calls(tree):
            if ast.unparse(call.func) == "access.record" and len(call.args) > 1:
                actions = [n.value for n in ast.walk(call.args[1]) if isinstance(n, ast.Constant)]
                if not actions and isinstance(call.args[1], ast.Name):
                    actions = _values_of(tree, call.args[1].id) + _passed(tree, scope[-1], 1)
                module = str(file.relative_to(ROOT))
                found |= {(str(action), module) for action in actions}
    return sorted(found)


def state_changes() -> list[str]:
    """Functions that change the state of a ticket, in modules that know the table."""
    found = set()
    for file, tree in trees().items():
        imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
        if not any(each.name == "Ticket" for node in imports for each in node.names):
            continue
        for function in (n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)):
            if any(_sets_status(node) for node in ast.walk(function)):
                found.add(f"{room_of(file)}.{file.stem}.{function.name}")
    return sorted(found)


def _sets_status(node: ast.AST) -> bool:
    """`x.status = …`, alone or among others, `setattr(x, "status", …)`, `….values(status=…)`,
    `_write(x, status=…)`.
    """
    if isinstance(node, ast.Call):
        called = ast.unparse(node.func).rpartition(".")[2]
        names = [a.value for a in node.args if isinstance(a, ast.Constant)]
        names += [each.arg for each in node.keywords if called in {"values", "_write"}]
        return called in {"setattr", "values", "_write"} and "status" in names
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "status"
        and isinstance(node.ctx, ast.Store)
    )


def _kept(found: re.Match[str]) -> str:
    return f" ({found[2]})" if found[2] else ""


def _values_of(tree: ast.Module, name: str) -> list[str]:
    return [
        str(constant.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == name
        for constant in ast.walk(node.value)
        if isinstance(constant, ast.Constant) and "." in str(constant.value)
    ]


def _passed(tree: ast.Module, function: ast.AST, position: int) -> list[str]:
    """Constants that the module's own calls of a function pass at a position."""
    name = getattr(function, "name", "")
    return [
        str(call.args[position].value)
        for _, call in _calls(tree)
        if _called(call) == name
        and len(call.args) > position
        and isinstance(call.args[position], ast.Constant)
    ]


def _statuses() -> dict[str, int]:
    """Error class → HTTP status, through its bases."""
    bases: dict[str, list[str]] = {}
    own: dict[str, int] = {}
    for tree in trees().values():
        for node in (n for n in ast.walk(tree) if isinstance(n, ast.ClassDef)):
            bases[node.name] = [ast.unparse(base).split(".")[-1] for base in node.bases]
            for line in node.body:
                if (
                    isinstance(line, ast.Assign)
                    and ast.unparse(line.targets[0]) == "status"
                    and isinstance(line.value, ast.Constant)
                ):
                    own[node.name] = int(line.value.value)

    def status(name: str) -> int | None:
        if name in own:
            return own[name]
        return next((s for b in bases.get(name, []) if (s := status(b)) is not None), None)

    def is_refusal(name: str) -> bool:
        return name == "HotlineError" or any(is_refusal(b) for b in bases.get(name, []))

    return {name: status(name) or 500 for name in bases if is_refusal(name)}


def _calls(tree: ast.AST) -> Iterator[tuple[tuple[ast.AST, ...], ast.Call]]:
    """Every call with the classes and functions around it, outermost first."""

    def walk(node: ast.AST, scope: tuple[ast.AST, ...]) -> Iterator[tuple[tuple, ast.Call]]:
        if isinstance(node, ast.Call):
            yield scope or (tree,), node
        inside = (*scope, node) if isinstance(node, ast.ClassDef | ast.FunctionDef) else scope
        for child in ast.iter_child_nodes(node):
            yield from walk(child, inside)

    yield from walk(tree, ())


def _called(call: ast.Call) -> str:
    if isinstance(call.func, ast.Attribute):
        return call.func.attr
    return call.func.id if isinstance(call.func, ast.Name) else ""


def _strings(call: ast.Call) -> list[str]:
    return [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]


def _message(call: ast.Call, scope: ast.AST) -> str:
    """The Chinese text among the arguments; what is put into it is shown as …"""
    for argument in call.args:
        text = _text(argument)
        if isinstance(argument, ast.Name):
            assigned = {
                node.lineno: _text(node.value)
                for node in ast.walk(scope)
                if isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]) == argument.id
                and node.lineno < call.lineno
            }
            text = assigned[max(assigned)] if assigned else ""
        if _CHINESE.search(text):
            return text
    return ""


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = (str(p.value) if isinstance(p, ast.Constant) else "…" for p in node.values)
        return "".join(parts)
    return ""


def _defaults(owner: ast.ClassDef) -> dict[str, str]:
    """String defaults of a class's own `__init__`, or of its dataclass fields."""
    found = {}
    for node in owner.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Constant):
            found[ast.unparse(node.target)] = node.value.value
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            plain = node.args.args[len(node.args.args) - len(node.args.defaults) :]
            for argument, default in zip(plain, node.args.defaults, strict=True):
                if isinstance(default, ast.Constant):
                    found[argument.arg] = default.value
    return {name: value for name, value in found.items() if isinstance(value, str)}


def _assigned_status(scope: tuple[ast.AST, ...]) -> int | None:
    """A status that the function around a call gives to the refusal it made."""
    if not isinstance(scope[-1], ast.FunctionDef):
        return None
    for node in ast.walk(scope[-1]):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Attribute)
            and node.targets[0].attr == "status"
            and isinstance(node.value, ast.Constant)
            and isinstance(node.value.value, int)
        ):
            return node.value.value
    return None


def _status_table(tree: ast.Module) -> Iterator[tuple[int, str, str]]:
    """Entries of a `{status: (code, message)}` table."""
    for node in (n for n in tree.body if isinstance(n, ast.Assign)):
        if getattr(node.targets[0], "id", "") == "_HTTP_CODES":
            for status, (code, message) in ast.literal_eval(node.value).items():
                yield status, code, message

"""The small safe language (安全表达式) of conditions, scripts, timers and service parameters.

Python syntax, but only comparisons, arithmetic, a few pure functions, `if` and plain assignments:
no attributes, no imports, no loops, no containers as values. A diagram comes from a browser, and
SpiffWorkflow's own engine would hand its author a shell. What is read and written are the flat
scalars of the task data, nothing else.
"""

import ast
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any, Literal, NoReturn

from SpiffWorkflow.bpmn.script_engine import (
    BasePythonScriptEngineEnvironment,
    PythonScriptEngine,
)

from app.engine.scalars import MAX_TEXT, NotFlat, Scalar, flat, flat_value

__all__ = [
    "ExpressionFailed",
    "NotFlat",
    "SafeEnvironment",
    "Scalar",
    "ScriptEngine",
    "ServiceCall",
    "UnsafeExpression",
    "element_of",
    "flat",
    "mark",
    "validate",
]

ServiceCall = Callable[[str, dict[str, Any], dict[str, Any]], dict[str, Any]]
"""(operator name, evaluated parameters, copy of the task data) → flat scalars to merge."""

MAX_SOURCE = 2_000
MAX_NODES = 400
MAX_NESTING = 40
_MAX_BITS = 256
_MAX_CONSTANT = 10**15


class UnsafeExpression(ValueError):
    """The text is outside the language; the message (Chinese) tells the analyst why."""


class ExpressionFailed(ValueError):
    """The text is inside the language and failed on these data, which the message never quotes."""


# ---------------------------------------------------------------- what the language may call


def _fail(message: str) -> NoReturn:
    raise ExpressionFailed(message)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


def _add(left: Any, right: Any) -> Any:
    total = left + right
    if isinstance(total, str) and len(total) > MAX_TEXT:
        _fail(f"文本超过 {MAX_TEXT} 个字符")
    return total


def _multiply(left: Any, right: Any) -> Any:
    if not (_is_number(left) and _is_number(right)):
        _fail("* 只能用于数值")
    if (
        isinstance(left, int)
        and isinstance(right, int)
        and left.bit_length() + right.bit_length() > _MAX_BITS
    ):
        _fail("数值过大")
    return left * right


def _modulo(left: Any, right: Any) -> Any:
    if not (_is_number(left) and _is_number(right)):
        _fail("% 只能用于数值")
    return left % right


def _integer(value: Any) -> int:
    try:
        return int(value)
    except (ValueError, TypeError, OverflowError):
        _fail("int() 的参数不是整数")


def _floating(value: Any) -> float:
    try:
        return float(value)
    except (ValueError, TypeError, OverflowError):
        _fail("float() 的参数不是数值")


def _rounded(value: Any, digits: Any = 0) -> Any:
    """`round` with few digits: `round(1, -10**15)` alone would eat the machine."""
    if not _is_number(value) or type(digits) is not int or not -15 <= digits <= 15:
        _fail("round() 的参数不合法")
    try:
        return round(value, digits) if digits else round(value)
    except (ValueError, OverflowError):
        _fail("round() 的参数不合法")


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "bool": bool,
    "float": _floating,
    "int": _integer,
    "len": len,
    "max": max,
    "min": min,
    "round": _rounded,
    "str": str,
}
_OPERATORS: dict[type[ast.operator], tuple[str, Callable[..., Any]]] = {
    ast.Add: ("_add", _add),
    ast.Mult: ("_multiply", _multiply),
    ast.Mod: ("_modulo", _modulo),
}
_GLOBALS: dict[str, Any] = {
    "__builtins__": {},
    **{f"_{name}_": function for name, function in _FUNCTIONS.items()},
    **dict(_OPERATORS.values()),
}
"""Underscored, so that no variable of the task data can ever stand in front of a function."""


# ---------------------------------------------------------------- what the language accepts

_EXPRESSIONS: tuple[type[ast.AST], ...] = (
    ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod,
    ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE,
    ast.In, ast.NotIn, ast.Is, ast.IsNot,
    ast.Constant, ast.Name, ast.Load, ast.IfExp, ast.Call,
    ast.Subscript, ast.Slice, ast.List, ast.Tuple,
)  # fmt: skip
_STATEMENTS: tuple[type[ast.AST], ...] = (ast.Assign, ast.AugAssign, ast.If, ast.Pass, ast.Store)
_NOT_HERE = {
    ast.Attribute: "不能访问属性（.）",
    ast.Import: "不能导入模块",
    ast.ImportFrom: "不能导入模块",
    ast.For: "不能使用循环",
    ast.While: "不能使用循环",
    ast.Lambda: "不能定义函数",
    ast.FunctionDef: "不能定义函数",
    ast.JoinedStr: "不能使用 f 字符串",
    ast.Pow: "不能使用 **",
    ast.Dict: "不能使用字典",
    ast.keyword: "不能使用命名参数",
    ast.Starred: "不能使用 *",
}


def validate(source: str, mode: Literal["eval", "exec"]) -> None:
    """Raise UnsafeExpression unless `source` is one expression ("eval") or a script ("exec")."""
    _compiled(source, mode)


@lru_cache(maxsize=4096)
def _compiled(source: str, mode: Literal["eval", "exec"]) -> CodeType:
    if not isinstance(source, str) or not source.strip():
        raise UnsafeExpression("内容为空")
    if len(source) > MAX_SOURCE:
        raise UnsafeExpression(f"超过 {MAX_SOURCE} 个字符")
    if "\\" in source:
        raise UnsafeExpression("不能使用反斜杠")
    if "${" in source or "#{" in source:
        raise UnsafeExpression("不支持 ${…}，请直接写变量名")
    try:
        tree = ast.parse(source.strip(), mode=mode)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = getattr(error, "lineno", None)
        raise UnsafeExpression("语法错误" + (f"（第 {line} 行）" if line else "")) from None
    _inspect(tree, mode)
    tree = ast.fix_missing_locations(_Guard().visit(tree))
    return compile(tree, "<diagram>", mode)


def _inspect(tree: ast.AST, mode: str) -> None:
    """Walk the tree once without recursion; refuse what is not on the list, and its misuse."""
    allowed = _EXPRESSIONS if mode == "eval" else _EXPRESSIONS + _STATEMENTS
    waiting = [(child, tree, 1) for child in ast.iter_child_nodes(tree)]
    seen = 0
    while waiting:
        node, parent, depth = waiting.pop()
        seen += 1
        if seen > MAX_NODES or depth > MAX_NESTING:
            raise UnsafeExpression("过于复杂，请拆成多步")
        if not isinstance(node, allowed):
            what = _NOT_HERE.get(type(node), f"不允许的写法（{type(node).__name__}）")
            raise UnsafeExpression(what)
        _CHECKS.get(type(node), _anything)(node, parent)
        waiting.extend((child, node, depth + 1) for child in ast.iter_child_nodes(node))


def _anything(node: Any, parent: ast.AST) -> None:
    """Nothing more to ask of this node."""


def _check_name(node: ast.Name, parent: ast.AST) -> None:
    if node.id.startswith("_") or "__" in node.id:
        raise UnsafeExpression(f"不允许的名字 {node.id}")
    if node.id in _FUNCTIONS and not (isinstance(parent, ast.Call) and parent.func is node):
        raise UnsafeExpression(f"{node.id} 是函数，不能当变量用")


def _check_constant(node: ast.Constant, parent: ast.AST) -> None:
    value = node.value
    if value is None or isinstance(value, bool):
        return
    if isinstance(value, str):
        if not value.isprintable():
            raise UnsafeExpression("文本中有不可见字符")
    elif not isinstance(value, int | float) or not abs(value) <= _MAX_CONSTANT:
        raise UnsafeExpression("常量类型不允许或数值过大")


def _check_call(node: ast.Call, parent: ast.AST) -> None:
    if not (isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS):
        raise UnsafeExpression("只能调用 " + "、".join(_FUNCTIONS))


def _check_list(node: ast.List | ast.Tuple, parent: ast.AST) -> None:
    """Lists are for `x in ["a", "b"]` only: as a value they could double at every line."""
    if not (isinstance(parent, ast.Compare) and isinstance(parent.ops[-1], ast.In | ast.NotIn)):
        raise UnsafeExpression("列表只能写在 in 的右边")
    if parent.comparators[-1] is not node:
        raise UnsafeExpression("列表只能写在 in 的右边")
    if not all(isinstance(item, ast.Constant) for item in node.elts):
        raise UnsafeExpression("列表里只能写常量")


def _check_compare(node: ast.Compare, parent: ast.AST) -> None:
    for operator, operand in zip(node.ops, node.comparators, strict=True):
        if isinstance(operator, ast.Is | ast.IsNot) and not (
            isinstance(operand, ast.Constant) and operand.value is None
        ):
            raise UnsafeExpression("is 只能与 None 比较")


def _check_subscript(node: ast.Subscript, parent: ast.AST) -> None:
    if not isinstance(node.ctx, ast.Load):
        raise UnsafeExpression("不能给下标赋值")
    if not isinstance(node.value, ast.Name | ast.Call | ast.Subscript):
        raise UnsafeExpression("下标只能用于变量")
    index = node.slice
    if isinstance(index, ast.Tuple | ast.List) or (
        isinstance(index, ast.Constant) and type(index.value) is not int
    ):
        raise UnsafeExpression("下标只能是整数")


def _check_assign(node: ast.Assign | ast.AugAssign, parent: ast.AST) -> None:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target]
    if not all(isinstance(target, ast.Name) for target in targets):
        raise UnsafeExpression("只能给变量赋值")


_CHECKS: dict[type[ast.AST], Callable[[Any, ast.AST], None]] = {
    ast.Name: _check_name,
    ast.Constant: _check_constant,
    ast.Call: _check_call,
    ast.List: _check_list,
    ast.Tuple: _check_list,
    ast.Compare: _check_compare,
    ast.Subscript: _check_subscript,
    ast.Assign: _check_assign,
    ast.AugAssign: _check_assign,
}


class _Guard(ast.NodeTransformer):
    """Puts our own bounded functions behind the calls and behind `+`, `*` and `%`."""

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name):
            node.func = ast.Name(f"_{node.func.id}_", ast.Load())
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return _guarded(node.op, node.left, node.right) or node

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        if not isinstance(node.target, ast.Name):
            return node
        now = ast.Name(node.target.id, ast.Load())
        value = _guarded(node.op, now, node.value) or ast.BinOp(now, node.op, node.value)
        return ast.Assign([node.target], value)


def _guarded(operator: ast.operator, left: ast.expr, right: ast.expr) -> ast.Call | None:
    entry = _OPERATORS.get(type(operator))
    return ast.Call(ast.Name(entry[0], ast.Load()), [left, right], []) if entry else None


# ---------------------------------------------------------------- the engine's side


class SafeEnvironment(BasePythonScriptEngineEnvironment):  # type: ignore[misc]
    """Evaluates the language for one action; `call` is what a service task may reach.

    One cheap object per action: compiled code is cached for the whole process. A script either
    succeeds completely or leaves the task data untouched.
    """

    def __init__(self, call: ServiceCall) -> None:
        super().__init__()
        self._call = call

    def evaluate(
        self, expression: str, context: dict[str, Any], external_context: Any = None
    ) -> Scalar:
        """The value of one expression over the task data."""
        result = eval(_compiled(expression, "eval"), _GLOBALS, context)  # noqa: S307 - allow-listed
        return flat_value("（结果）", result)

    def execute(self, script: str, context: dict[str, Any], external_context: Any = None) -> bool:
        """Run a script over a copy of the task data and merge what it changed."""
        scope = dict(context)
        exec(_compiled(script, "exec"), _GLOBALS, scope)  # noqa: S102 - allow-listed
        context.update(flat(scope))
        return True

    def call_service(
        self, context: dict[str, Any], operation_name: str, operation_params: dict[str, Any]
    ) -> dict[str, Scalar]:
        """Ask the handler registered under the operator's name."""
        return flat(self._call(operation_name, operation_params, dict(context)))


class ScriptEngine(PythonScriptEngine):  # type: ignore[misc]
    """Lets exceptions out as they are, marked with the element they happened at.

    SpiffWorkflow wraps them, and its own `call_service` fails while wrapping (3.2.0).
    """

    def evaluate(self, task: Any, expression: str, external_context: Any = None) -> Any:
        """Evaluate over the task's data."""
        try:
            return self.environment.evaluate(expression, task.data)
        except Exception as error:
            mark(error, task)
            raise

    def execute(self, task: Any, script: str, external_context: Any = None) -> Any:
        """Run a script over the task's data."""
        try:
            return self.environment.execute(script, task.data)
        except Exception as error:
            mark(error, task)
            raise

    def call_service(self, task: Any, **kwargs: Any) -> Any:
        """Call a handler for the task."""
        try:
            return self.environment.call_service(task.data, **kwargs)
        except Exception as error:
            mark(error, task)
            raise


def mark(error: BaseException, task: Any) -> None:
    """Remember on the exception which diagram element it happened at; the first mark stays."""
    error.__dict__.setdefault("bpmn_element", task.task_spec.bpmn_id or task.task_spec.name)


def element_of(error: BaseException) -> str | None:
    """The BPMN id of the element an exception out of the engine happened at."""
    return error.__dict__.get("bpmn_element")

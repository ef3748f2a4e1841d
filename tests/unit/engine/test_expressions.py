"""The safe language: what it accepts, what it refuses, and that attacks stay harmless."""

import time
from typing import Any

import pytest

from app.engine.expressions import (
    ExpressionFailed,
    NotFlat,
    SafeEnvironment,
    UnsafeExpression,
    flat,
    validate,
)

ENVIRONMENT = SafeEnvironment(lambda name, params, data: {})


def value_of(expression: str, **data: Any) -> Any:
    return ENVIRONMENT.evaluate(expression, data)


def after(script: str, **data: Any) -> dict[str, Any]:
    ENVIRONMENT.execute(script, data)
    return data


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('decision == "accept"', True),
        ('decision in ["accept", "return"]', True),
        ('decision not in ("x", "y")', True),
        ("round_no >= 3 or urgent", True),
        ("not urgent and round_no < 3", False),
        ("missing is None", True),
        ("round_no is not None", True),
        ('"PT" + str(hours) + "H"', "PT48H"),
        ("1 if urgent else 2", 1),
        ("len(decision) + round_no * 2", 12),
        ("min(round_no, 2) - abs(-1)", 1),
        ("hours / 2 + hours // 7 + hours % 7", 36.0),
        ("decision[0] + decision[-2:]", "apt"),
        ("round(hours / 7, 2)", 6.86),
        ("round(hours / 7)", 7),
        ('int("7") + float("0.5")', 7.5),
        ("1 < round_no < 9", True),
        ("bool(decision)", True),
        ("变量 == 1", True),
        ("-round_no + +1", -3),
    ],
)
def test_conditions_read_the_variables(expression: str, expected: Any) -> None:
    data = {"decision": "accept", "round_no": 3, "urgent": True, "hours": 48, "missing": None}
    data["round_no"] = 4 if "-round_no" in expression else 3
    assert value_of(expression, 变量=1, **data) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("a = 1", {"a": 1, "n": 5}),
        ("n += 1\nn *= 2\nn -= 1", {"n": 11}),
        ('if n > 3:\n    level = "high"\nelif n > 1:\n    level = "mid"\nelse:\n    pass', None),
        ("a = b = n", {"a": 5, "b": 5, "n": 5}),
        ('a = "x"; a += "y"', {"a": "xy", "n": 5}),
    ],
)
def test_scripts_change_the_variables(script: str, expected: dict[str, Any] | None) -> None:
    assert after(script, n=5) == (expected or {"n": 5, "level": "high"})


ATTACKS = {
    # the twelve of the study
    "import": "import os",
    "import_from": "from os import system",
    "dunder_import": '__import__("os").system("id")',
    "open": 'open("/etc/passwd")',
    "subclasses": "().__class__.__base__.__subclasses__()",
    "format": '"{0.__class__}".format(1)',
    "format_map": '"{x.__init__}".format_map(x)',
    "traceback": "error.__traceback__.tb_frame.f_globals",
    "gigabyte": '"a" * 10**9',
    "while": "while True: pass",
    "list_doubling": "a = [1]\n" + "a = [a, a]\n" * 40,
    "tuple_doubling": "a = (1,)\n" + "a = (a, a)\n" * 40,
    # ours
    "eval": 'eval("1")',
    "exec": 'exec("a = 1")',
    "compile": 'compile("1", "", "eval")',
    "getattr": 'getattr(n, "real")',
    "setattr": 'setattr(n, "x", 1)',
    "globals": "globals()",
    "vars": "vars()",
    "type": "type(n)",
    "builtins_name": "__builtins__",
    "mangled_function": "_int_(1)",
    "mangled_operator": "_add(1, 2)",
    "attribute": "n.real",
    "method": "n.bit_length()",
    "lambda": "(lambda: 1)()",
    "def": "def f(): pass",
    "class": "class A: pass",
    "list_comprehension": "[x for x in [1]]",
    "generator": "max(x for x in [1])",
    "dict_comprehension": "{x: 1 for x in [1]}",
    "fstring": 'f"{n}"',
    "walrus": "(n := 1)",
    "power": "9**9**9",
    "shift": "1 << 10**9",
    "bytes": 'b"abc"',
    "complex": "1j",
    "ellipsis": "...",
    "set": "{1, 2}",
    "dict": '{"a": 1}',
    "list_value": "[1, 2]",
    "list_argument": "len([1, 2])",
    "list_of_names": "n in [n, n]",
    "nested_list": "n in [[1], [2]]",
    "list_left_of_in": "[1] in n",
    "chained_in": "n in [1] == n",
    "keyword": "max(1, 2, key=len)",
    "starred": "max(*n)",
    "double_starred": "max(**n)",
    "call_of_call": "int(1)(2)",
    "call_of_constant": '"x"(1)',
    "call_of_variable": "n(1)",
    "function_as_value": "len",
    "function_assigned": "f = len",
    "function_overwritten": "len = 1",
    "function_in_condition": "1 if str else 2",
    "item_assignment": "n[0] = 1",
    "attribute_assignment": "n.x = 1",
    "unpacking": "a, b = n",
    "delete": "del n",
    "global": "global n",
    "assert": "assert n",
    "raise": "raise n",
    "try": "try:\n    a = 1\nexcept: pass",
    "with": "with n: pass",
    "for": "for x in n: pass",
    "async": "async def f(): pass",
    "await": "await n",
    "yield": "yield n",
    "return": "return n",
    "match": "match n:\n    case 1: pass",
    "annotation": "a: n = 1",
    "type_call": "type(n).mro()",
    "matmul": "n @ n",
    "bitwise": "n | n",
    "invert": "~n",
    "is_number": "n is 1",
    "huge_constant": "10000000000000000",
    "infinite_constant": "1e999",
    "backslash": '"\\x41"',
    "null_byte": "n\x00",
    "control_character": '"\x07"',
    "format_template": "${n}",
    "template": "#{n}",
    "deep_parentheses": "(" * 300 + "n" + ")" * 300,
    "deep_unary": "-" * 1500 + "n",
    "deep_not": "not " * 450 + "n",
    "wide": "+".join(["n"] * 900),
    "long": "n" * 2001,
    "deep_if": "\n".join(" " * i + "if n:" for i in range(60)) + "\n" + " " * 60 + "pass",
    "dunder_inside": "a__b",
    "fullwidth_dunder": "＿＿import＿＿",
    "subscript_of_text": '"abc"[0]',
    "tuple_subscript": "n[1, 2]",
    "text_subscript": 'n["a"]',
    "empty": "   ",
    "syntax": "n ==",
    "bare_duration": "P3D 1",
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_attack_is_refused_before_it_runs(attack: str) -> None:
    data = {"n": 1, "x": 1, "error": 1, "a": 1}

    began = time.perf_counter()
    with pytest.raises(UnsafeExpression) as refusal:
        validate(attack, "eval")
    with pytest.raises(UnsafeExpression):
        ENVIRONMENT.evaluate(attack, data)
    with pytest.raises(UnsafeExpression):
        ENVIRONMENT.execute(attack, data)

    assert time.perf_counter() - began < 0.5
    assert data == {"n": 1, "x": 1, "error": 1, "a": 1}
    assert str(refusal.value)


FAILURES = (
    ExpressionFailed,
    NotFlat,
    ArithmeticError,
    TypeError,
    LookupError,
    NameError,
    ValueError,
)


@pytest.mark.parametrize(
    "script",
    [
        'a = "x"\n' + "a = a + a\n" * 30,
        "a = 7\n" + "a = a * a\n" * 30,
        "a = 7.5\n" + "a = a * a\n" * 60,
        "a = round(1, -1000000000000)",
        'a = round("x")',
        'a = "%1000000d" % 1',
        'a = "x" * 1000000',
        'a = int("x" + text)',
        "a = float(text)",
        "a = int(text)",
        "a = len(1)",
        "a = 1 / 0",
        "a = text[99999999999]",
        "a = unknown",
        'a = max("")',
        "a = text < 1",
        'a = float("nan")',
        'a = float("inf")',
        'a = int(float("inf"))',
        "a = 999999999999999 * 999999999999999",
    ],
)
def test_script_that_fails_leaves_the_variables_alone(script: str) -> None:
    data = {"text": "张三13800000000"}

    began = time.perf_counter()
    with pytest.raises(FAILURES) as failure:
        ENVIRONMENT.execute("b = 1\n" + script, data)

    assert data == {"text": "张三13800000000"}
    assert "张三" not in str(failure.value)
    assert time.perf_counter() - began < 0.5


def test_variable_cannot_stand_in_for_a_function() -> None:
    assert value_of("len(text)", text="abc", len=9, int="x") == 3


def test_environment_hands_a_copy_of_the_data_to_the_handler() -> None:
    def handler(name: str, params: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        data["spoilt"] = True
        return {"name": name, **params}

    data = {"n": 1}
    answer = SafeEnvironment(handler).call_service(data, "a.b", {"level": "city"})

    assert answer == {"name": "a.b", "level": "city"}
    assert data == {"n": 1}


class _Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value",
    [
        [1],
        {"a": 1},
        (1,),
        {1},
        b"x",
        1j,
        object(),
        float("nan"),
        float("inf"),
        2**63,
        -(2**63) - 1,
        "x" * 20_001,
        "\ud800",
        _Text("x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_nested_or_strange_values_are_refused_by_name_only(value: Any) -> None:
    with pytest.raises(NotFlat, match="phone"):
        flat({"phone": value})


@pytest.mark.parametrize("key", ["_hidden", "__builtins__", "a.b", "1a", "", 1, None])
def test_variable_names_are_plain_identifiers(key: Any) -> None:
    with pytest.raises(NotFlat):
        flat({key: 1})


def test_flat_scalars_pass_unchanged() -> None:
    values = {"a": "文", "b": 1, "c": 1.5, "d": True, "e": None, "审核": -(2**63)}
    assert flat(values) == values

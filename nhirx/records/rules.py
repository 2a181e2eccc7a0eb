"""The rows of ``tables/checks.toml``, compiled into one function per kind of record.

A row's condition is a Python expression, but only of the few node types below: names, constants, comparisons, ``and``,
``or``, ``not``, ``+ - * %`` and calls of the functions listed here. Ten thousand records have to be judged in the time an
XML parser takes to read them, and walking 180 conditions one by one does not; one generated function does. The table ships
with the program and every node is checked, so what is compiled is data of ours and nothing else.
"""

from __future__ import annotations

import ast
import functools
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from nhirx.errors import TableInvalid
from nhirx.records.conditions import FUNCTIONS
from nhirx.tables.fields import fields
from nhirx.tables.load import code_rows

Hit = int
"""The 1-based order (0 for the record) times ``STEP``, plus the number of the rule: one integer sorts and compares fast."""
STEP = 4096
Body = tuple[str, str]
"""A condition as code: what stands before the first ``and``, and the rest."""
Judge = Callable[[Mapping[str, str], Sequence[Mapping[str, str]], str, str, str, list[Hit]], None]

_NODES = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.Compare, ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt,
    ast.GtE, ast.In, ast.NotIn, ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Mod, ast.Call, ast.Name, ast.Load, ast.Constant, ast.Tuple,
)  # fmt: skip
_CONTEXT = frozenset({"kinds", "orders", "repeated", "today", "oldest", "doubtful"})
_CLOCK = frozenset({"today", "oldest", "doubtful"})
_CALLED_ONCE = frozenset({"number", "real", "day", "code", "amount", "made_at"})


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``names`` are the fields its condition reads; ``always``: judged even when one of them is malformed.

    ``zh`` and ``en`` stand in for the words of the code where this condition can say it better.
    """

    code: str
    field: str
    wrong: str
    on: str = "AB"
    severity: Literal["error", "warning", "pending"] = "error"
    family: str = "2.0"
    section: str = ""
    whole: bool = False
    always: bool = False
    derived: bool = False
    zh: str = ""
    en: str = ""
    names: frozenset[str] = frozenset()

    @property
    def of_order(self) -> bool:
        return "repeated" in self.names or any(name[0] in "DEV" for name in self.names if name not in _CONTEXT)


@dataclass(frozen=True, slots=True)
class KindOfRecord:
    """One kind (the first whose condition holds): what it must have, must not have, and its compiled rules."""

    id: str
    required: frozenset[str]
    wanted: frozenset[str]
    forbidden: frozenset[str]
    required_in_order: frozenset[str]
    forbidden_in_order: frozenset[str]
    judge: Judge


@dataclass(frozen=True, slots=True)
class RuleBook:
    rules: tuple[Rule, ...]
    kinds: Mapping[str, KindOfRecord]
    kind_of: Callable[[str, str], str]
    limits: Mapping[str, int]
    codes: Mapping[str, str]
    """Codes of what is judged by type, need and outline alone."""
    structure: Mapping[str, Any]
    file: Mapping[str, tuple[str, str]]

    @property
    def clock_codes(self) -> frozenset[str]:
        """Codes of the rules that look at the time of the upload."""
        return frozenset(rule.code for rule in self.rules if rule.names & _CLOCK)


@functools.cache
def rule_book() -> RuleBook:
    """The compiled table. Raises ``TableInvalid`` for a row that is not in the language."""
    return compile_book(tomllib.loads(resources.files("nhirx.tables").joinpath("checks.toml").read_text("utf-8")))


def compile_book(tree: Mapping[str, Any]) -> RuleBook:
    space: dict[str, Any] = dict(FUNCTIONS)
    space |= {name: _listed(values) for name, values in tree["lists"].items()}
    space |= {name: re.compile(pattern).fullmatch for name, pattern in tree["patterns"].items()}
    space |= tree["limits"]
    rules: list[Rule] = []
    bodies: list[Body] = []
    calls: list[set[tuple[str, str]]] = []
    for row in tree["rule"]:
        text, names, hoisted = _expression(row["wrong"], space)
        rules.append(Rule(names=names, **row))
        bodies.append(text)
        calls.append(hoisted)
    if len(rules) >= STEP:
        raise TableInvalid(table="checks.toml", problem=f"more than {STEP} rules")
    lines = ["def kind_of(H00, H01):"]
    for row in tree["kind"]:
        first, rest = _expression(row["when"], space)[0]
        lines.append(f"    if ({first}) and ({rest or True}): return {row['id']!r}")
    for row in tree["kind"]:
        lines += _function(row["id"], rules, bodies, calls)
    made: dict[str, Any] = {}
    program = compile("\n".join(lines), "checks.toml", "exec")
    exec(program, space | {"__builtins__": {"len": len, "enumerate": enumerate, "set": set}}, made)  # noqa: S102
    kinds = {row["id"]: _kind(row, made[f"judge_{row['id']}"]) for row in tree["kind"]}
    return RuleBook(tuple(rules), kinds, made["kind_of"], tree["limits"], tree["codes"], tree["structure"], tree["file"])


def _listed(values: list[str] | str) -> frozenset[str]:
    if not isinstance(values, str):
        return frozenset(values)
    return frozenset(code_rows(values))


def _function(kind: str, rules: list[Rule], bodies: list[Body], calls: list[set[tuple[str, str]]]) -> list[str]:
    mine = [index for index, rule in enumerate(rules) if kind in rule.on]
    names = sorted(set().union(*(rules[index].names for index in mine)) - _CONTEXT)
    hoisted = sorted(set().union(*(calls[index] for index in mine)))
    lines = [f"def judge_{kind}(m, ds, today, oldest, doubtful, out):", "    get = m.get"]
    lines += [f"    {name} = get({name!r}, '')" for name in names if name[0] in "HM"]
    lines += [f"    {call}_{name} = {call}({name})" for call, name in hoisted if name[0] in "HM"]
    lines += [
        "    orders = len(ds); kinds = set(); seen = set(); add = out.append",
        "    for at, d in enumerate(ds, 1):",
        f"        get = d.get; base = at * {STEP}",
    ]
    lines += [f"        {name} = get({name!r}, '')" for name in names if name[0] in "DEV"]
    lines += [f"        {call}_{name} = {call}({name})" for call, name in hoisted if name[0] in "DEV"]
    lines += [
        "        kinds.add(get('D04', '')); repeated = get('D03', ''); repeated = repeated and (repeated in seen or seen.add(repeated))"
    ]
    lines += _tests([index for index in mine if rules[index].of_order], bodies, "        ", "base + ")
    lines += _tests([index for index in mine if not rules[index].of_order], bodies, "    ", "")
    return lines


def _tests(mine: list[int], bodies: list[Body], indent: str, base: str) -> list[str]:
    """One ``if`` per condition; those that begin alike share the beginning, which most orders fail at once."""
    shared: dict[str, list[int]] = {}
    for index in mine:
        shared.setdefault(bodies[index][0], []).append(index)
    lines = []
    for first, indexes in shared.items():
        lines.append(f"{indent}if {first}:")
        lines += [f"{indent} if {bodies[index][1]}: add({base}{index})" for index in indexes if bodies[index][1]]
        lines += [f"{indent} add({base}{index})" for index in indexes if not bodies[index][1]]
    return lines


def _expression(text: str, space: Mapping[str, Any]) -> tuple[Body, frozenset[str], set[tuple[str, str]]]:
    """The condition as code (what stands before the first ``and``, and the rest), the fields it reads, and the calls that are
    made once per record or order."""
    try:
        tree = ast.parse(text, mode="eval")
    except SyntaxError as error:
        raise TableInvalid(table="checks.toml", problem=f"{text}: {error.msg}") from None
    read: set[str] = set()
    hoisted: set[tuple[str, str]] = set()
    table = fields()

    class Tidy(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            if not isinstance(node, _NODES):
                raise TableInvalid(table="checks.toml", problem=f"{text}: {type(node).__name__} is not allowed")
            return super().visit(node)

        def visit_Name(self, node: ast.Name) -> Any:
            if node.id in table or node.id in _CONTEXT:
                read.add(node.id)
            elif node.id != "True" and (node.id not in space or callable(space[node.id])):
                raise TableInvalid(table="checks.toml", problem=f"{text}: {node.id} is not known")
            return node

        def visit_Call(self, node: ast.Call) -> Any:
            node.args = [self.visit(argument) for argument in node.args]
            if not isinstance(node.func, ast.Name) or not callable(space.get(node.func.id)) or node.keywords or not node.args:
                raise TableInvalid(table="checks.toml", problem=f"{text}: only listed functions can be called")
            inner = node.args[0]
            # A call in a call, day(made_at(M52)), is not a call on a field and stays where it is.
            if node.func.id in _CALLED_ONCE and len(node.args) == 1 and isinstance(inner, ast.Name) and inner.id in table:
                hoisted.add((node.func.id, inner.id))
                return ast.Name(f"{node.func.id}_{inner.id}", ast.Load())
            return node

    body = Tidy().visit(tree).body
    if isinstance(body, ast.BoolOp) and isinstance(body.op, ast.And):
        first, *rest = body.values
        split = ast.unparse(first), " and ".join(f"({ast.unparse(value)})" for value in rest)
    else:
        split = ast.unparse(body), ""
    return split, frozenset(read), hoisted


def _kind(row: Mapping[str, Any], judge: Judge) -> KindOfRecord:
    id_ = row["id"]
    if "required" in row:
        return KindOfRecord(
            id_, frozenset(row["required"]), frozenset(row.get("wanted", ())), frozenset(), frozenset(), frozenset(), judge
        )

    def those(need: str, letters: str, firm: Iterable[bool] = (True, False)) -> frozenset[str]:
        return frozenset(
            spec.id for spec in fields().values() if spec.need.get(id_) == need and spec.id[0] in letters and spec.firm in firm
        )

    return KindOfRecord(
        id_,
        required=those("required", "HM", [True]),
        wanted=those("required", "HM", [False]),
        forbidden=those("forbidden", "HM"),
        required_in_order=those("required", "DEV"),
        forbidden_in_order=those("forbidden", "DEV"),
        judge=judge,
    )

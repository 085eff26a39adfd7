"""Makes the rule wrong in one place at a time: a comparison, a condition, a whole check."""

import ast
import copy
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

MODULES = ("aizu_vault.acts", "aizu_vault.deal", "aizu_vault.rule", "aizu_vault.gate")
"""What decides; each imports those before it."""
SOURCES = {
    name: Path(importlib.util.find_spec(name).origin).read_text(encoding="utf-8")
    for name in MODULES
}
OPPOSITE = {
    ast.Lt: (ast.LtE, ast.Gt),
    ast.LtE: (ast.Lt, ast.GtE),
    ast.Gt: (ast.GtE, ast.Lt),
    ast.GtE: (ast.Gt, ast.LtE),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
QUANTIFIER = {"any": "all", "all": "any"}
NOT_THE_RULE = {"Permit", "Denial", "PermitError"}
"""How permits are guarded has tests of its own."""


@dataclass(frozen=True)
class Mutant:
    """One module with one node, at the end of a path, put in the place of another."""

    module: str
    path: tuple
    node: ast.AST
    wrong: ast.AST

    @property
    def name(self):
        """Where it is, and what."""
        before, after = (ast.unparse(one).partition("\n")[0] for one in (self.node, self.wrong))
        return f"{self.module.rpartition('.')[2]}.py: {before} -> {after}"

    def tree(self):
        """The whole module."""
        found = parent = ast.parse(SOURCES[self.module])
        for field, index in self.path[:-1]:
            parent = getattr(parent, field) if index is None else getattr(parent, field)[index]
        field, index = self.path[-1]
        if index is None:
            setattr(parent, field, self.wrong)
        else:
            getattr(parent, field)[index] = self.wrong
        return ast.fix_missing_locations(found)


def mutants():
    """All there are."""
    for module in MODULES:
        for path, node in walk(ast.parse(SOURCES[module])):
            for wrong in variants(node):
                yield Mutant(module, path, node, wrong)


def walk(node, path=()):
    """Every node that may be made wrong, with the way to it."""
    if isinstance(node, ast.ClassDef) and node.name in NOT_THE_RULE:
        return
    if isinstance(node, ast.Assert | ast.Import | ast.ImportFrom):
        return
    if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
        return
    yield path, node
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list"}:
            continue
        for index, child in enumerate(value if isinstance(value, list) else [value]):
            if isinstance(child, ast.AST):
                step = (field, index if isinstance(value, list) else None)
                yield from walk(child, (*path, step))


def variants(node):
    """The same node, wrong in one way each."""
    for kind, make in WRONG.items():
        if isinstance(node, kind):
            yield from make(node)


def of_comparison(node):
    for index, operator in enumerate(node.ops):
        for other in OPPOSITE.get(type(operator), ()):
            yield changed(node, ops=replaced(node.ops, index, other()))


def of_conditions(node):
    yield changed(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    for index in range(len(node.values)):
        fewer = node.values[:index] + node.values[index + 1 :]
        yield fewer[0] if len(fewer) == 1 else changed(node, values=fewer)


def of_negation(node):
    if isinstance(node.op, ast.Not):
        yield node.operand


def of_quantifier(node):
    if getattr(node.func, "id", "") in QUANTIFIER:
        yield changed(node, func=ast.Name(id=QUANTIFIER[node.func.id], ctx=ast.Load()))


def of_intersection(node):
    if isinstance(node.op, ast.BitAnd):
        yield from (changed(node, op=ast.BitOr()), node.left, node.right)


def of_check(node):
    yield changed(node, test=ast.Constant(value=False))


def of_choice(node):
    yield changed(node, body=node.orelse, orelse=node.body)


def of_constant(node):
    if isinstance(node.value, bool):
        yield ast.Constant(value=not node.value)


def of_list(node):
    """A list at the top of a module, without one of its entries."""
    if isinstance(node.value, ast.Tuple | ast.Set):
        entries = node.value.elts
        for index in range(len(entries)):
            fewer = changed(node.value, elts=entries[:index] + entries[index + 1 :])
            yield changed(node, value=fewer)


WRONG = {
    ast.Compare: of_comparison,
    ast.BoolOp: of_conditions,
    ast.UnaryOp: of_negation,
    ast.Call: of_quantifier,
    ast.BinOp: of_intersection,
    ast.If: of_check,
    ast.IfExp: of_choice,
    ast.Constant: of_constant,
    ast.AnnAssign: of_list,
}


def changed(node, **fields):
    found = copy.copy(node)
    for name, value in fields.items():
        setattr(found, name, value)
    return found


def replaced(found, index, value):
    return [*found[:index], value, *found[index + 1 :]]


def gate_of(wrong=None):
    """The gate, loaded anew, with this one thing wrong; the real one stays as it is."""
    kept = {name: sys.modules.get(name) for name in MODULES}
    try:
        for name in MODULES:
            module = sys.modules[name] = ModuleType(name)
            tree = wrong.tree() if wrong and name == wrong.module else ast.parse(SOURCES[name])
            exec(compile(tree, f"<{name}>", "exec"), module.__dict__)
        return sys.modules["aizu_vault.gate"]
    finally:
        sys.modules.update(kept)


BOUNDARIES = {" < ": " <= ", " <= ": " < ", " > ": " >= ", " >= ": " > "}


def statements(sql):
    """The SQL with one condition left out or one boundary moved, each with what was done."""
    lines = sql.decode().splitlines()
    for number, line in enumerate(lines):
        words = line.strip()
        if words.startswith(("--", "SELECT ", "FROM ")):
            continue
        if words.startswith(("AND ", "OR ")) and words.count("(") == words.count(")"):
            yield f"{number + 1}: without {words}", joined(lines, number, None)
        for before, after in BOUNDARIES.items():
            if before in line:
                changed_line = line.replace(before, after)
                yield f"{number + 1}: {changed_line.strip()}", joined(lines, number, changed_line)


def joined(lines, number, line):
    return "\n".join(lines[:number] + [line or ""] + lines[number + 1 :]).encode()

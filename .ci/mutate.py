"""Plant small defects, one at a time, and list those that no test notices.

The defects are drawn with a seed and planted in a copy of the repository. One that only
tests of higher rooms notice is a gap in the tests of its room. A survivor is either a
gap in all tests or a change that makes no difference; say which.

    python .ci/mutate.py --rooms penalties losses --per-module 3
"""

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from copy import deepcopy
from pathlib import Path

HOME = Path(__file__).parents[1]
ROOMS = ["penalties", "losses", "solvers", "problems", "selection"]
# Tests of fits against other software, which run the lower rooms too, and of defaults.
ORACLES = [
    "tests/project/test_docstrings.py::test_a_default_is_the_documented_one",
    "tests/linear_model/test_identities.py",
    "tests/linear_model/test_oracles.py",
    "tests/linear_model/test_structured_oracles.py",
    "tests/linear_model/test_reference_optima.py",
]
# Tests of higher rooms, for defects that the first ones do not notice.
ELSEWHERE = ["tests/linear_model", "tests/base", "tests/cellar", "tests/selection"]
OPERATORS = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
COMPARISONS = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
}
AXES = {0: 1, 1: 0}


def swap_operator(node):
    """Swap + and -, * and /."""
    return ast.BinOp(node.left, OPERATORS[type(node.op)](), node.right)


def drop_term(node):
    """Leave out what is added or subtracted."""
    return node.left


def swap_comparison(node):
    """Include or exclude the bound."""
    op = COMPARISONS[type(node.ops[0])]()
    return ast.Compare(node.left, [op, *node.ops[1:]], node.comparators)


def swap_axis(node):
    """Work along the other axis."""
    return ast.keyword("axis", ast.Constant(AXES[node.value.value]))


def change_constant(node):
    """Make a number a tenth larger."""
    return ast.Constant(node.value * 1.1)


def negate_condition(node):
    """Take the other branch."""
    return type(node)(
        **{**dict(ast.iter_fields(node)), "test": ast.UnaryOp(ast.Not(), node.test)}
    )


def negate_result(node):
    """Return the negative value."""
    return ast.Return(ast.UnaryOp(ast.USub(), node.value))


def list_changes(node):
    """Return the changes that suit a node of the syntax tree."""
    match node:
        case ast.BinOp(op=ast.Add() | ast.Sub(), left=left) if not is_text(left):
            changes = [swap_operator, drop_term]
        case ast.BinOp(op=ast.Mult() | ast.Div()):
            changes = [swap_operator]
        case ast.Compare(ops=[op, *_]) if type(op) in COMPARISONS:
            changes = [swap_comparison]
        case ast.keyword(arg="axis", value=ast.Constant(value=0 | 1)):
            changes = [swap_axis]
        case ast.Constant(value=float(value)) if value not in (0.0, float("inf")):
            changes = [change_constant]
        case ast.If() | ast.IfExp() | ast.While():
            changes = [negate_condition]
        case ast.Return(value=ast.BinOp() | ast.Call() | ast.Name()):
            changes = [negate_result]
        case _:
            changes = []
    return changes


def is_text(node):
    """Return whether a sum with this first term joins strings."""
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def list_defects(tree):
    """Return places, by their number in a walk over the tree, and their changes."""
    skipped = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Raise | ast.JoinedStr):
            skipped |= {id(inner) for inner in ast.walk(node)}
    return [
        (place, change)
        for place, node in enumerate(ast.walk(tree))
        if id(node) not in skipped
        for change in list_changes(node)
    ]


def plant(tree, place, change):
    """Return a changed copy of the tree, and the line and the texts of the change."""
    changed = deepcopy(tree)
    target = list(ast.walk(changed))[place]
    new = change(deepcopy(target))

    class Planter(ast.NodeTransformer):
        def visit(self, node):
            return new if node is target else self.generic_visit(node)

    text = f"{shorten(target)}  ->  {shorten(new)}"
    line = getattr(target, "lineno", 0)
    changed = ast.fix_missing_locations(Planter().visit(changed))
    return ast.unparse(changed), line, f"{change.__doc__} {text}"


def shorten(node):
    """Return the first line of the source of a node."""
    first = ast.unparse(node).split("\n")[0]
    return first if len(first) < 70 else f"{first[:67]}..."


def pass_tests(copy, tests, limit):
    """Return whether tests pass in a copy of the repository."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    env = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            [*command, "--hypothesis-profile", "mutate", *tests],
            cwd=copy,
            env=env,
            timeout=limit,
            capture_output=True,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def try_module(copy, path, room, rng, asked):
    """Plant defects in a module and count what becomes of them."""
    source = (copy / path).read_text(encoding="utf-8")
    tree, counts = ast.parse(source), Counter()
    defects = list_defects(tree)
    for place, change in rng.sample(defects, min(asked.per_module, len(defects))):
        text, line, told = plant(tree, place, change)
        (copy / path).write_text(text, encoding="utf-8")
        outcome = "noticed in its room"
        if pass_tests(copy, [f"tests/{room}", *ORACLES], asked.limit):
            elsewhere = not pass_tests(copy, ELSEWHERE, asked.limit)
            outcome = "noticed elsewhere" if elsewhere else "survived"
            print(f"{outcome}: {path}:{line}: {told}", flush=True)
        (copy / path).write_text(source, encoding="utf-8")
        counts[outcome] += 1
    return counts


def main():
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rooms", nargs="+", default=ROOMS)
    parser.add_argument("--per-module", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds per defect")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        shutil.copytree(HOME, copy, ignore=shutil.ignore_patterns(".*", "_build"))
        for room in asked.rooms:
            if not pass_tests(copy, [f"tests/{room}", *ORACLES], asked.limit):
                sys.exit(f"The tests of {room} must pass before defects are planted")
            counts = Counter()
            for path in sorted((copy / "skmtl" / room).rglob("*.py")):
                rng = random.Random(f"{asked.seed} {path.name}")
                name = path.relative_to(copy)
                counts += try_module(copy, name, room, rng, asked)
            print(f"{room}: {dict(counts)}", flush=True)


if __name__ == "__main__":
    main()

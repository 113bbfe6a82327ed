"""A comparison with a limit is written so that a NaN fails it: `not x <= limit`, never `x > limit`.

Every ordering comparison with a NaN is false. So a check that refuses what is too large lets a NaN through, and one that lets
through what is small enough refuses it. Read from the source of the rooms whose checks guard what is published.
"""

import ast
from pathlib import Path

import pytest

import energy

PACKAGE = Path(energy.__file__).parent
#: Rooms that judge numbers. In `series` a NaN is a gap, which is named by itself; in `inputs` pydantic refuses it at once.
ROOMS = ("audit", "problem", "solve", "plant", "schema", "optimize.py", "attribution.py", "runs/recompute.py")
ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
#: Files of the audit that choose what is worth saying, and judge nothing, and why.
CHOOSES = {"audit/diagnosis.py": "remedies and binding limits of a plan that is judged already"}
#: Calls whose results are whole numbers or texts, which no NaN can be.
WHOLE = {"len", "str", "count", "dtype"}


def ordered(node: ast.AST, names: frozenset[str] = frozenset()) -> bool:
    """Whether an expression has an ordering comparison, or a name that stands for one, that no `not` or `~` turns round."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
        return False
    if isinstance(node, ast.Name) and node.id in names:
        return True
    if isinstance(node, ast.Compare) and any(isinstance(o, ORDER) for o in node.ops):
        return not any(whole(side) for side in (node.left, *node.comparators))
    return any(ordered(child, names) for child in ast.iter_child_nodes(node))


def whole(side: ast.AST) -> bool:
    """A count of something."""
    function = side.func if isinstance(side, ast.Call) else None
    name = function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")
    return name in WHOLE


def with_constant(node: ast.AST) -> bool:
    """Whether it asks if something is above a named constant: such a limit is a tolerance."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.Not, ast.Invert)):
        return False
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        for op, left, right in zip(node.ops, sides, sides[1:], strict=False):
            limit = right if isinstance(op, (ast.Gt, ast.GtE)) else left if isinstance(op, (ast.Lt, ast.LtE)) else None
            if limit is not None and any(
                isinstance(x, ast.Name) and x.id.isupper() and len(x.id) > 1 for x in ast.walk(limit)
            ):
                return True
    return any(with_constant(child) for child in ast.iter_child_nodes(node))


def lets_nan_through(source: str, judges: bool = False) -> list[int]:
    """Lines of conditions that a NaN passes: those that raise, and in files that judge all that ask for a constant."""
    out = []
    for function in (n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef)):
        assigned = [n for n in ast.walk(function) if isinstance(n, ast.Assign) and ordered(n.value)]
        names = frozenset(t.id for n in assigned for t in n.targets if isinstance(t, ast.Name))
        for node in (n for n in ast.walk(function) if isinstance(n, ast.If)):
            raises = any(isinstance(x, ast.Raise) for line in node.body for x in ast.walk(line))
            if (raises and ordered(node.test, names)) or (judges and with_constant(node.test)):
                out.append(node.lineno)
    return sorted(set(out))


FILES = [
    p for room in ROOMS for p in ([PACKAGE / room] if room.endswith(".py") else sorted((PACKAGE / room).rglob("*.py")))
]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_check_lets_a_nan_through(path):
    name = str(path.relative_to(PACKAGE))
    judges = name.startswith("audit/") and name not in CHOOSES
    assert lets_nan_through(path.read_text(encoding="utf-8"), judges) == [], "write it as `not x <= limit`"


def test_what_chooses_is_there():
    assert all((PACKAGE / name).is_file() for name in CHOOSES)


@pytest.mark.parametrize(
    ("check", "refused"),
    [
        ("if x > limit: raise ValueError", True),
        ("if (x > limit).any(): raise ValueError", True),
        ("if x < 0 or not y: raise ValueError", True),
        ("bad = x > limit\n    if bad.any(): raise ValueError", True),
        ("if abs(x) > LIMIT: out.append(x)", True),
        ("if LIMIT < x: out.append(x)", True),
        ("if not x <= limit: raise ValueError", False),
        ("if not (x <= limit).all(): raise ValueError", False),
        ("bad = ~(x <= limit)\n    if bad.any(): raise ValueError", False),
        ("if len(x) > 3: raise ValueError", False),
        ("if x <= LIMIT: return []", False),
        ("if x > y: out.append(x)", False),
    ],
)
def test_the_law_knows_good_from_bad(check, refused):
    assert bool(lets_nan_through(f"def f(x, limit, out):\n    {check}\n", judges=True)) is refused

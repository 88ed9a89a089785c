"""Fail if a file has over 500 lines or a function over 60.

Long tables and generated data may be exempt: they are named here, with the reason.
"""

import ast
import sys
from pathlib import Path

FILE_LIMIT = 500
FUNCTION_LIMIT = 60
EXEMPT: dict[str, str] = {}
FOLDERS = ("firmware", "hal", "tests", "image", ".ci")
Function = ast.FunctionDef | ast.AsyncFunctionDef


def problems(root: Path) -> list[str]:
    """One line for each thing that is too long below `root`."""
    found = []
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            name = str(path.relative_to(root))
            text = path.read_text(encoding="utf-8")
            lines = text.count("\n")
            if lines > FILE_LIMIT and name not in EXEMPT:
                found.append(f"{name}: {lines} lines, the limit is {FILE_LIMIT}")
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, Function) and node.end_lineno is not None:
                    length = node.end_lineno - node.lineno + 1
                    if length > FUNCTION_LIMIT:
                        found.append(
                            f"{name}:{node.lineno}: {node.name} has {length} lines,"
                            f" the limit is {FUNCTION_LIMIT}"
                        )
    return found


if __name__ == "__main__":
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path()
    complaints = problems(root)
    sys.stdout.writelines(line + "\n" for line in complaints)
    sys.exit(bool(complaints))

"""Nothing outgrows a reader: how long modules and functions may be, and how much a function may ask for."""

import ast
from pathlib import Path

from tests.house.source import EVERYTHING, FunctionNode, Source, read_sources

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
PARAMETERS_MAX = 5


def find_oversized(root: Path) -> list[str]:
    """Every module, function and parameter list above its bound."""
    findings = []
    for source in read_sources(root, EVERYTHING):
        length = len(source.lines)
        if length > MODULE_LINES_MAX:
            findings.append(source.finding(1, f"{length} lines: a module has at most {MODULE_LINES_MAX}"))
        for function in source.functions():
            findings += judge_function(source, function)
    return findings


def judge_function(source: Source, function: FunctionNode) -> list[str]:
    """What is too large about one function."""
    findings = []
    length = (function.end_lineno or function.lineno) - function.lineno + 1
    if length > FUNCTION_LINES_MAX:
        complaint = f"{function.name} has {length} lines: a function has at most {FUNCTION_LINES_MAX}"
        findings.append(source.finding(function, complaint))
    asked = parameters(function.args)
    if len(asked) > PARAMETERS_MAX:
        complaint = f"{function.name} asks for {len(asked)} things: at most {PARAMETERS_MAX} parameters"
        findings.append(source.finding(function, complaint))
    return findings


def parameters(arguments: ast.arguments) -> list[str]:
    """Every named parameter except a leading self or cls; what *args and **kwargs gather is not named."""
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    if positional[:1] in (["self"], ["cls"]):
        positional = positional[1:]
    return [*positional, *(argument.arg for argument in arguments.kwonlyargs)]

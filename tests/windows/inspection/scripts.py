"""Read PowerShell as Windows PowerShell 5.1 would: what it cannot parse, what only later versions know."""

from __future__ import annotations

import re
from collections.abc import Iterator

import tree_sitter

from inspection.specifications import PARSER

# Syntax that came with PowerShell 7, by the name the grammar gives it.
LATER_SYNTAX = {
    "&&": "&& between commands; use if ($?) { }",
    "||": "|| between commands; use if (-not $?) { }",
    "??": "the operator ??; use if ($null -eq …) { }",
    "??=": "the operator ??=; use if ($null -eq …) { }",
    "ternary_expression": "the operator ? :; use if and else",
    "clean": "the block clean; use try and finally",
}
LATER_PARAMETERS = {
    ("foreach-object", "-parallel"),
    ("get-content", "-asbytestream"),
    ("set-content", "-asbytestream"),
    ("convertfrom-json", "-ashashtable"),
    ("convertfrom-json", "-depth"),
    ("convertfrom-json", "-noenumerate"),
    ("convertto-json", "-asarray"),
    ("invoke-webrequest", "-skipcertificatecheck"),
    ("invoke-webrequest", "-skiphttperrorcheck"),
    ("invoke-restmethod", "-skipcertificatecheck"),
    ("invoke-restmethod", "-skiphttperrorcheck"),
    ("invoke-restmethod", "-statuscodevariable"),
    ("join-path", "-additionalchildpath"),
    ("split-path", "-leafbase"),
    ("split-path", "-extension"),
    ("select-string", "-raw"),
    ("start-process", "-environment"),
    ("test-connection", "-tcpport"),
    ("get-childitem", "-followsymlink"),
    ("new-service", "-securitydescriptorsddl"),
    ("set-service", "-credential"),
}
LATER_COMMANDS = {"get-error", "get-uptime", "join-string", "remove-service", "remove-alias", "test-json"}
LATER_VARIABLES = {"$iswindows", "$islinux", "$ismacos", "$iscoreclr"}
LATER_ENCODINGS = {"utf8nobom", "utf8bom"}
EXPANDABLE = ("expandable_string_literal", "expandable_here_string_literal")
LATER_ESCAPES = re.compile(r"(?<!`)(?:``)*(`u\{|`e)")


def check(script: str) -> list[str]:
    """Check a script.

    Args:
        script: The PowerShell.

    Returns:
        The faults, each with its line.
    """
    return [f"line {line}: {fault}" for line, fault in _walk(PARSER.parse(script.encode()).root_node)]


def _walk(root: tree_sitter.Node) -> Iterator[tuple[int, str]]:
    nodes = [root]
    while nodes:
        node = nodes.pop()
        line = node.start_point[0] + 1
        if node.type == "ERROR" or node.is_missing:
            yield line, f"cannot be parsed: {(node.text or b'').decode()[:60]!r}"
            continue
        for fault in _later(node):
            yield line, f"PowerShell 5.1 has not {fault}"
        nodes.extend(reversed(node.children))


def _later(node: tree_sitter.Node) -> Iterator[str]:
    text = node.text.decode().lower() if node.text else ""
    if node.type in LATER_SYNTAX:
        yield LATER_SYNTAX[node.type]
    elif node.type == "command":
        yield from _command(node)
    elif node.type == "variable" and text in LATER_VARIABLES:
        yield f"the variable {text}"
    elif node.type in EXPANDABLE and (found := LATER_ESCAPES.search(text)):
        yield f"the escape {found[1]}"


def _command(node: tree_sitter.Node) -> Iterator[str]:
    name, parameters, words = "", [], []
    for child in node.named_children:
        if child.type == "command_name":
            name = child.text.decode().lower()
        elif child.type == "command_elements":
            for element in child.named_children:
                kind = parameters if element.type == "command_parameter" else words
                kind.append(element.text.decode().lower().strip("'\""))
    if name in LATER_COMMANDS:
        yield f"the command {name}"
    for parameter in parameters:
        if (name, parameter.rstrip(":")) in LATER_PARAMETERS:
            yield f"the parameter {parameter} of {name}"
    for word in LATER_ENCODINGS.intersection(words):
        yield f"the encoding {word}"

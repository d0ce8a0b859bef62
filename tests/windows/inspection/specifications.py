"""What a module takes: its options as ansible-doc has them, and the relations between them.

The documentation says nothing of options that need or exclude each other. A PowerShell module says it in its
source, in a table of literals, which is read without running it.
"""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tree_sitter
import tree_sitter_pwsh

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_pwsh.language()))
CONSTANTS = {"$true": True, "$false": False, "$null": None}
RELATIONS = ("mutually_exclusive", "required_together", "required_one_of", "required_if", "required_by")


@dataclass
class Specification:
    """What a module takes.

    Args:
        options: Each option's documentation.
        relations: Which options need or exclude each other, under the names of RELATIONS.
    """

    options: dict[str, dict[str, Any]]
    relations: dict[str, Any] = field(default_factory=dict)


def fetch(names: set[str]) -> dict[str, Specification]:
    """Ask ansible-doc for modules.

    Args:
        names: Their full names.

    Returns:
        What is known of those that exist.
    """
    if not names:
        return {}
    command = ["ansible-doc", "--type", "module", "--json", *sorted(names)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        documents = json.loads(result.stdout)
    except ValueError:
        raise RuntimeError(f"{' '.join(command)} gave no JSON: {result.stderr}") from None
    found = {}
    for name, document in documents.items():
        doc = document["doc"]
        source = Path(doc["filename"]).with_suffix(".ps1")
        relations = read_relations(source.read_bytes()) if source.exists() else {}
        found[name] = Specification(doc.get("options", {}), relations)
    return found


def read_relations(source: bytes) -> dict[str, Any]:
    """Read the relations between options from a module's source.

    Args:
        source: The PowerShell.

    Returns:
        Those that its `$spec` states in literals; none for a module without it.
    """
    nodes = [PARSER.parse(source).root_node]
    while nodes:
        node = nodes.pop(0)
        if node.type == "assignment_expression" and node.children[0].text.strip().lower() == b"$spec":
            return _relations(node)
        nodes.extend(node.children)
    return {}


def _relations(assignment: tree_sitter.Node) -> dict[str, Any]:
    body = _descend(assignment, "hash_literal_body")
    relations = {}
    for entry in body.named_children if body else []:
        name = entry.named_children[0].text.decode()
        if name in RELATIONS:
            relations[name] = literal(entry.named_children[1])
    return relations


def _descend(node: tree_sitter.Node, kind: str) -> tree_sitter.Node | None:
    for child in node.named_children:
        found = child if child.type == kind else _descend(child, kind)
        if found:
            return found
    return None


def literal(node: tree_sitter.Node) -> Any:
    """Return what a PowerShell expression of literals stands for.

    Args:
        node: The expression.

    Raises:
        ValueError: If it is none of literals alone.
    """
    children = [child for child in node.named_children if child.type != "comment"]
    match node.type:
        case "verbatim_string_characters" | "expandable_string_literal":
            return node.text.decode()[1:-1]
        case "decimal_integer_literal":
            return int(node.text)
        case "variable" if node.text.decode().lower() in CONSTANTS:
            return CONSTANTS[node.text.decode().lower()]
        case "hash_literal_expression":
            entries = children[0].named_children if children else []
            return {
                entry.named_children[0].text.decode().strip("'\""): literal(entry.named_children[1])
                for entry in entries
                if entry.type == "hash_entry"
            }
        case "array_literal_expression":
            return [literal(child) for child in children]
        case "expression_with_unary_operator" if node.children[0].type == ",":
            return [literal(children[0])]
        case "array_expression":
            # Each statement's list is unrolled, as PowerShell does.
            values = [literal(child) for child in (children[0].named_children if children else [])]
            return [item for value in values for item in (value if isinstance(value, list) else [value])]
        case _ if len(children) == 1:
            return literal(children[0])
    raise ValueError(f"not a literal: {node.text.decode()}")

"""The door to tree-sitter: a command line as the simple commands it holds."""

from __future__ import annotations

from functools import cache

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

from agentcli.policy.shell import Analysis, Redirect, Simple, Word

STRUCTURE = frozenset(
    {"program", "list", "pipeline", "subshell", "compound_statement"}
    | {"command_substitution", "process_substitution", "if_statement", "elif_clause", "else_clause"}
    | {"for_statement", "while_statement", "do_group", "case_statement", "case_item"}
    | {
        "function_definition",
        "negated_command",
        "redirected_statement",
        "heredoc_redirect",
        "heredoc_body",
    }
    | {"heredoc_start", "heredoc_end", "heredoc_content", "test_command", "declaration_command"}
    | {"variable_assignment", "variable_name", "command_name", "word", "string"}
    | {"raw_string", "string_content", "number", "concatenation", "simple_expansion"}
    | {"file_redirect", "file_descriptor", "herestring_redirect", "comment", "unary_expression"}
    | {"binary_expression", "test_operator", "expansion", "ansi_c_string", "special_variable_name"}
    | {
        "regex",
        "extglob_pattern",
        "parenthesized_expression",
        "variable_assignments",
        "unset_command",
    }
    | {"array", "translated_string", "negation_expression"}
)
"""Grammar nodes that are understood; anything else makes a line ask."""
LITERAL = frozenset({"word", "raw_string", "string_content", "number", "file_descriptor"})


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_bash.language()))


def parse(line: str) -> Analysis:
    """Every simple command of a line, wherever it stands, and what could not be understood."""
    data = line.encode("utf-8", "replace")
    root = _parser().parse(data).root_node
    problems: list[str] = []
    if root.has_error:
        problems.append("it does not parse as a shell command")
    commands: list[Simple] = []
    _collect(root, commands, problems, ())
    return Analysis(tuple(commands), tuple(dict.fromkeys(problems)))


def _collect(
    node: Node, commands: list[Simple], problems: list[str], redirects: tuple[Redirect, ...]
) -> None:
    if node.is_named and node.type not in STRUCTURE and node.type != "command":
        problems.append(f"{node.type.replace('_', ' ')} is not analysed")
    match node.type:
        case "command" | "declaration_command" | "unset_command":
            commands.append(_command(node, redirects))
            redirects = ()
        case "redirected_statement":
            redirects += tuple(_redirect(n) for n in node.children if n.type == "file_redirect")
            if any(n.type == "heredoc_redirect" for n in node.children):
                redirects += (Redirect("<<", Word("", True)),)
            if node.child_by_field_name("body") is None:
                commands.append(Simple((), (), redirects, _text(node)))
        case "variable_assignment" if node.parent and node.parent.type != "command":
            commands.append(Simple((), (_text(node),), (), _text(node)))
        case _:
            pass
    for child in node.children:
        _collect(child, commands, problems, redirects)


def _command(node: Node, redirects: tuple[Redirect, ...]) -> Simple:
    words: list[Word] = []
    assignments: list[str] = []
    own: list[Redirect] = list(redirects)
    for child in node.children:
        if child.type == "variable_assignment" and node.type == "command":
            assignments.append(_text(child))
        elif child.type == "file_redirect":
            own.append(_redirect(child))
        elif child.type == "herestring_redirect":
            own.append(Redirect("<<<", Word("", True)))
        elif child.is_named or node.type != "command":
            words.append(_word(child))
    piped = node.parent is not None and node.parent.type == "pipeline" and node.prev_sibling
    return Simple(tuple(words), tuple(assignments), tuple(own), _text(node), bool(piped))


def _redirect(node: Node) -> Redirect:
    sign = next((c.type for c in node.children if not c.is_named), ">")
    target = node.child_by_field_name("destination")
    return Redirect(sign, _word(target) if target else Word("", False))


def _word(node: Node) -> Word:
    """The text of a word as the shell would see it, and whether that is all it can be."""
    match node.type:
        case "raw_string":
            return Word(_text(node)[1:-1], True)
        case "string":
            parts = [_word(child) for child in node.children if child.is_named]
            whole = _text(node)[1:-1]
            literal = all(part.literal for part in parts)
            return Word(whole.replace('\\"', '"').replace("\\\\", "\\"), literal)
        case "word" | "number" | "string_content":
            return Word(_unescaped(_text(node)), True)
        case "command_name" | "concatenation":
            parts = [_word(child) for child in node.children]
            literal = all(part.literal for part in parts)
            return Word("".join(part.text for part in parts), literal)
        case _:
            return Word(_text(node), node.type in LITERAL or not node.is_named)


def _unescaped(text: str) -> str:
    out: list[str] = []
    letters = iter(text)
    for letter in letters:
        out.append(next(letters, "") if letter == "\\" else letter)
    return "".join(out)


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")

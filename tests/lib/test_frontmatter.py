"""The head of a Markdown file as people and other agents write it."""

from agentcli.lib.frontmatter import frontmatter


def test_fields_and_body():
    assert frontmatter("---\na: 1\n  b: 2\n---\n\nbody\n") == ({"a": "1"}, "body")
    assert frontmatter("---\nnever closed") == ({}, "---\nnever closed")
    assert frontmatter("plain") == ({}, "plain")
    assert frontmatter("---\na: 'it: is'\n---\n") == ({"a": "it: is"}, "")


def test_a_list_and_a_folded_text_are_one_value():
    head = "---\ntools:\n  - Read\n  - 'Grep'\nabout: >\n  one\n  two\nmodel: x\n---\nbody"
    fields, body = frontmatter(head)
    assert fields == {"tools": "Read, Grep", "about": "one two", "model": "x"}
    assert body == "body"

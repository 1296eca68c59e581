"""The rough count is near enough to plan by, and never reads a conversation as nothing."""

from agentcli.llm.estimate import IMAGE_TOKENS, tokens_of, tokens_of_message, tokens_of_tools
from agentcli.llm.types import (
    AssistantMessage,
    Image,
    Text,
    ToolCall,
    ToolOutput,
    ToolSpec,
    Usage,
    UserMessage,
)


def test_english_is_about_four_characters_a_token():
    assert 900 <= tokens_of("word " * 800) <= 1150


def test_chinese_is_about_one_character_a_token():
    assert 900 <= tokens_of("字" * 1000) <= 1100


def test_broken_surrogates_are_counted_too():
    assert tokens_of("\ud800" * 30) > 0


def test_outputs_images_and_tools_count():
    image = Image("image/png", "A" * 100_000)
    shown = UserMessage((ToolOutput("c", (Text("x" * 4000), image)),), "tool")
    assert IMAGE_TOKENS + 1000 < tokens_of_message(shown) < IMAGE_TOKENS + 1200
    assert tokens_of_tools((ToolSpec("Read", "d" * 400, {"type": "object"}),)) > 100


def test_a_call_counts_its_arguments_and_a_reported_reply_its_report():
    call = ToolCall("c", "Write", {"text": "y" * 4000})
    assert tokens_of_message(AssistantMessage((call,), "m", "tool_use")) > 1000
    reported = AssistantMessage((call,), "m", "tool_use", Usage(output=7))
    assert tokens_of_message(reported) == 7

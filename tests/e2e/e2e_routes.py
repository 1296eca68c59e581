"""A model for each wire, and the name of its provider in the environment."""

ROUTES = {
    "anthropic": ("claude-sonnet-5-5", "ANTHROPIC"),
    "openai-responses": ("gpt-6.1-sol", "OPENAI"),
    "openai-chat": ("deepseek/deepseek-v4-pro", "DEEPSEEK"),
}

"""A program for LiteLLM's own Python: usages in JSON on standard input, its bills on the output."""

import json
import sys

import litellm
from litellm.types.utils import CacheCreationTokenDetails, PromptTokensDetailsWrapper, Usage


def bill(provider, model, fresh, output, read, short, long):
    """USD as a string; None where LiteLLM has no price."""
    written, prompt = short + long, fresh + read + short + long
    details = PromptTokensDetailsWrapper(
        cached_tokens=read,
        cache_creation_tokens=written,
        cache_creation_token_details=CacheCreationTokenDetails(
            ephemeral_5m_input_tokens=short, ephemeral_1h_input_tokens=long
        ),
    )
    usage = Usage(
        prompt_tokens=prompt,
        completion_tokens=output,
        total_tokens=prompt + output,
        prompt_tokens_details=details,
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
    )
    try:
        parts = litellm.cost_per_token(
            model=model, custom_llm_provider=provider, usage_object=usage
        )
    except litellm.exceptions.ModelNotMappedError:
        return None
    return str(sum(parts))


if __name__ == "__main__":
    litellm.suppress_debug_info = True
    json.dump([bill(*case) for case in json.load(sys.stdin)], sys.stdout)

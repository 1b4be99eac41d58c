"""Language models behind OpenAI chat completions."""

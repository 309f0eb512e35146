"""Code that Tessera's functions share: messages, use cases, adapters to AWS, settings."""

"""What Tessera's functions share: wire models, use cases, adapters to AWS, settings."""

"""The command that checks products."""

"""The template of the stack, read and resolved."""

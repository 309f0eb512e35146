"""Targets by name, and paths of moving targets."""

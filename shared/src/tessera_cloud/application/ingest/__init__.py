"""Noticing new frames and starting builds."""

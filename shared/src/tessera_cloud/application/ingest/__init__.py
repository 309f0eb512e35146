"""Ingest: finds new frames and starts builds."""

"""Protocols of the Virtual Observatory: SIA, DataLink, SODA and UWS, and what describes them (VOSI)."""

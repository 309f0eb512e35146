"""Tessera on one machine: the deployed functions, template and state machines, over emulated services of AWS."""

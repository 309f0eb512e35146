"""The client of a Tessera service: its API below ``/v1``, in Python.

Every operation is written once, as a generator of `tessera.client.wire.steps`: it says which request to send or how
long to wait, and is given the answer. `tessera.client.wire.transport` carries these steps out.
"""

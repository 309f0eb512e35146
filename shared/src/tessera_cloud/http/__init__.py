"""HTTP side of the use cases: routes, parameters and answers."""

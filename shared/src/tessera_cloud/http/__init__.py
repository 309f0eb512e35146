"""HTTP shapes of the use cases: routers, parameters, error answers."""

"""How the client talks to a service: addresses, requests, answers, errors, and what carries them."""

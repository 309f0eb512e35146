"""Settings of all tests."""

from __future__ import annotations

from hypothesis import settings

# A busy machine must not fail a test. Loaded here, so that --hypothesis-profile can still choose another profile.
settings.register_profile("tessera", deadline=None)
settings.load_profile("tessera")

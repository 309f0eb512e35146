"""The command `tessera-admin`: what operators do to a deployed stack, with the credentials of their own profile."""

"""What describes the services: VOSI 1.1 and a record for registries."""

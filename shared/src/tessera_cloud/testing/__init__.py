"""Stand-ins for AWS and the network, in memory and with the rules of the real services. Production code uses none."""

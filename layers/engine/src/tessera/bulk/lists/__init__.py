"""Lists of targets: tables that users give, and the targets of their rows."""

"""The light curves of several sectors as one."""

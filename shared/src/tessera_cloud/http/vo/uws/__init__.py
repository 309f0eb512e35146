"""Universal Worker Service 1.1: jobs that cut cubes and images."""

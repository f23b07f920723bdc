"""How a stage runs: transport, retries, dead letters, metrics. Knows nothing about orders."""

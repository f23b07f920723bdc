"""Running orderfleet: the command line, the embedded stack, simulators, dashboards, runbooks, decisions."""

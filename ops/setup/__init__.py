"""What `make` does before anything of orderfleet is installed: an environment of its own, on any machine."""

"""What travels between the parts of orderfleet. No I/O; imports nothing else of ours."""

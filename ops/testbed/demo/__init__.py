"""`orderfleet demo`: the whole fleet on one machine, on simulated platforms, with its books checked at the end."""

"""`make torture`: the fleet under random operations and faults, and a proof after each round that nothing is wrong."""

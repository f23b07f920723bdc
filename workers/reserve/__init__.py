"""Takes stock for planned orders, and tells the warehouses what to ship."""

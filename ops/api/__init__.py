"""The HTTP API: requests in, JSON out. What is asked, checked and decided is in `workers/admin/desk/`."""

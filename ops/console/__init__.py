"""The console: pages for the people who work at the desk. They decide nothing: see `workers/admin/desk/`."""

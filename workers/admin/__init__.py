"""What operators do, as plain functions: the command line calls them, and so may anything else."""

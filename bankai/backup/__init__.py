"""A copy of all that the services keep, made while they run, and put back where it was lost."""

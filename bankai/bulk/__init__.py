"""Bulk work: the services' own work on very many items, by several processes of this machine or of a Ray cluster."""

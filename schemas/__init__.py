"""Descriptors of the datasets (*.yaml) and of the cities (cities/*.yaml)."""

"""Figures drawn from the tables, a module each, in one style."""

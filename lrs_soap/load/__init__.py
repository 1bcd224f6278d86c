"""Loads a register's export: learners with the ULNs they have, as fast as the database takes them. docs/load.md"""

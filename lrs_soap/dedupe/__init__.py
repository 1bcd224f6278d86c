"""Looks in a whole register for people who have two ULNs, and proposes what to merge. docs/dedupe.md"""

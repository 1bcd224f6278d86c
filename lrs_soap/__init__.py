"""England's Learner Registration Service (MIAP, 2008): the register itself, its client and its command line."""

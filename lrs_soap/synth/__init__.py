"""A synthetic register, and searches of it whose right answers are known. Nobody in it exists. docs/synth.md"""

"""A conformance suite for any LearnerService: what it must prove, case by case, and what it found.

It knows of the service only its URL: nothing here reads the server's code, except the contract's own files.
"""

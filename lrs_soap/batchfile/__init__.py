"""Batch files, version 2A: the CSV and XML files that colleges upload. docs/batch-files.md says how they are used.

`validation` judges a file, `submission` sends one through the web service and writes its output, `new` makes one.
Everything streams: no function holds more of a file than one learner, or one call of 200.
"""

"""Part three: what the service answers, and how."""

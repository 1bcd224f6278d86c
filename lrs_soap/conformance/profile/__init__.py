"""Part one: WS-I Basic Profile 1.1, by the numbers of its assertions."""

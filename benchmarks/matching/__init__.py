"""How well the register's searches find whom they mean, and leave alone whom they do not, next to Splink."""

"""What somebody typed, understood: operators, spelling, names and notices."""

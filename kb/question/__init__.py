"""A question as typed, understood: operators, spelling, names and notices."""

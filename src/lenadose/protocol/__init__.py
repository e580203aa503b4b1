"""A protocol as data: ladder, criteria, intervals, decision table."""

"""What a protocol says, as data: ladder, criteria, intervals, decision table."""

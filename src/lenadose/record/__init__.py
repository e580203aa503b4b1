"""What was recorded: patient, visits, course. Decides nothing."""

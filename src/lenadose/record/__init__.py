"""The record: patient, visits, course. Decides nothing."""

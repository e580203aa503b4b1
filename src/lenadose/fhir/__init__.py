"""FHIR R4 out: a course and the decisions on it as resources."""

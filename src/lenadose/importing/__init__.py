"""Tables and FHIR resources as courses, with an account of every record that was read."""

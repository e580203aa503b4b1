"""CDS Hooks 2.0.1: the card of a decision in an electronic health record."""

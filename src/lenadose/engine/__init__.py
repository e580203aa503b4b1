"""What to do next: observe, recommend, apply. Pure; no text, no formats, no clock."""

"""The next dosing action: observe, recommend, apply. Pure; no text, no formats, no clock."""

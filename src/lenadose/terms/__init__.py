"""Ground floor: the finite words and small values everything is made of."""

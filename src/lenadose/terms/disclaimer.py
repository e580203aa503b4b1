"""The notice that accompanies every recommendation."""

NOT_A_DEVICE = (
    "Research and education software, not a medical device. "
    "Hypothetical use only; not for clinical use."
)

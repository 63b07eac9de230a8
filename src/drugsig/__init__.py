"""drugsig."""

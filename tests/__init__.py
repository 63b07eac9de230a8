"""The tests of drugsig."""

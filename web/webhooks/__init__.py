"""Where providers push to: verified, stored, and only then acknowledged."""

"""What runs inside the profiled process. Stays light: no import here costs memory or time worth naming."""

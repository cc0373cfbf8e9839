"""The machines: each steps its few states in time and works out, for any number of moments at once, what its sensors see."""

"""Kill a real venue at random moments, thousands of times, and compare what everybody knows."""

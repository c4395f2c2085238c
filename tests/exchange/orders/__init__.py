"""What can be done with orders, through the venue's own sessions."""

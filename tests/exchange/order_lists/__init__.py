"""NewOrderList: many orders in one message, and what they have to do with each other."""

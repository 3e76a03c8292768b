"""The one way in for data: what users have, as the arrays that the rest works on."""

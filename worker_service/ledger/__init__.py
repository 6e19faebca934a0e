"""The only room with SQL of schema `carbon`: fences, sets of rows, factors, places, totals."""

"""The words everything else is said in: frozen values, standard library only."""

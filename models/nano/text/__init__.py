"""Every word that lfm2-nano is trained on and examined with."""

"""How fast HAL is, told as ratios to something simple beside it; each file measures one thing."""

"""The demonstration city: simulated data of Aizuwakamatsu in the formats that real cities use."""

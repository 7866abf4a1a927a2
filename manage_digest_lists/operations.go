package main

// operations are the values of -p. A new one is one more row.
func operations() []operation {
	return []operation{
		{"dump", "print what the lists hold", nil, []string{"dir", "file", "output", "json"}, dump},
	}
}

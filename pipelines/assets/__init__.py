"""The assets, one module a layer; each body resolves inputs, calls one plain function, returns metadata."""

//! A Device is a value: open the tree, build the parts, wire them, run, stop.

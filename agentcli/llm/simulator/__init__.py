"""A provider that lives in the process: speaks real wires, keeps cache rules, plays a script."""

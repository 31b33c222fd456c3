//! The run record: what was done, in a form nobody can quietly edit.

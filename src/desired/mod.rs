//! Who should have what, and why.
